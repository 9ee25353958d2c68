CREATE TEMPORARY TABLE "silver__logged" AS SELECT *
FROM "silver__logged__next";

CREATE TEMPORARY TABLE "silver__logged__next" AS SELECT l."entity_key", l."sequence", l."operation", l."source", l."thing_id", l."name", l."size", l."note", l."known_columns", l."hash", l."stamp", l."observed", l."place", l."first_observed", l."batch_id", l."key_hash"
FROM "silver__logged" AS l
WHERE NOT EXISTS(SELECT 1
FROM "silver__moved" AS r
WHERE l.entity_key = r.entity_key AND l.sequence = r.sequence AND l.operation = r.operation AND l.source = r.source AND l.hash = r.hash)
UNION ALL SELECT "entity_key", "sequence", "operation", "source", "thing_id", "name", "size", "note", "known_columns", "hash", "stamp", "observed", "place", "first_observed", "batch_id", "key_hash"
FROM "silver__moved";

CREATE TEMPORARY TABLE "silver__many" AS SELECT entity_key
FROM "silver__news"
WHERE FALSE
UNION SELECT entity_key
FROM "silver__known";

CREATE TEMPORARY TABLE "silver__moved" AS SELECT l."entity_key", l."sequence", l."operation", l."source", l."thing_id", l."name", l."size", l."note", l."known_columns", l."hash", r."stamp", r."observed", r."place", r."first_observed", r."batch_id", l."key_hash"
FROM "silver__logged" AS l
JOIN "silver__restated" AS r ON l.entity_key = r.entity_key AND l.sequence = r.sequence AND l.operation = r.operation AND l.source = r.source AND l.hash = r.hash;

CREATE TEMPORARY TABLE "silver__moved" AS WITH met AS (SELECT s.entity_key, s.valid_from, s.valid_to, s.is_current, s.version_number, s.batch_id AS _was_batch_id, n.sequence, n.batch_id, n."thing_id" AS "thing_id", n."name" AS "name", n."size" AS "size", CASE WHEN n.operation = 'U' AND (n."known_columns" IS NULL OR POSITION(',note,' IN n."known_columns") > 0) THEN n."note" ELSE s."note" END AS "note", s."thing_id" AS "_was_thing_id", s."name" AS "_was_name", s."size" AS "_was_size", s."note" AS "_was_note", s.is_current AND (n.operation <> 'U' OR ((CASE WHEN n."thing_id" = s."thing_id" AND FNV_HASH(n."thing_id") = FNV_HASH(s."thing_id") THEN 0 WHEN n."thing_id" IS NULL AND s."thing_id" IS NULL THEN 0 ELSE 1 END = 1) OR (CASE WHEN n."name" = s."name" AND FNV_HASH(n."name") = FNV_HASH(s."name") THEN 0 WHEN n."name" IS NULL AND s."name" IS NULL THEN 0 ELSE 1 END = 1) OR (CASE WHEN n."size" = s."size" AND FNV_HASH(n."size") = FNV_HASH(s."size") THEN 0 WHEN n."size" IS NULL AND s."size" IS NULL THEN 0 ELSE 1 END = 1))) AS _closes, n.operation = 'U' AND (NOT s.is_current OR ((CASE WHEN n."thing_id" = s."thing_id" AND FNV_HASH(n."thing_id") = FNV_HASH(s."thing_id") THEN 0 WHEN n."thing_id" IS NULL AND s."thing_id" IS NULL THEN 0 ELSE 1 END = 1) OR (CASE WHEN n."name" = s."name" AND FNV_HASH(n."name") = FNV_HASH(s."name") THEN 0 WHEN n."name" IS NULL AND s."name" IS NULL THEN 0 ELSE 1 END = 1) OR (CASE WHEN n."size" = s."size" AND FNV_HASH(n."size") = FNV_HASH(s."size") THEN 0 WHEN n."size" IS NULL AND s."size" IS NULL THEN 0 ELSE 1 END = 1))) AS _opens
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

DELETE
FROM "acme_silver"."thing_log" USING "silver__moved" AS m
WHERE m."entity_key" = "thing_log"."entity_key" AND m."sequence" = "thing_log"."sequence" AND m."operation" = "thing_log"."operation" AND m."source" = "thing_log"."source" AND m."hash" = "thing_log"."hash";

DROP TABLE IF EXISTS "silver__logged__next";

INSERT INTO "acme_silver"."thing_log" ("entity_key", "sequence", "operation", "source", "thing_id", "name", "size", "note", "known_columns", "hash", "stamp", "observed", "place", "first_observed", "batch_id", "key_hash") SELECT "entity_key", "sequence", "operation", "source", "thing_id", "name", "size", "note", "known_columns", "hash", "stamp", "observed", "place", "first_observed", "batch_id", "key_hash"
FROM "silver__moved"
WHERE NOT "entity_key" IS NULL;
