ALTER TABLE "acme_gold"."fact_agreement_period" DROP CONSTRAINT "fact_agreement_period_company_key_fkey";

ALTER TABLE "acme_gold"."fact_entry" DROP CONSTRAINT "fact_entry__next_company_key_fkey";

ALTER TABLE "acme_gold"."fact_entry" DROP CONSTRAINT "fact_entry__next_head_key_fkey";

ALTER TABLE "acme_gold"."fact_entry__next" RENAME TO "fact_entry";

ALTER TABLE "acme_gold"."fact_line" DROP CONSTRAINT "fact_line_company_key_fkey";

CREATE TABLE "acme_gold"."fact_entry__next" ("entity_key" VARCHAR(65535) NOT NULL, "entry_id" BIGINT NOT NULL, "member_key" BIGINT NOT NULL, "worker_key" BIGINT NOT NULL, "approver_key" BIGINT NOT NULL, "company_key" BIGINT NOT NULL, "option_key" BIGINT NOT NULL, "head_key" BIGINT NOT NULL, "started_at" TIMESTAMP, "option" VARCHAR(65535), "worked" DECIMAL(18,4), "revenue" DECIMAL(18,8), "margin" DOUBLE PRECISION, "loaded_at" TIMESTAMP, "batch_id" VARCHAR(65535), "source" VARCHAR(65535), PRIMARY KEY ("entity_key", "entry_id"), FOREIGN KEY ("approver_key") REFERENCES "acme_gold"."dim_member" ("member_key"), FOREIGN KEY ("company_key") REFERENCES "acme_gold"."dim_company" ("company_key"), FOREIGN KEY ("head_key") REFERENCES "acme_gold"."dim_company" ("company_key"), FOREIGN KEY ("member_key") REFERENCES "acme_gold"."dim_member" ("member_key"), FOREIGN KEY ("option_key") REFERENCES "acme_gold"."dim_option" ("option_key"), FOREIGN KEY ("worker_key") REFERENCES "acme_gold"."dim_worker" ("worker_key")) DISTSTYLE KEY DISTKEY ("entity_key") COMPOUND SORTKEY ("approver_key");

DELETE
FROM "acme_meta"."change_feed"
WHERE (entity = 'address' AND change_id <= 0) OR (entity = 'agreement' AND change_id <= 0) OR (entity = 'company' AND change_id <= 0) OR (entity = 'dim_company' AND change_id <= 0) OR (entity = 'dim_member' AND change_id <= 0) OR (entity = 'dim_option' AND change_id <= 0) OR (entity = 'dim_worker' AND change_id <= 0) OR (entity = 'entry' AND change_id <= 0) OR (entity = 'member' AND change_id <= 0) OR (entity = 'product' AND change_id <= 0);

DELETE
FROM "acme_meta"."change_feed"
WHERE entity = 'address';

DELETE
FROM "acme_meta"."consumed_batch"
WHERE entity = 'address';

DELETE
FROM "acme_meta"."consumer_offset"
WHERE consumer = 'dim_company';

DELETE
FROM "acme_meta"."consumer_offset"
WHERE entity = 'address';

DELETE
FROM "acme_meta"."repeat_watermark"
WHERE entity = 'address';

DELETE
FROM "acme_meta"."tied_keys"
WHERE entity = 'address';

DROP TABLE "acme_gold"."dim_company";

DROP TABLE "acme_gold"."fact_entry";

DROP TABLE "acme_silver"."address";

DROP TABLE "acme_silver"."address_log";

DROP VIEW "acme_silver"."address_current";

INSERT INTO "acme_gold"."fact_entry__next" ("entity_key", "entry_id", "member_key", "worker_key", "approver_key", "company_key", "option_key", "head_key", "started_at", "option", "worked", "revenue", "margin", "loaded_at", "batch_id", "source") SELECT CAST("entity_key" AS VARCHAR(65535)), CAST("entry_id" AS BIGINT), CAST("member_key" AS BIGINT), CAST("worker_key" AS BIGINT), CAST("approver_key" AS BIGINT), CAST("company_key" AS BIGINT), CAST("option_key" AS BIGINT), CAST("head_key" AS BIGINT), CAST("started_at" AS TIMESTAMP), CAST("option" AS VARCHAR(65535)), CAST("worked" AS DECIMAL(18,4)), CAST("revenue" AS DECIMAL(18,8)), CAST("margin" AS DOUBLE PRECISION), CAST("loaded_at" AS TIMESTAMP), CAST("batch_id" AS VARCHAR(65535)), CAST("source" AS VARCHAR(65535))
FROM "acme_gold"."fact_entry";

INSERT INTO "acme_meta"."entity_schema" ("entity", "declaration") SELECT CAST('address' AS VARCHAR(65535)), CAST('{"key": [], "columns": {}, "anew": 1, "log": 2}' AS VARCHAR(65535));

SELECT entity, MIN(change_id)
FROM "acme_meta"."consumer_offset"
WHERE entity NOT LIKE '@%'
GROUP BY entity ORDER BY entity;
