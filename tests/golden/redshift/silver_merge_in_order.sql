COPY "arrived"
FROM 's3://stage/rows/acme/<unguessable>/' IAM_ROLE 'arn:aws:iam::123456789012:role/headwater' FORMAT AS PARQUET;

CREATE TEMPORARY TABLE "arrived" ("entity_key" VARCHAR(65535), "sequence" BIGINT, "operation" VARCHAR(65535), "source" VARCHAR(65535), "thing_id" VARCHAR(65535), "name" VARCHAR(65535), "size" BIGINT, "note" VARCHAR(65535), "known_columns" VARCHAR(65535), "hash" VARCHAR(65535), "stamp" BIGINT, "observed" BIGINT, "place" BIGINT, "batch_id" VARCHAR(65535));

CREATE TEMPORARY TABLE "silver__arriving" AS SELECT "entity_key", "sequence", "operation", "source", "thing_id", "name", "size", "note", "known_columns", "hash", "stamp", "observed", "place", "batch_id", observed AS first_observed, STRTOL(SUBSTRING(MD5(entity_key)
FROM 1 FOR 15), 16) AS key_hash
FROM "arrived";

CREATE TEMPORARY TABLE "silver__late" AS SELECT DISTINCT a.entity_key, a.key_hash
FROM (SELECT entity_key, key_hash, MIN(sequence) AS first
FROM "silver__arriving"
GROUP BY entity_key, key_hash) AS a
JOIN "acme_silver"."thing_log" AS l ON l.key_hash = a.key_hash AND l.sequence >= a.first
WHERE l.sequence >= 0
UNION SELECT a.entity_key, a.key_hash
FROM "silver__arriving" AS a
WHERE a.operation IN ('A', 'P')
UNION SELECT a.entity_key, a.key_hash
FROM "silver__arriving" AS a
JOIN "acme_meta"."tied_keys" AS t ON t.entity_key = a.entity_key AND t.entity = 'thing';

CREATE TEMPORARY TABLE "silver__moved" AS WITH met AS (SELECT s.entity_key, s.valid_from, s.valid_to, s.is_current, s.version_number, s.batch_id AS _was_batch_id, n.sequence, n.batch_id, n."thing_id" AS "thing_id", n."name" AS "name", n."size" AS "size", CASE WHEN n.operation = 'U' AND (n."known_columns" IS NULL OR POSITION(',note,' IN n."known_columns") > 0) THEN n."note" ELSE s."note" END AS "note", s."thing_id" AS "_was_thing_id", s."name" AS "_was_name", s."size" AS "_was_size", s."note" AS "_was_note", s.is_current AND (n.operation <> 'U' OR ((CASE WHEN n."thing_id" = s."thing_id" AND FNV_HASH(n."thing_id") = FNV_HASH(s."thing_id") THEN 0 WHEN n."thing_id" IS NULL AND s."thing_id" IS NULL THEN 0 ELSE 1 END = 1) OR (CASE WHEN n."name" = s."name" AND FNV_HASH(n."name") = FNV_HASH(s."name") THEN 0 WHEN n."name" IS NULL AND s."name" IS NULL THEN 0 ELSE 1 END = 1) OR (CASE WHEN n."size" = s."size" AND FNV_HASH(n."size") = FNV_HASH(s."size") THEN 0 WHEN n."size" IS NULL AND s."size" IS NULL THEN 0 ELSE 1 END = 1))) AS _closes, n.operation = 'U' AND (NOT s.is_current OR ((CASE WHEN n."thing_id" = s."thing_id" AND FNV_HASH(n."thing_id") = FNV_HASH(s."thing_id") THEN 0 WHEN n."thing_id" IS NULL AND s."thing_id" IS NULL THEN 0 ELSE 1 END = 1) OR (CASE WHEN n."name" = s."name" AND FNV_HASH(n."name") = FNV_HASH(s."name") THEN 0 WHEN n."name" IS NULL AND s."name" IS NULL THEN 0 ELSE 1 END = 1) OR (CASE WHEN n."size" = s."size" AND FNV_HASH(n."size") = FNV_HASH(s."size") THEN 0 WHEN n."size" IS NULL AND s."size" IS NULL THEN 0 ELSE 1 END = 1))) AS _opens
FROM (SELECT *
FROM "silver__stored"
WHERE _last) AS s
JOIN "silver__arriving" AS n ON n.entity_key = s.entity_key) SELECT entity_key AS _key, version_number AS _number, entity_key, "_was_thing_id" AS "thing_id", "_was_name" AS "name", "_was_size" AS "size", "note", valid_from, CASE WHEN _closes THEN DATEADD(MICROSECOND, CAST((sequence) % 1000000 AS INTEGER), DATEADD(SECOND, CAST((sequence) / 1000000 % 86400 AS INTEGER), DATEADD(DAY, CAST((sequence) / 86400000000 AS INTEGER), CAST('1970-01-01 00:00:00' AS TIMESTAMP)))) ELSE valid_to END AS valid_to, is_current AND NOT _closes AS is_current, version_number, _was_batch_id AS batch_id
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
WHERE _last) AS l
JOIN "silver__arriving" AS e USING (entity_key)) AS n ON n.entity_key = o.entity_key AND TRUE
WHERE NOT o._last AND NOT o._late AND ((CASE WHEN n."note" = o."note" AND FNV_HASH(n."note") = FNV_HASH(o."note") THEN 0 WHEN n."note" IS NULL AND o."note" IS NULL THEN 0 ELSE 1 END = 1));

