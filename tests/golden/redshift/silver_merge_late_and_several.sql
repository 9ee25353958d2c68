CREATE TEMPORARY TABLE "silver__folded" AS WITH placed AS (SELECT entity_key, sequence, operation, source, known_columns, batch_id, "thing_id", "name", "size", FIRST_VALUE("note") OVER (PARTITION BY entity_key ORDER BY CASE WHEN operation <> 'U' THEN 2 WHEN ("known_columns" IS NULL OR POSITION(',note,' IN "known_columns") > 0) THEN 0 ELSE 1 END, "sequence" DESC NULLS LAST, "observed" DESC NULLS LAST, "place" DESC NULLS LAST, CASE "operation" WHEN 'A' THEN 0 WHEN 'P' THEN 1 WHEN 'D' THEN 2 ELSE 3 END DESC NULLS LAST, "source" DESC NULLS LAST, "hash" DESC NULLS LAST ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS "note", ROW_NUMBER() OVER (PARTITION BY entity_key ORDER BY "sequence", "observed", "place", CASE "operation" WHEN 'A' THEN 0 WHEN 'P' THEN 1 WHEN 'D' THEN 2 ELSE 3 END, "source", "hash") AS _place
FROM "silver__story"), islands AS (SELECT entity_key, sequence, operation, source, batch_id, _place, "thing_id", "name", "size", "note", COUNT(CASE WHEN operation = 'U' AND ("known_columns" IS NULL OR POSITION(',size,' IN "known_columns") > 0) THEN 1 END) OVER (PARTITION BY entity_key ORDER BY _place ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS _island_0
FROM placed), filled AS (SELECT entity_key, sequence, operation, source, batch_id, _place, "thing_id", "name", CASE WHEN _island_0 > 0 THEN FIRST_VALUE("size") OVER (PARTITION BY entity_key, _island_0 ORDER BY _place ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) END AS "size", "note"
FROM islands), settled AS (SELECT entity_key, sequence, batch_id, _place, "thing_id", "name", "size", "note", CASE WHEN operation = 'U' THEN 1 ELSE 0 END AS _there
FROM (SELECT entity_key, sequence, operation, source, batch_id, _place, "thing_id", "name", "size", "note", LEAD(sequence) OVER (PARTITION BY entity_key ORDER BY _place) AS _next_sequence
FROM filled) AS followed
WHERE _next_sequence IS NULL OR _next_sequence > sequence), compared AS (SELECT entity_key, sequence, batch_id, _there, _place, "thing_id", "name", "size", "note", LAG("thing_id") OVER (PARTITION BY entity_key ORDER BY _place) AS "_was_thing_id", LAG("name") OVER (PARTITION BY entity_key ORDER BY _place) AS "_was_name", LAG("size") OVER (PARTITION BY entity_key ORDER BY _place) AS "_was_size", LAG(_there) OVER (PARTITION BY entity_key ORDER BY _place) AS _was_there
FROM settled), turns AS (SELECT entity_key, sequence, batch_id, _turn, "thing_id", "name", "size", "note", LEAD(sequence) OVER (PARTITION BY entity_key ORDER BY sequence) AS _ends
FROM (SELECT entity_key, sequence, batch_id, "thing_id", "name", "size", "note", CASE WHEN _there = 1 AND (_was_there IS NULL OR _was_there = 0 OR ((CASE WHEN "thing_id" = "_was_thing_id" AND FNV_HASH("thing_id") = FNV_HASH("_was_thing_id") THEN 0 WHEN "thing_id" IS NULL AND "_was_thing_id" IS NULL THEN 0 ELSE 1 END = 1) OR (CASE WHEN "name" = "_was_name" AND FNV_HASH("name") = FNV_HASH("_was_name") THEN 0 WHEN "name" IS NULL AND "_was_name" IS NULL THEN 0 ELSE 1 END = 1) OR (CASE WHEN "size" = "_was_size" AND FNV_HASH("size") = FNV_HASH("_was_size") THEN 0 WHEN "size" IS NULL AND "_was_size" IS NULL THEN 0 ELSE 1 END = 1))) THEN 1 WHEN _there = 0 AND _was_there = 1 THEN 2 ELSE 0 END AS _turn
FROM compared) AS turned
WHERE _turn > 0) SELECT entity_key, "thing_id", "name", "size", "note", DATEADD(MICROSECOND, CAST((sequence) % 1000000 AS INTEGER), DATEADD(SECOND, CAST((sequence) / 1000000 % 86400 AS INTEGER), DATEADD(DAY, CAST((sequence) / 86400000000 AS INTEGER), CAST('1970-01-01 00:00:00' AS TIMESTAMP)))) AS valid_from, CASE WHEN _ends IS NULL THEN CAST('9999-12-31 00:00:00' AS TIMESTAMP) ELSE DATEADD(MICROSECOND, CAST((_ends) % 1000000 AS INTEGER), DATEADD(SECOND, CAST((_ends) / 1000000 % 86400 AS INTEGER), DATEADD(DAY, CAST((_ends) / 86400000000 AS INTEGER), CAST('1970-01-01 00:00:00' AS TIMESTAMP)))) END AS valid_to, _ends IS NULL AS is_current, CAST(ROW_NUMBER() OVER (PARTITION BY entity_key ORDER BY sequence) AS INTEGER) AS version_number, batch_id
FROM turns
WHERE _turn = 1;

CREATE TEMPORARY TABLE "silver__known" AS SELECT *
FROM "silver__late"
WHERE entity_key IN (SELECT entity_key
FROM "silver__news"
UNION SELECT entity_key
FROM "silver__restated");

CREATE TEMPORARY TABLE "silver__logged" AS SELECT x."entity_key", x."sequence", x."operation", x."source", x."thing_id", x."name", x."size", x."note", x."known_columns", x."hash", x."stamp", x."observed", x."place", x."first_observed", x."batch_id", x."key_hash"
FROM "acme_silver"."thing_log" AS x
WHERE x."key_hash" IN (SELECT k."key_hash"
FROM (SELECT key_hash
FROM "silver__late") AS k) AND TRUE;

CREATE TEMPORARY TABLE "silver__many" AS SELECT entity_key
FROM "silver__news"
GROUP BY entity_key HAVING COUNT(*) > 1
UNION SELECT entity_key
FROM "silver__known";

CREATE TEMPORARY TABLE "silver__moved" AS WITH met AS (SELECT s.entity_key, s.valid_from, s.valid_to, s.is_current, s.version_number, s.batch_id AS _was_batch_id, n.sequence, n.batch_id, n."thing_id" AS "thing_id", n."name" AS "name", CASE WHEN (n."known_columns" IS NULL OR POSITION(',size,' IN n."known_columns") > 0) THEN n."size" ELSE s."size" END AS "size", CASE WHEN n.operation = 'U' AND (n."known_columns" IS NULL OR POSITION(',note,' IN n."known_columns") > 0) THEN n."note" ELSE s."note" END AS "note", s."thing_id" AS "_was_thing_id", s."name" AS "_was_name", s."size" AS "_was_size", s."note" AS "_was_note", s.is_current AND (n.operation <> 'U' OR ((CASE WHEN n."thing_id" = s."thing_id" AND FNV_HASH(n."thing_id") = FNV_HASH(s."thing_id") THEN 0 WHEN n."thing_id" IS NULL AND s."thing_id" IS NULL THEN 0 ELSE 1 END = 1) OR (CASE WHEN n."name" = s."name" AND FNV_HASH(n."name") = FNV_HASH(s."name") THEN 0 WHEN n."name" IS NULL AND s."name" IS NULL THEN 0 ELSE 1 END = 1) OR (CASE WHEN CASE WHEN (n."known_columns" IS NULL OR POSITION(',size,' IN n."known_columns") > 0) THEN n."size" ELSE s."size" END = s."size" AND FNV_HASH(CASE WHEN (n."known_columns" IS NULL OR POSITION(',size,' IN n."known_columns") > 0) THEN n."size" ELSE s."size" END) = FNV_HASH(s."size") THEN 0 WHEN CASE WHEN (n."known_columns" IS NULL OR POSITION(',size,' IN n."known_columns") > 0) THEN n."size" ELSE s."size" END IS NULL AND s."size" IS NULL THEN 0 ELSE 1 END = 1))) AS _closes, n.operation = 'U' AND (NOT s.is_current OR ((CASE WHEN n."thing_id" = s."thing_id" AND FNV_HASH(n."thing_id") = FNV_HASH(s."thing_id") THEN 0 WHEN n."thing_id" IS NULL AND s."thing_id" IS NULL THEN 0 ELSE 1 END = 1) OR (CASE WHEN n."name" = s."name" AND FNV_HASH(n."name") = FNV_HASH(s."name") THEN 0 WHEN n."name" IS NULL AND s."name" IS NULL THEN 0 ELSE 1 END = 1) OR (CASE WHEN CASE WHEN (n."known_columns" IS NULL OR POSITION(',size,' IN n."known_columns") > 0) THEN n."size" ELSE s."size" END = s."size" AND FNV_HASH(CASE WHEN (n."known_columns" IS NULL OR POSITION(',size,' IN n."known_columns") > 0) THEN n."size" ELSE s."size" END) = FNV_HASH(s."size") THEN 0 WHEN CASE WHEN (n."known_columns" IS NULL OR POSITION(',size,' IN n."known_columns") > 0) THEN n."size" ELSE s."size" END IS NULL AND s."size" IS NULL THEN 0 ELSE 1 END = 1))) AS _opens
FROM (SELECT *
FROM "silver__stored"
WHERE _last AND NOT entity_key IN (SELECT entity_key
FROM "silver__many")) AS s
JOIN "silver__news" AS n ON n.entity_key = s.entity_key) SELECT entity_key AS _key, version_number AS _number, entity_key, "_was_thing_id" AS "thing_id", "_was_name" AS "name", "_was_size" AS "size", "note", valid_from, CASE WHEN _closes THEN DATEADD(MICROSECOND, CAST((sequence) % 1000000 AS INTEGER), DATEADD(SECOND, CAST((sequence) / 1000000 % 86400 AS INTEGER), DATEADD(DAY, CAST((sequence) / 86400000000 AS INTEGER), CAST('1970-01-01 00:00:00' AS TIMESTAMP)))) ELSE valid_to END AS valid_to, is_current AND NOT _closes AS is_current, version_number, _was_batch_id AS batch_id
FROM met
WHERE _closes OR ((CASE WHEN "note" = "_was_note" AND FNV_HASH("note") = FNV_HASH("_was_note") THEN 0 WHEN "note" IS NULL AND "_was_note" IS NULL THEN 0 ELSE 1 END = 1))
UNION ALL SELECT NULL AS _key, NULL AS _number, entity_key, "thing_id", "name", "size", "note", DATEADD(MICROSECOND, CAST((sequence) % 1000000 AS INTEGER), DATEADD(SECOND, CAST((sequence) / 1000000 % 86400 AS INTEGER), DATEADD(DAY, CAST((sequence) / 86400000000 AS INTEGER), CAST('1970-01-01 00:00:00' AS TIMESTAMP)))) AS valid_from, CAST('9999-12-31 00:00:00' AS TIMESTAMP) AS valid_to, TRUE AS is_current, version_number + 1 AS version_number, batch_id
FROM met
WHERE _opens
UNION ALL SELECT o.entity_key AS _key, o.version_number AS _number, o.entity_key, o."thing_id", o."name", o."size", n."note", o.valid_from, o.valid_to, o.is_current, o.version_number, o.batch_id
FROM "silver__stored" AS o
JOIN (SELECT l.entity_key, CASE WHEN e.operation = 'U' AND (e."known_columns" IS NULL OR POSITION(',note,' IN e."known_columns") > 0) THEN e."note" ELSE l."note" END AS "note"
FROM (SELECT *
FROM "silver__stored"
WHERE _last AND NOT entity_key IN (SELECT entity_key
FROM "silver__many")) AS l
JOIN "silver__news" AS e USING (entity_key)) AS n ON n.entity_key = o.entity_key AND TRUE
WHERE NOT o._last AND NOT o._late AND ((CASE WHEN n."note" = o."note" AND FNV_HASH(n."note") = FNV_HASH(o."note") THEN 0 WHEN n."note" IS NULL AND o."note" IS NULL THEN 0 ELSE 1 END = 1))
UNION ALL SELECT s.entity_key AS _key, s.version_number AS _number, f."entity_key", f."thing_id", f."name", f."size", f."note", f."valid_from", f."valid_to", f."is_current", f."version_number", f."batch_id"
FROM (SELECT *
FROM "silver__stored"
WHERE (_last OR _late) AND entity_key IN (SELECT entity_key
FROM "silver__many")) AS s
FULL OUTER JOIN (SELECT v.entity_key, v."thing_id", v."name", v."size", v."note", v."valid_from", v."valid_to", v."is_current", CAST(v.version_number + COALESCE(b.version_number - 1, 0) AS INTEGER) AS version_number, v.batch_id
FROM "silver__folded" AS v
LEFT JOIN "silver__stored" AS b ON b.entity_key = v.entity_key AND b._last AND NOT b._late) AS f ON f.entity_key = s.entity_key AND f.version_number = s.version_number
WHERE s.entity_key IS NULL OR f.entity_key IS NULL OR ((CASE WHEN f."thing_id" = s."thing_id" AND FNV_HASH(f."thing_id") = FNV_HASH(s."thing_id") THEN 0 WHEN f."thing_id" IS NULL AND s."thing_id" IS NULL THEN 0 ELSE 1 END = 1) OR (CASE WHEN f."name" = s."name" AND FNV_HASH(f."name") = FNV_HASH(s."name") THEN 0 WHEN f."name" IS NULL AND s."name" IS NULL THEN 0 ELSE 1 END = 1) OR (CASE WHEN f."size" = s."size" AND FNV_HASH(f."size") = FNV_HASH(s."size") THEN 0 WHEN f."size" IS NULL AND s."size" IS NULL THEN 0 ELSE 1 END = 1) OR (CASE WHEN f."note" = s."note" AND FNV_HASH(f."note") = FNV_HASH(s."note") THEN 0 WHEN f."note" IS NULL AND s."note" IS NULL THEN 0 ELSE 1 END = 1) OR (CASE WHEN f."valid_from" = s."valid_from" AND FNV_HASH(f."valid_from") = FNV_HASH(s."valid_from") THEN 0 WHEN f."valid_from" IS NULL AND s."valid_from" IS NULL THEN 0 ELSE 1 END = 1) OR (CASE WHEN f."valid_to" = s."valid_to" AND FNV_HASH(f."valid_to") = FNV_HASH(s."valid_to") THEN 0 WHEN f."valid_to" IS NULL AND s."valid_to" IS NULL THEN 0 ELSE 1 END = 1) OR (CASE WHEN f."is_current" = s."is_current" AND FNV_HASH(f."is_current") = FNV_HASH(s."is_current") THEN 0 WHEN f."is_current" IS NULL AND s."is_current" IS NULL THEN 0 ELSE 1 END = 1) OR (CASE WHEN f."version_number" = s."version_number" AND FNV_HASH(f."version_number") = FNV_HASH(s."version_number") THEN 0 WHEN f."version_number" IS NULL AND s."version_number" IS NULL THEN 0 ELSE 1 END = 1) OR (CASE WHEN f."batch_id" = s."batch_id" AND FNV_HASH(f."batch_id") = FNV_HASH(s."batch_id") THEN 0 WHEN f."batch_id" IS NULL AND s."batch_id" IS NULL THEN 0 ELSE 1 END = 1))
UNION ALL SELECT o.entity_key AS _key, o.version_number AS _number, o.entity_key, o."thing_id", o."name", o."size", n."note", o.valid_from, o.valid_to, o.is_current, o.version_number, o.batch_id
FROM "silver__stored" AS o
JOIN "silver__folded" AS n ON n.entity_key = o.entity_key AND n.version_number = 1
WHERE NOT o._last AND NOT o._late AND ((CASE WHEN n."note" = o."note" AND FNV_HASH(n."note") = FNV_HASH(o."note") THEN 0 WHEN n."note" IS NULL AND o."note" IS NULL THEN 0 ELSE 1 END = 1));

CREATE TEMPORARY TABLE "silver__news" AS SELECT a.*
FROM "silver__arriving" AS a
WHERE NOT EXISTS(SELECT 1
FROM "silver__logged" AS k
WHERE k.entity_key = a.entity_key AND k.sequence = a.sequence AND k.operation = a.operation AND k.source = a.source AND k.hash = a.hash);

CREATE TEMPORARY TABLE "silver__restated" AS SELECT a."entity_key", a."sequence", a."operation", a."source", a."hash", CASE WHEN (NOT a.stamp IS NULL AND (k.stamp IS NULL OR a.stamp > k.stamp)) THEN a.stamp ELSE k.stamp END AS stamp, CASE WHEN (a.observed > k.observed OR (a.observed = k.observed AND a.place > k.place)) THEN a.observed ELSE k.observed END AS observed, CASE WHEN (a.observed > k.observed OR (a.observed = k.observed AND a.place > k.place)) THEN a.place ELSE k.place END AS place, CASE WHEN (a.first_observed < k.first_observed OR (a.first_observed = k.first_observed AND a.batch_id < k.batch_id)) THEN a.first_observed ELSE k.first_observed END AS first_observed, CASE WHEN (a.first_observed < k.first_observed OR (a.first_observed = k.first_observed AND a.batch_id < k.batch_id)) THEN a.batch_id ELSE k.batch_id END AS batch_id, CASE WHEN (a.first_observed < k.first_observed OR (a.first_observed = k.first_observed AND a.batch_id < k.batch_id)) THEN 1 ELSE 0 END AS _earlier
FROM "silver__arriving" AS a
JOIN "silver__logged" AS k ON k.entity_key = a.entity_key AND k.sequence = a.sequence AND k.operation = a.operation AND k.source = a.source AND k.hash = a.hash
WHERE (a.observed > k.observed OR (a.observed = k.observed AND a.place > k.place)) OR (a.first_observed < k.first_observed OR (a.first_observed = k.first_observed AND a.batch_id < k.batch_id)) OR (NOT a.stamp IS NULL AND (k.stamp IS NULL OR a.stamp > k.stamp));

CREATE TEMPORARY TABLE "silver__stored" AS SELECT x."entity_key", x."thing_id", x."name", x."size", x."note", x."valid_from", x."valid_to", x."is_current", x."version_number", x."batch_id", ROW_NUMBER() OVER (PARTITION BY x.entity_key ORDER BY x.version_number DESC NULLS LAST) = 1 AS _last, (NOT _in_0.among IS NULL) AS _late
FROM (SELECT *
FROM "acme_silver"."thing" AS v
WHERE v.entity_key IN (SELECT entity_key
FROM "silver__news"
UNION SELECT entity_key
FROM "silver__known")) AS x
LEFT JOIN (SELECT DISTINCT entity_key AS among
FROM (SELECT entity_key
FROM "silver__known") AS asked) AS _in_0 ON _in_0.among = x.entity_key;

CREATE TEMPORARY TABLE "silver__story" AS SELECT x."entity_key", x."sequence", x."operation", x."source", x."thing_id", x."name", x."size", x."note", x."known_columns", x."hash", x."observed", x."place", x."batch_id"
FROM "silver__news" AS x
WHERE x.entity_key IN (SELECT entity_key
FROM "silver__many")
UNION ALL SELECT x.entity_key, DATEDIFF(MICROSECOND, CAST('1970-01-01 00:00:00' AS TIMESTAMP), x.valid_from), CAST('U' AS VARCHAR(65535)), CAST('shop.things' AS VARCHAR(65535)), x."thing_id", x."name", x."size", x."note", NULL, CAST('' AS VARCHAR(65535)), 0, 0, x.batch_id
FROM "silver__stored" AS x
WHERE x._last AND NOT x._late AND x.entity_key IN (SELECT entity_key
FROM "silver__many")
UNION ALL SELECT x.entity_key, DATEDIFF(MICROSECOND, CAST('1970-01-01 00:00:00' AS TIMESTAMP), x.valid_to), CAST('D' AS VARCHAR(65535)), CAST('shop.things' AS VARCHAR(65535)), x."thing_id", x."name", x."size", x."note", NULL, CAST('' AS VARCHAR(65535)), 0, 0, x.batch_id
FROM "silver__stored" AS x
WHERE x._last AND NOT x._late AND x.entity_key IN (SELECT entity_key
FROM "silver__many") AND NOT x.is_current
UNION ALL SELECT x."entity_key", x."sequence", x."operation", x."source", x."thing_id", x."name", x."size", x."note", x."known_columns", x."hash", x."observed", x."place", x."batch_id"
FROM "silver__logged" AS x
WHERE x.entity_key IN (SELECT entity_key
FROM "silver__known");

DROP TABLE IF EXISTS "silver__folded";

DROP TABLE IF EXISTS "silver__known";

DROP TABLE IF EXISTS "silver__logged";

DROP TABLE IF EXISTS "silver__many";

DROP TABLE IF EXISTS "silver__news";

DROP TABLE IF EXISTS "silver__restated";

DROP TABLE IF EXISTS "silver__story";

INSERT INTO "acme_meta"."change_feed" ("change_id", "entity", "entity_key") SELECT 0, CAST('thing' AS VARCHAR(65535)), entity_key
FROM (SELECT DISTINCT COALESCE(entity_key, _key) AS entity_key
FROM "silver__moved") AS changed
UNION ALL SELECT 0, CAST('thing' AS VARCHAR(65535)), entity_key
FROM (SELECT entity_key
FROM (SELECT n.entity_key, n."thing_id", n."name", n."size", n."note", DATEADD(MICROSECOND, CAST((n.sequence) % 1000000 AS INTEGER), DATEADD(SECOND, CAST((n.sequence) / 1000000 % 86400 AS INTEGER), DATEADD(DAY, CAST((n.sequence) / 86400000000 AS INTEGER), CAST('1970-01-01 00:00:00' AS TIMESTAMP)))) AS valid_from, CAST('9999-12-31 00:00:00' AS TIMESTAMP) AS valid_to, TRUE AS is_current, 1 AS version_number, n.batch_id
FROM "silver__news" AS n
WHERE n.operation = 'U' AND NOT (n.entity_key IN (SELECT entity_key
FROM "silver__stored"
UNION ALL SELECT entity_key
FROM "silver__many"))) AS inserts) AS changed;

INSERT INTO "acme_meta"."tied_keys" ("entity", "entity_key") SELECT DISTINCT CAST('thing' AS VARCHAR(65535)), x.entity_key
FROM "silver__story" AS x
JOIN (SELECT entity_key, sequence
FROM "silver__story"
WHERE operation IN ('D', 'A')) AS y ON y.entity_key = x.entity_key AND y.sequence = x.sequence
WHERE x.operation = 'U' AND NOT EXISTS(SELECT 1
FROM "acme_meta"."tied_keys" AS t
WHERE t.entity = 'thing' AND t.entity_key = x.entity_key);

INSERT INTO "acme_silver"."thing" ("entity_key", "thing_id", "name", "size", "note", "valid_from", "valid_to", "is_current", "version_number", "batch_id") SELECT n.entity_key, n."thing_id", n."name", n."size", n."note", DATEADD(MICROSECOND, CAST((n.sequence) % 1000000 AS INTEGER), DATEADD(SECOND, CAST((n.sequence) / 1000000 % 86400 AS INTEGER), DATEADD(DAY, CAST((n.sequence) / 86400000000 AS INTEGER), CAST('1970-01-01 00:00:00' AS TIMESTAMP)))) AS valid_from, CAST('9999-12-31 00:00:00' AS TIMESTAMP) AS valid_to, TRUE AS is_current, 1 AS version_number, n.batch_id
FROM "silver__news" AS n
WHERE n.operation = 'U' AND NOT (n.entity_key IN (SELECT entity_key
FROM "silver__stored"
UNION ALL SELECT entity_key
FROM "silver__many"));

INSERT INTO "acme_silver"."thing_log" ("entity_key", "sequence", "operation", "source", "thing_id", "name", "size", "note", "known_columns", "hash", "stamp", "observed", "place", "first_observed", "batch_id", "key_hash") SELECT "entity_key", "sequence", "operation", "source", "thing_id", "name", "size", "note", "known_columns", "hash", "stamp", "observed", "place", "first_observed", "batch_id", "key_hash"
FROM "silver__news";

SELECT 1
FROM "silver__arriving"
GROUP BY "entity_key", "sequence", "operation", "source", "hash" HAVING COUNT(*) > 1 LIMIT 1;

SELECT COUNT(*)
FROM "silver__known";

SELECT COUNT(*)
FROM "silver__many";

SELECT COUNT(*)
FROM "silver__news";

SELECT COUNT(*)
FROM "silver__restated";

SELECT DISTINCT known_columns
FROM "silver__news"
WHERE operation = 'U';

SELECT DISTINCT known_columns, source, operation
FROM "silver__story";

SELECT entity_key, sequence
FROM "silver__story"
WHERE operation IN ('D', 'A') LIMIT 1;
