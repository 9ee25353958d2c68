ALTER TABLE "acme_silver"."thing" ADD COLUMN "colour" VARCHAR(65535);

ALTER TABLE "acme_silver"."thing__next" RENAME TO "thing";

ALTER TABLE "acme_silver"."thing_log" ADD COLUMN "colour" VARCHAR(65535);

ALTER TABLE "acme_silver"."thing_log__next" RENAME TO "thing_log";

CREATE TABLE "acme_silver"."thing__next" ("entity_key" VARCHAR(65535) NOT NULL, "thing_id" VARCHAR(65535), "name" VARCHAR(65535), "size" DOUBLE PRECISION, "note" VARCHAR(65535), "valid_from" TIMESTAMP, "valid_to" TIMESTAMP, "is_current" BOOLEAN, "version_number" INTEGER NOT NULL, "batch_id" VARCHAR(65535), "colour" VARCHAR(65535), PRIMARY KEY ("entity_key", "version_number")) DISTSTYLE KEY DISTKEY ("entity_key") COMPOUND SORTKEY ("entity_key", "valid_from");

CREATE TABLE "acme_silver"."thing_log__next" ("entity_key" VARCHAR(65535) NOT NULL, "sequence" BIGINT NOT NULL, "operation" VARCHAR(65535) NOT NULL, "source" VARCHAR(65535) NOT NULL, "thing_id" VARCHAR(65535), "name" VARCHAR(65535), "size" DOUBLE PRECISION, "note" VARCHAR(65535), "known_columns" VARCHAR(65535), "hash" VARCHAR(65535) NOT NULL, "stamp" BIGINT, "observed" BIGINT, "place" BIGINT, "first_observed" BIGINT, "batch_id" VARCHAR(65535), "key_hash" BIGINT, "colour" VARCHAR(65535), PRIMARY KEY ("entity_key", "sequence", "operation", "source", "hash")) DISTSTYLE KEY DISTKEY ("entity_key") COMPOUND SORTKEY ("sequence");

DROP TABLE "acme_silver"."thing";

DROP TABLE "acme_silver"."thing_log";

INSERT INTO "acme_meta"."entity_schema" ("entity", "declaration") SELECT CAST('thing' AS VARCHAR(65535)), CAST('{"key": ["thing_id"], "columns": {"thing_id": ["text", "track"], "name": ["text", "track"], "size": ["bigint", "track"], "note": ["text", "overwrite"], "colour": ["text", "track"]}, "log": 2}' AS VARCHAR(65535));

INSERT INTO "acme_meta"."entity_schema" ("entity", "declaration") SELECT CAST('thing' AS VARCHAR(65535)), CAST('{"key": ["thing_id"], "columns": {"thing_id": ["text", "track"], "name": ["text", "track"], "size": ["double", "track"], "note": ["text", "overwrite"], "colour": ["text", "track"]}, "log": 2}' AS VARCHAR(65535));

INSERT INTO "acme_silver"."thing__next" ("entity_key", "thing_id", "name", "size", "note", "valid_from", "valid_to", "is_current", "version_number", "batch_id", "colour") SELECT CAST("entity_key" AS VARCHAR(65535)), CAST("thing_id" AS VARCHAR(65535)), CAST("name" AS VARCHAR(65535)), CAST("size" AS DOUBLE PRECISION), CAST("note" AS VARCHAR(65535)), CAST("valid_from" AS TIMESTAMP), CAST("valid_to" AS TIMESTAMP), CAST("is_current" AS BOOLEAN), CAST("version_number" AS INTEGER), CAST("batch_id" AS VARCHAR(65535)), CAST("colour" AS VARCHAR(65535))
FROM "acme_silver"."thing";

INSERT INTO "acme_silver"."thing_log__next" ("entity_key", "sequence", "operation", "source", "thing_id", "name", "size", "note", "known_columns", "hash", "stamp", "observed", "place", "first_observed", "batch_id", "key_hash", "colour") SELECT CAST("entity_key" AS VARCHAR(65535)), CAST("sequence" AS BIGINT), CAST("operation" AS VARCHAR(65535)), CAST("source" AS VARCHAR(65535)), CAST("thing_id" AS VARCHAR(65535)), CAST("name" AS VARCHAR(65535)), CAST("size" AS DOUBLE PRECISION), CAST("note" AS VARCHAR(65535)), CAST("known_columns" AS VARCHAR(65535)), CAST("hash" AS VARCHAR(65535)), CAST("stamp" AS BIGINT), CAST("observed" AS BIGINT), CAST("place" AS BIGINT), CAST("first_observed" AS BIGINT), CAST("batch_id" AS VARCHAR(65535)), CAST("key_hash" AS BIGINT), CAST("colour" AS VARCHAR(65535))
FROM "acme_silver"."thing_log";

SELECT *
FROM "acme_silver"."thing" ORDER BY entity_key, version_number;

SELECT 1
FROM "acme_silver"."thing_log" LIMIT 1;

SELECT CAST(k.conname AS VARCHAR(128)), CAST(k.contype AS VARCHAR(1)), pg_catalog.pg_get_constraintdef(k.oid)
FROM pg_catalog.pg_constraint AS k
JOIN pg_catalog.pg_class AS c ON c.oid = k.conrelid
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = $1 AND c.relname = $2 AND k.contype IN ('p', 'f') ORDER BY 1;

SELECT CAST(n.nspname AS VARCHAR(128)), CAST(c.relname AS VARCHAR(128)), CAST(k.conname AS VARCHAR(128))
FROM pg_catalog.pg_constraint AS k
JOIN pg_catalog.pg_class AS c ON c.oid = k.conrelid
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_class AS t ON t.oid = k.confrelid
JOIN pg_catalog.pg_namespace AS s ON s.oid = t.relnamespace
WHERE k.contype = 'f' AND s.nspname = $1 AND t.relname = $2 ORDER BY 1, 2, 3;

UPDATE "acme_silver"."thing_log" SET "known_columns" = ',thing_id,name,size,note,'
WHERE known_columns IS NULL AND operation = 'U';