CREATE TEMPORARY TABLE "silver__stored" AS SELECT x."entity_key", x."thing_id", x."name", x."size", x."note", x."valid_from", x."valid_to", x."is_current", x."version_number", x."batch_id", ROW_NUMBER() OVER (PARTITION BY x.entity_key ORDER BY x.version_number DESC NULLS LAST) = 1 AS _last, FALSE AS _late
FROM (SELECT *
FROM "acme_silver"."thing" AS v
WHERE v.entity_key IN (SELECT entity_key
FROM "silver__arriving")) AS x;

DELETE
FROM "acme_silver"."thing" USING "silver__moved" AS m
WHERE m."_key" = "thing"."entity_key" AND m."_number" = "thing"."version_number";

DROP TABLE IF EXISTS "arrived";

DROP TABLE IF EXISTS "silver__arriving";

DROP TABLE IF EXISTS "silver__late";

DROP TABLE IF EXISTS "silver__moved";

DROP TABLE IF EXISTS "silver__stored";

INSERT INTO "acme_meta"."change_feed" ("change_id", "entity", "entity_key") SELECT 0, CAST('thing' AS VARCHAR(65535)), entity_key
FROM (SELECT DISTINCT COALESCE(entity_key, _key) AS entity_key
FROM "silver__moved") AS changed
UNION ALL SELECT 0, CAST('thing' AS VARCHAR(65535)), entity_key
FROM (SELECT entity_key
FROM (SELECT n.entity_key, n."thing_id", n."name", n."size", n."note", DATEADD(MICROSECOND, CAST((n.sequence) % 1000000 AS INTEGER), DATEADD(SECOND, CAST((n.sequence) / 1000000 % 86400 AS INTEGER), DATEADD(DAY, CAST((n.sequence) / 86400000000 AS INTEGER), CAST('1970-01-01 00:00:00' AS TIMESTAMP)))) AS valid_from, CAST('9999-12-31 00:00:00' AS TIMESTAMP) AS valid_to, TRUE AS is_current, 1 AS version_number, n.batch_id
FROM "silver__arriving" AS n
WHERE n.operation = 'U' AND NOT (n.entity_key IN (SELECT entity_key
FROM "silver__stored"))) AS inserts) AS changed;

INSERT INTO "acme_silver"."thing" ("entity_key", "thing_id", "name", "size", "note", "valid_from", "valid_to", "is_current", "version_number", "batch_id") SELECT "entity_key", "thing_id", "name", "size", "note", "valid_from", "valid_to", "is_current", "version_number", "batch_id"
FROM "silver__moved"
WHERE NOT "entity_key" IS NULL;

INSERT INTO "acme_silver"."thing" ("entity_key", "thing_id", "name", "size", "note", "valid_from", "valid_to", "is_current", "version_number", "batch_id") SELECT n.entity_key, n."thing_id", n."name", n."size", n."note", DATEADD(MICROSECOND, CAST((n.sequence) % 1000000 AS INTEGER), DATEADD(SECOND, CAST((n.sequence) / 1000000 % 86400 AS INTEGER), DATEADD(DAY, CAST((n.sequence) / 86400000000 AS INTEGER), CAST('1970-01-01 00:00:00' AS TIMESTAMP)))) AS valid_from, CAST('9999-12-31 00:00:00' AS TIMESTAMP) AS valid_to, TRUE AS is_current, 1 AS version_number, n.batch_id
FROM "silver__arriving" AS n
WHERE n.operation = 'U' AND NOT (n.entity_key IN (SELECT entity_key
FROM "silver__stored"));

INSERT INTO "acme_silver"."thing_log" ("entity_key", "sequence", "operation", "source", "thing_id", "name", "size", "note", "known_columns", "hash", "stamp", "observed", "place", "first_observed", "batch_id", "key_hash") SELECT "entity_key", "sequence", "operation", "source", "thing_id", "name", "size", "note", "known_columns", "hash", "stamp", "observed", "place", "first_observed", "batch_id", "key_hash"
FROM "silver__arriving";

SELECT COALESCE(MAX(change_id), 0) + 1
FROM (SELECT change_id
FROM "acme_meta"."change_feed"
UNION ALL SELECT change_id
FROM "acme_meta"."consumer_offset"
WHERE entity NOT LIKE '@%') AS ids;

SELECT COUNT(*)
FROM "silver__late";

SELECT COUNT(*), COUNT(DISTINCT key_hash), MIN(sequence)
FROM "silver__arriving";

SELECT DISTINCT known_columns
FROM "silver__arriving"
WHERE operation = 'U';
