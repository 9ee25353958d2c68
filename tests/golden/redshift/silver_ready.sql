BEGIN;

COMMIT;

CREATE SCHEMA IF NOT EXISTS "acme_meta";

CREATE SCHEMA IF NOT EXISTS "acme_silver";

CREATE TABLE "acme_meta"."batch" ("batch_id" VARCHAR(65535) NOT NULL, "connection" VARCHAR(65535), "resource" VARCHAR(65535), "source" VARCHAR(65535), "read_at" TIMESTAMP, PRIMARY KEY ("batch_id")) DISTSTYLE AUTO COMPOUND SORTKEY ("batch_id");

CREATE TABLE "acme_meta"."change_feed" ("change_id" BIGINT NOT NULL, "entity" VARCHAR(65535) NOT NULL, "entity_key" VARCHAR(65535) NOT NULL, PRIMARY KEY ("change_id", "entity", "entity_key")) DISTSTYLE AUTO COMPOUND SORTKEY ("change_id");

CREATE TABLE "acme_meta"."consumed_batch" ("entity" VARCHAR(65535) NOT NULL, "batch_id" VARCHAR(65535) NOT NULL, "connection" VARCHAR(65535), "resource" VARCHAR(65535), "purpose" VARCHAR(65535), "read_at" BIGINT, "attempt" INTEGER, "files" INTEGER, "verdict" VARCHAR(65535), PRIMARY KEY ("entity", "batch_id")) DISTSTYLE AUTO COMPOUND SORTKEY ("entity");

CREATE TABLE "acme_meta"."consumer_offset" ("consumer" VARCHAR(65535) NOT NULL, "entity" VARCHAR(65535) NOT NULL, "change_id" BIGINT, PRIMARY KEY ("consumer", "entity")) DISTSTYLE AUTO COMPOUND SORTKEY ("consumer", "entity");

CREATE TABLE "acme_meta"."entity_schema" ("entity" VARCHAR(65535) NOT NULL, "declaration" VARCHAR(65535), PRIMARY KEY ("entity")) DISTSTYLE AUTO COMPOUND SORTKEY ("entity");

CREATE TABLE "acme_meta"."repeat_watermark" ("entity" VARCHAR(65535) NOT NULL, "sequence" BIGINT, PRIMARY KEY ("entity")) DISTSTYLE AUTO COMPOUND SORTKEY ("sequence");

CREATE TABLE "acme_meta"."tied_keys" ("entity" VARCHAR(65535) NOT NULL, "entity_key" VARCHAR(65535) NOT NULL, PRIMARY KEY ("entity", "entity_key")) DISTSTYLE AUTO COMPOUND SORTKEY ("entity");

CREATE TABLE "acme_silver"."thing" ("entity_key" VARCHAR(65535) NOT NULL, "thing_id" VARCHAR(65535), "name" VARCHAR(65535), "size" BIGINT, "note" VARCHAR(65535), "valid_from" TIMESTAMP, "valid_to" TIMESTAMP, "is_current" BOOLEAN, "version_number" INTEGER NOT NULL, "batch_id" VARCHAR(65535), PRIMARY KEY ("entity_key", "version_number")) DISTSTYLE KEY DISTKEY ("entity_key") COMPOUND SORTKEY ("entity_key", "valid_from");

CREATE TABLE "acme_silver"."thing_log" ("entity_key" VARCHAR(65535) NOT NULL, "sequence" BIGINT NOT NULL, "operation" VARCHAR(65535) NOT NULL, "source" VARCHAR(65535) NOT NULL, "thing_id" VARCHAR(65535), "name" VARCHAR(65535), "size" BIGINT, "note" VARCHAR(65535), "known_columns" VARCHAR(65535), "hash" VARCHAR(65535) NOT NULL, "stamp" BIGINT, "observed" BIGINT, "place" BIGINT, "first_observed" BIGINT, "batch_id" VARCHAR(65535), "key_hash" BIGINT, PRIMARY KEY ("entity_key", "sequence", "operation", "source", "hash")) DISTSTYLE KEY DISTKEY ("entity_key") COMPOUND SORTKEY ("sequence");

CREATE TABLE IF NOT EXISTS "acme_meta"."writer" (nothing BOOLEAN);

CREATE VIEW "acme_silver"."thing_current" AS SELECT *
FROM "acme_silver"."thing"
WHERE is_current WITH NO SCHEMA BINDING;

DELETE
FROM "acme_meta"."entity_schema"
WHERE entity = 'thing';

DROP VIEW IF EXISTS "acme_silver"."thing_current";

INSERT INTO "acme_meta"."entity_schema" ("entity", "declaration") SELECT CAST('thing' AS VARCHAR(65535)), CAST('{"key": ["thing_id"], "columns": {"thing_id": ["text", "track"], "name": ["text", "track"], "size": ["bigint", "track"], "note": ["text", "overwrite"]}, "log": 2}' AS VARCHAR(65535));

LOCK TABLE "acme_meta"."writer";

SELECT *
FROM "acme_meta"."entity_schema";

SELECT CAST(a.attname AS VARCHAR(128)), pg_catalog.format_type(a.atttypid, a.atttypmod), a.attnotnull
FROM pg_catalog.pg_attribute AS a
JOIN pg_catalog.pg_class AS c ON c.oid = a.attrelid
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = $1 AND c.relname = $2 AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attnum;

SELECT CAST(c.relname AS VARCHAR(128)), CAST(c.relkind AS VARCHAR(1))
FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = $1 AND c.relkind IN ('r', 'v') ORDER BY 1;
