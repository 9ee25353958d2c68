COPY "gold_days"
FROM 's3://stage/rows/acme/<unguessable>/' IAM_ROLE 'arn:aws:iam::123456789012:role/headwater' FORMAT AS PARQUET;

CREATE SCHEMA IF NOT EXISTS "acme_gold";

CREATE TABLE "acme_gold"."dim_company" ("company_key" BIGINT NOT NULL, "entity_key" VARCHAR(65535), "company_id" BIGINT, "segment" VARCHAR(65535), "name" VARCHAR(65535), "first_segment" VARCHAR(65535), "number" VARCHAR(65535), "city" VARCHAR(65535), "phone" VARCHAR(65535), "valid_from" TIMESTAMP NOT NULL, "valid_to" TIMESTAMP NOT NULL, "is_current" BOOLEAN NOT NULL, "is_inferred" BOOLEAN NOT NULL, "loaded_at" TIMESTAMP, "batch_id" VARCHAR(65535), "source" VARCHAR(65535), PRIMARY KEY ("company_key")) DISTSTYLE KEY DISTKEY ("entity_key") COMPOUND SORTKEY ("entity_key", "valid_from");

CREATE TABLE "acme_gold"."dim_date" ("date_key" BIGINT NOT NULL, "date" DATE, "year" INTEGER, "quarter" INTEGER, "month" INTEGER, "month_name" VARCHAR(65535), "week" INTEGER, "day_of_month" INTEGER, "day_of_week" INTEGER, "day_name" VARCHAR(65535), "day_of_year" INTEGER, "is_weekend" BOOLEAN, "is_holiday" BOOLEAN, "holiday_name" VARCHAR(65535), "is_month_start" BOOLEAN, "is_month_end" BOOLEAN, "fiscal_year" INTEGER, "fiscal_quarter" INTEGER, "fiscal_month" INTEGER, "loaded_at" TIMESTAMP, "batch_id" VARCHAR(65535), "source" VARCHAR(65535), PRIMARY KEY ("date_key")) DISTSTYLE ALL COMPOUND SORTKEY ("date_key");

CREATE TABLE "acme_gold"."dim_member" ("member_key" BIGINT NOT NULL, "entity_key" VARCHAR(65535), "name" VARCHAR(65535), "cost" DECIMAL(18,4), "valid_from" TIMESTAMP NOT NULL, "valid_to" TIMESTAMP NOT NULL, "is_current" BOOLEAN NOT NULL, "is_inferred" BOOLEAN NOT NULL, "loaded_at" TIMESTAMP, "batch_id" VARCHAR(65535), "source" VARCHAR(65535), PRIMARY KEY ("member_key")) DISTSTYLE KEY DISTKEY ("entity_key") COMPOUND SORTKEY ("entity_key", "valid_from");

CREATE TABLE "acme_gold"."dim_option" ("option_key" BIGINT NOT NULL, "entity_key" VARCHAR(65535), "value" VARCHAR(65535), "category" VARCHAR(65535), "valid_from" TIMESTAMP NOT NULL, "valid_to" TIMESTAMP NOT NULL, "is_current" BOOLEAN NOT NULL, "is_inferred" BOOLEAN NOT NULL, "loaded_at" TIMESTAMP, "batch_id" VARCHAR(65535), "source" VARCHAR(65535), PRIMARY KEY ("option_key")) DISTSTYLE KEY DISTKEY ("entity_key") COMPOUND SORTKEY ("entity_key", "valid_from");

CREATE TABLE "acme_gold"."dim_worker" ("worker_key" BIGINT NOT NULL, "entity_key" VARCHAR(65535), "name" VARCHAR(65535), "valid_from" TIMESTAMP NOT NULL, "valid_to" TIMESTAMP NOT NULL, "is_current" BOOLEAN NOT NULL, "is_inferred" BOOLEAN NOT NULL, "loaded_at" TIMESTAMP, "batch_id" VARCHAR(65535), "source" VARCHAR(65535), PRIMARY KEY ("worker_key")) DISTSTYLE KEY DISTKEY ("entity_key") COMPOUND SORTKEY ("entity_key", "valid_from");

CREATE TABLE "acme_gold"."fact_agreement_period" ("entity_key" VARCHAR(65535) NOT NULL, "agreement_id" BIGINT NOT NULL, "period_start" DATE NOT NULL, "period_end" DATE, "company_key" BIGINT NOT NULL, "month_key" BIGINT NOT NULL, "amount" DECIMAL(18,4), "loaded_at" TIMESTAMP, "batch_id" VARCHAR(65535), "source" VARCHAR(65535), PRIMARY KEY ("entity_key", "agreement_id", "period_start"), FOREIGN KEY ("company_key") REFERENCES "acme_gold"."dim_company" ("company_key"), FOREIGN KEY ("month_key") REFERENCES "acme_gold"."dim_date" ("date_key")) DISTSTYLE KEY DISTKEY ("entity_key") COMPOUND SORTKEY ("company_key");

CREATE TABLE "acme_gold"."fact_entry" ("entity_key" VARCHAR(65535) NOT NULL, "entry_id" BIGINT NOT NULL, "member_key" BIGINT NOT NULL, "worker_key" BIGINT NOT NULL, "approver_key" BIGINT NOT NULL, "company_key" BIGINT NOT NULL, "option_key" BIGINT NOT NULL, "work_date_key" BIGINT NOT NULL, "head_key" BIGINT NOT NULL, "started_at" TIMESTAMP, "option" VARCHAR(65535), "worked" DECIMAL(18,4), "revenue" DECIMAL(18,8), "cost" DECIMAL(18,8), "margin" DOUBLE PRECISION, "loaded_at" TIMESTAMP, "batch_id" VARCHAR(65535), "source" VARCHAR(65535), PRIMARY KEY ("entity_key", "entry_id"), FOREIGN KEY ("member_key") REFERENCES "acme_gold"."dim_member" ("member_key"), FOREIGN KEY ("worker_key") REFERENCES "acme_gold"."dim_worker" ("worker_key"), FOREIGN KEY ("approver_key") REFERENCES "acme_gold"."dim_member" ("member_key"), FOREIGN KEY ("company_key") REFERENCES "acme_gold"."dim_company" ("company_key"), FOREIGN KEY ("option_key") REFERENCES "acme_gold"."dim_option" ("option_key"), FOREIGN KEY ("work_date_key") REFERENCES "acme_gold"."dim_date" ("date_key"), FOREIGN KEY ("head_key") REFERENCES "acme_gold"."dim_company" ("company_key")) DISTSTYLE KEY DISTKEY ("entity_key") COMPOUND SORTKEY ("member_key");

CREATE TABLE "acme_gold"."fact_line" ("entity_key" VARCHAR(65535) NOT NULL, "kind" VARCHAR(65535), "line_id" BIGINT, "company_key" BIGINT NOT NULL, "day_key" BIGINT NOT NULL, "amount" DECIMAL(22,8), "loaded_at" TIMESTAMP, "batch_id" VARCHAR(65535), "source" VARCHAR(65535), FOREIGN KEY ("company_key") REFERENCES "acme_gold"."dim_company" ("company_key"), FOREIGN KEY ("day_key") REFERENCES "acme_gold"."dim_date" ("date_key")) DISTSTYLE KEY DISTKEY ("entity_key") COMPOUND SORTKEY ("company_key");

CREATE TEMPORARY TABLE "gold_asked" AS SELECT DISTINCT "_on_head" AS entity_key
FROM "gold_fresh"
WHERE "head_key" IS NULL;

CREATE TEMPORARY TABLE "gold_asked" AS SELECT DISTINCT "_on_member" AS entity_key
FROM "gold_fresh"
WHERE "member_key" IS NULL;

CREATE TEMPORARY TABLE "gold_asked" AS SELECT DISTINCT "_on_worker" AS entity_key
FROM "gold_fresh"
WHERE "worker_key" IS NULL;

CREATE TEMPORARY TABLE "gold_changed" AS SELECT entity_key
FROM (SELECT "option_key", "entity_key", "value", "category", "valid_from", "valid_to", "is_current", "is_inferred", "loaded_at", "batch_id", "source"
FROM "gold_fresh"
EXCEPT SELECT "option_key", "entity_key", "value", "category", "valid_from", "valid_to", "is_current", "is_inferred", "loaded_at", "batch_id", "source"
FROM "acme_gold"."dim_option"
WHERE entity_key IN (SELECT entity_key
FROM "gold_keys")) AS _fresh
UNION SELECT entity_key
FROM (SELECT "option_key", "entity_key", "value", "category", "valid_from", "valid_to", "is_current", "is_inferred", "loaded_at", "batch_id", "source"
FROM "acme_gold"."dim_option"
WHERE entity_key IN (SELECT entity_key
FROM "gold_keys")
EXCEPT SELECT "option_key", "entity_key", "value", "category", "valid_from", "valid_to", "is_current", "is_inferred", "loaded_at", "batch_id", "source"
FROM "gold_fresh") AS _gone;

CREATE TEMPORARY TABLE "gold_days" ("date_key" BIGINT, "date" DATE, "year" INTEGER, "quarter" INTEGER, "month" INTEGER, "month_name" VARCHAR(65535), "week" INTEGER, "day_of_month" INTEGER, "day_of_week" INTEGER, "day_name" VARCHAR(65535), "day_of_year" INTEGER, "is_weekend" BOOLEAN, "is_holiday" BOOLEAN, "holiday_name" VARCHAR(65535), "is_month_start" BOOLEAN, "is_month_end" BOOLEAN, "fiscal_year" INTEGER, "fiscal_quarter" INTEGER, "fiscal_month" INTEGER, "loaded_at" BIGINT, "batch_id" VARCHAR(65535), "source" VARCHAR(65535));

CREATE TEMPORARY TABLE "gold_days" AS SELECT *
FROM "gold_days__next";

CREATE TEMPORARY TABLE "gold_days__next" AS SELECT "date_key", "date", "year", "quarter", "month", "month_name", "week", "day_of_month", "day_of_week", "day_name", "day_of_year", "is_weekend", "is_holiday", "holiday_name", "is_month_start", "is_month_end", "fiscal_year", "fiscal_quarter", "fiscal_month", DATEADD(MICROSECOND, CAST(("loaded_at") % 1000000 AS INTEGER), DATEADD(SECOND, CAST(("loaded_at") / 1000000 % 86400 AS INTEGER), DATEADD(DAY, CAST(("loaded_at") / 86400000000 AS INTEGER), CAST('1970-01-01 00:00:00' AS TIMESTAMP)))) AS "loaded_at", "batch_id", "source"
FROM "gold_days";

CREATE TEMPORARY TABLE "gold_filled" AS SELECT _row."entity_key" AS "entity_key", _row."entry_id" AS "entry_id", COALESCE(_row."member_key", "member"."member_key") AS "member_key", COALESCE(_row."worker_key", "worker"."worker_key") AS "worker_key", _row."approver_key" AS "approver_key", _row."company_key" AS "company_key", _row."option_key" AS "option_key", _row."work_date_key" AS "work_date_key", COALESCE(_row."head_key", "head"."company_key") AS "head_key", _row."started_at" AS "started_at", _row."option" AS "option", _row."worked" AS "worked", _row."revenue" AS "revenue", _row."cost" AS "cost", _row."margin" AS "margin", _row."loaded_at" AS "loaded_at", _row."batch_id" AS "batch_id", _row."source" AS "source"
FROM "gold_fresh" AS _row
LEFT JOIN "acme_gold"."dim_member" AS "member" ON "member".entity_key = _row."_on_member" AND "member".is_inferred
LEFT JOIN "acme_gold"."dim_worker" AS "worker" ON "worker".entity_key = _row."_on_worker" AND "worker".is_inferred
LEFT JOIN "acme_gold"."dim_company" AS "head" ON "head".entity_key = _row."_on_head" AND "head".is_inferred;

CREATE TEMPORARY TABLE "gold_fresh" AS SELECT "option_key", "entity_key", "value", "category", "valid_from", "valid_to", "is_current", "is_inferred", "loaded_at", "batch_id", "source"
FROM (SELECT (STRTOL(SUBSTRING(MD5('first' || '|' || _row.entity_key)
FROM 1 FOR 15), 16) % 9007199254740992) AS "option_key", _row.entity_key, _row.entity_key AS "value", CASE WHEN _row.entity_key = 'Billable' THEN 'Billable' ELSE 'NonBillable' END AS "category", CAST('1970-01-01 00:00:00' AS TIMESTAMP) AS valid_from, CAST('9999-12-31 00:00:00' AS TIMESTAMP) AS valid_to, TRUE AS is_current, FALSE AS is_inferred, _row.read_at AS loaded_at, _row.batch_id, _row.source
FROM (SELECT entity_key, read_at, batch_id, source, ROW_NUMBER() OVER (PARTITION BY entity_key ORDER BY read_at, batch_id) AS _place
FROM (SELECT CAST(_row.value AS VARCHAR(MAX)) AS entity_key, _load.read_at, _row.batch_id, _load.source
FROM (SELECT "option" AS value, batch_id
FROM "acme_silver"."entry"
WHERE NOT "option" IS NULL
GROUP BY 1, 2) AS _row
LEFT JOIN "acme_meta"."batch" AS _load ON _load.batch_id = _row.batch_id) AS seen
WHERE entity_key IN (SELECT entity_key
FROM "gold_keys")) AS _row
WHERE _row._place = 1) AS _fresh;

CREATE TEMPORARY TABLE "gold_fresh" AS SELECT _row.entity_key, ('SERVICE') AS "kind", _row."entry_id" AS "line_id", (_row."hours" * _row."rate") AS "amount", CASE WHEN (SPLIT_PART(_row.entity_key, ':', 1) || ':' || CAST(_row."company_id" AS VARCHAR(MAX))) IS NULL THEN -1 ELSE "company"."company_key" END AS "company_key", (SPLIT_PART(_row.entity_key, ':', 1) || ':' || CAST(_row."company_id" AS VARCHAR(MAX))) AS "_on_company", CASE WHEN CAST((CAST(_row."started_at" AS DATE)) AS DATE) IS NULL THEN -1 WHEN NOT CAST((CAST(_row."started_at" AS DATE)) AS DATE) BETWEEN CAST('2024-01-01' AS DATE) AND CAST('2024-12-31' AS DATE) THEN -3 ELSE CAST(CAST(FLOOR(EXTRACT(YEAR
FROM CAST((CAST(_row."started_at" AS DATE)) AS DATE))) AS BIGINT) * 10000 + CAST(FLOOR(EXTRACT(MONTH
FROM CAST((CAST(_row."started_at" AS DATE)) AS DATE))) AS BIGINT) * 100 + CAST(FLOOR(EXTRACT(DAY
FROM CAST((CAST(_row."started_at" AS DATE)) AS DATE))) AS BIGINT) AS BIGINT) END AS "day_key", _load.read_at AS loaded_at, _row.batch_id, _load.source
FROM "acme_silver"."entry" AS _row
LEFT JOIN (SELECT "entity_key", "company_key", "company_id", "segment", "name", "first_segment", "number", "city", "phone", "is_current", "is_inferred", valid_from, valid_to, CASE WHEN ROW_NUMBER() OVER (PARTITION BY "entity_key" ORDER BY valid_from) = 1 THEN CAST('0001-01-01 00:00:00' AS TIMESTAMP) ELSE valid_from END AS covers_from, COALESCE(LEAD(valid_from) OVER (PARTITION BY "entity_key" ORDER BY valid_from), CAST('9999-12-31 00:00:00' AS TIMESTAMP)) AS covers_to
FROM (SELECT *
FROM "acme_gold"."dim_company"
WHERE NOT entity_key IS NULL) AS members) AS "company" ON "company".entity_key = (SPLIT_PART(_row.entity_key, ':', 1) || ':' || CAST(_row."company_id" AS VARCHAR(MAX))) AND ("company".covers_from <= LEAST(COALESCE(CAST((CAST(_row."started_at" AS DATE)) AS TIMESTAMP), CAST('9999-12-30 00:00:00' AS TIMESTAMP)), CAST('9999-12-30 00:00:00' AS TIMESTAMP)) AND "company".covers_to > LEAST(COALESCE(CAST((CAST(_row."started_at" AS DATE)) AS TIMESTAMP), CAST('9999-12-30 00:00:00' AS TIMESTAMP)), CAST('9999-12-30 00:00:00' AS TIMESTAMP)))
LEFT JOIN "acme_meta"."batch" AS _load ON _load.batch_id = _row.batch_id
WHERE _row.is_current AND ("company"."segment" IS NULL OR "company"."segment" <> 'internal')
UNION ALL SELECT _row.entity_key, ('PRODUCT') AS "kind", _row."product_id" AS "line_id", _row."amount" AS "amount", CASE WHEN (SPLIT_PART(_row.entity_key, ':', 1) || ':' || CAST(_row."company_id" AS VARCHAR(MAX))) IS NULL THEN -1 ELSE "company"."company_key" END AS "company_key", (SPLIT_PART(_row.entity_key, ':', 1) || ':' || CAST(_row."company_id" AS VARCHAR(MAX))) AS "_on_company", CASE WHEN CAST(_row."sold_on" AS DATE) IS NULL THEN -1 WHEN NOT CAST(_row."sold_on" AS DATE) BETWEEN CAST('2024-01-01' AS DATE) AND CAST('2024-12-31' AS DATE) THEN -3 ELSE CAST(CAST(FLOOR(EXTRACT(YEAR
FROM CAST(_row."sold_on" AS DATE))) AS BIGINT) * 10000 + CAST(FLOOR(EXTRACT(MONTH
FROM CAST(_row."sold_on" AS DATE))) AS BIGINT) * 100 + CAST(FLOOR(EXTRACT(DAY
FROM CAST(_row."sold_on" AS DATE))) AS BIGINT) AS BIGINT) END AS "day_key", _load.read_at AS loaded_at, _row.batch_id, _load.source
FROM "acme_silver"."product" AS _row
LEFT JOIN (SELECT "entity_key", "company_key", valid_from, valid_to, CASE WHEN ROW_NUMBER() OVER (PARTITION BY "entity_key" ORDER BY valid_from) = 1 THEN CAST('0001-01-01 00:00:00' AS TIMESTAMP) ELSE valid_from END AS covers_from, COALESCE(LEAD(valid_from) OVER (PARTITION BY "entity_key" ORDER BY valid_from), CAST('9999-12-31 00:00:00' AS TIMESTAMP)) AS covers_to
FROM (SELECT *
FROM "acme_gold"."dim_company"
WHERE NOT entity_key IS NULL) AS members) AS "company" ON "company".entity_key = (SPLIT_PART(_row.entity_key, ':', 1) || ':' || CAST(_row."company_id" AS VARCHAR(MAX))) AND ("company".covers_from <= LEAST(COALESCE(CAST(_row."sold_on" AS TIMESTAMP), CAST('9999-12-30 00:00:00' AS TIMESTAMP)), CAST('9999-12-30 00:00:00' AS TIMESTAMP)) AND "company".covers_to > LEAST(COALESCE(CAST(_row."sold_on" AS TIMESTAMP), CAST('9999-12-30 00:00:00' AS TIMESTAMP)), CAST('9999-12-30 00:00:00' AS TIMESTAMP)))
LEFT JOIN "acme_meta"."batch" AS _load ON _load.batch_id = _row.batch_id
WHERE _row.is_current;

CREATE TEMPORARY TABLE "gold_fresh" AS SELECT _row.entity_key, _row."agreement_id" AS "agreement_id", _month."period_start" AS "period_start", _month."period_end" AS "period_end", _row."amount" AS "amount", CASE WHEN (SPLIT_PART(_row.entity_key, ':', 1) || ':' || CAST(_row."company_id" AS VARCHAR(MAX))) IS NULL THEN -1 ELSE "company"."company_key" END AS "company_key", (SPLIT_PART(_row.entity_key, ':', 1) || ':' || CAST(_row."company_id" AS VARCHAR(MAX))) AS "_on_company", CASE WHEN CAST(_month."period_start" AS DATE) IS NULL THEN -1 WHEN NOT CAST(_month."period_start" AS DATE) BETWEEN CAST('2024-01-01' AS DATE) AND CAST('2024-12-31' AS DATE) THEN -3 ELSE CAST(CAST(FLOOR(EXTRACT(YEAR
FROM CAST(_month."period_start" AS DATE))) AS BIGINT) * 10000 + CAST(FLOOR(EXTRACT(MONTH
FROM CAST(_month."period_start" AS DATE))) AS BIGINT) * 100 + CAST(FLOOR(EXTRACT(DAY
FROM CAST(_month."period_start" AS DATE))) AS BIGINT) AS BIGINT) END AS "month_key", _load.read_at AS loaded_at, _row.batch_id, _load.source
FROM "acme_silver"."agreement" AS _row
JOIN "gold_months" AS _month ON _month.period_end >= CAST(_row."starts_on" AS DATE) AND (CAST(_row."ends_on" AS DATE) IS NULL OR _month.period_start <= CAST(_row."ends_on" AS DATE))
LEFT JOIN (SELECT *
FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY entity_key ORDER BY valid_from DESC NULLS LAST) AS _place
FROM (SELECT *
FROM "acme_gold"."dim_company"
WHERE NOT entity_key IS NULL) AS members) AS placed
WHERE _place = 1) AS "company" ON "company".entity_key = (SPLIT_PART(_row.entity_key, ':', 1) || ':' || CAST(_row."company_id" AS VARCHAR(MAX)))
LEFT JOIN "acme_meta"."batch" AS _load ON _load.batch_id = _row.batch_id
WHERE _row.is_current;

CREATE TEMPORARY TABLE "gold_fresh" AS SELECT _row.entity_key, _row."entry_id" AS "entry_id", _row."started_at" AS "started_at", _row."option" AS "option", _row."hours" AS "worked", _row."hours" * _row."rate" AS "revenue", _row."hours" * COALESCE("member"."cost", 0) AS "cost", CAST((_row."hours" * _row."rate") - (_row."hours" * COALESCE("member"."cost", 0)) AS DOUBLE PRECISION) AS "margin", CASE WHEN (SPLIT_PART(_row.entity_key, ':', 1) || ':' || CAST(_row."member_id" AS VARCHAR(MAX))) IS NULL THEN -1 ELSE "member"."member_key" END AS "member_key", (SPLIT_PART(_row.entity_key, ':', 1) || ':' || CAST(_row."member_id" AS VARCHAR(MAX))) AS "_on_member", CASE WHEN (SPLIT_PART(_row.entity_key, ':', 1) || ':' || CAST(_row."member_id" AS VARCHAR(MAX))) IS NULL THEN -1 ELSE "worker"."worker_key" END AS "worker_key", (SPLIT_PART(_row.entity_key, ':', 1) || ':' || CAST(_row."member_id" AS VARCHAR(MAX))) AS "_on_worker", CASE WHEN (SPLIT_PART(_row.entity_key, ':', 1) || ':' || CAST(_row."approver_id" AS VARCHAR(MAX))) IS NULL THEN CASE WHEN (_row."option" = 'NoCharge') THEN -2 ELSE -1 END ELSE "approver"."member_key" END AS "approver_key", (SPLIT_PART(_row.entity_key, ':', 1) || ':' || CAST(_row."approver_id" AS VARCHAR(MAX))) AS "_on_approver", CASE WHEN (SPLIT_PART(_row.entity_key, ':', 1) || ':' || CAST(_row."company_id" AS VARCHAR(MAX))) IS NULL THEN -1 ELSE "company"."company_key" END AS "company_key", (SPLIT_PART(_row.entity_key, ':', 1) || ':' || CAST(_row."company_id" AS VARCHAR(MAX))) AS "_on_company", CASE WHEN CAST(_row."option" AS VARCHAR(MAX)) IS NULL THEN -1 ELSE "option"."option_key" END AS "option_key", CAST(_row."option" AS VARCHAR(MAX)) AS "_on_option", CASE WHEN CAST(_row."started_at" AS DATE) IS NULL THEN -1 WHEN NOT CAST(_row."started_at" AS DATE) BETWEEN CAST('2024-01-01' AS DATE) AND CAST('2024-12-31' AS DATE) THEN -3 ELSE CAST(CAST(FLOOR(EXTRACT(YEAR
FROM CAST(_row."started_at" AS DATE))) AS BIGINT) * 10000 + CAST(FLOOR(EXTRACT(MONTH
FROM CAST(_row."started_at" AS DATE))) AS BIGINT) * 100 + CAST(FLOOR(EXTRACT(DAY
FROM CAST(_row."started_at" AS DATE))) AS BIGINT) AS BIGINT) END AS "work_date_key", CASE WHEN (SPLIT_PART(_row.entity_key, ':', 1) || ':' || CAST("company"."number" AS VARCHAR(MAX))) IS NULL THEN -1 ELSE "head"."company_key" END AS "head_key", (SPLIT_PART(_row.entity_key, ':', 1) || ':' || CAST("company"."number" AS VARCHAR(MAX))) AS "_on_head", _load.read_at AS loaded_at, _row.batch_id, _load.source
FROM "acme_silver"."entry" AS _row
LEFT JOIN (SELECT "entity_key", "member_key", "name", "cost", "is_current", "is_inferred", valid_from, valid_to, CASE WHEN ROW_NUMBER() OVER (PARTITION BY "entity_key" ORDER BY valid_from) = 1 THEN CAST('0001-01-01 00:00:00' AS TIMESTAMP) ELSE valid_from END AS covers_from, COALESCE(LEAD(valid_from) OVER (PARTITION BY "entity_key" ORDER BY valid_from), CAST('9999-12-31 00:00:00' AS TIMESTAMP)) AS covers_to
FROM (SELECT *
FROM "acme_gold"."dim_member"
WHERE NOT entity_key IS NULL) AS members) AS "member" ON "member".entity_key = (SPLIT_PART(_row.entity_key, ':', 1) || ':' || CAST(_row."member_id" AS VARCHAR(MAX))) AND ("member".covers_from <= LEAST(COALESCE(CAST(_row."started_at" AS TIMESTAMP), CAST('9999-12-30 00:00:00' AS TIMESTAMP)), CAST('9999-12-30 00:00:00' AS TIMESTAMP)) AND "member".covers_to > LEAST(COALESCE(CAST(_row."started_at" AS TIMESTAMP), CAST('9999-12-30 00:00:00' AS TIMESTAMP)), CAST('9999-12-30 00:00:00' AS TIMESTAMP)))
LEFT JOIN (SELECT *
FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY entity_key ORDER BY valid_from DESC NULLS LAST) AS _place
FROM (SELECT *
FROM "acme_gold"."dim_worker"
WHERE NOT entity_key IS NULL) AS members) AS placed
WHERE _place = 1) AS "worker" ON "worker".entity_key = (SPLIT_PART(_row.entity_key, ':', 1) || ':' || CAST(_row."member_id" AS VARCHAR(MAX)))
LEFT JOIN (SELECT *
FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY entity_key ORDER BY valid_from DESC NULLS LAST) AS _place
FROM (SELECT *
FROM "acme_gold"."dim_member"
WHERE NOT entity_key IS NULL) AS members) AS placed
WHERE _place = 1) AS "approver" ON "approver".entity_key = (SPLIT_PART(_row.entity_key, ':', 1) || ':' || CAST(_row."approver_id" AS VARCHAR(MAX)))
LEFT JOIN (SELECT *
FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY entity_key ORDER BY valid_from DESC NULLS LAST) AS _place
FROM (SELECT *
FROM "acme_gold"."dim_company"
WHERE NOT entity_key IS NULL) AS members) AS placed
WHERE _place = 1) AS "company" ON "company".entity_key = (SPLIT_PART(_row.entity_key, ':', 1) || ':' || CAST(_row."company_id" AS VARCHAR(MAX)))
LEFT JOIN "acme_gold"."dim_option" AS "option" ON "option".entity_key = CAST(_row."option" AS VARCHAR(MAX))
LEFT JOIN (SELECT *
FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY entity_key ORDER BY valid_from DESC NULLS LAST) AS _place
FROM (SELECT *
FROM "acme_gold"."dim_company"
WHERE NOT entity_key IS NULL) AS members) AS placed
WHERE _place = 1) AS "head" ON "head".entity_key = (SPLIT_PART(_row.entity_key, ':', 1) || ':' || CAST("company"."number" AS VARCHAR(MAX)))
LEFT JOIN "acme_meta"."batch" AS _load ON _load.batch_id = _row.batch_id
WHERE _row.is_current;

CREATE TEMPORARY TABLE "gold_fresh" AS WITH versions AS (SELECT _row.*
FROM "acme_silver"."member" AS _row), valued AS (SELECT _row.entity_key, _row.valid_from, _row.valid_to, _row.batch_id AS _batch, _row."name" AS "name"
FROM versions AS _row), settled AS (SELECT entity_key, valid_from, valid_to, _batch, "name"
FROM valued), members AS (WITH looked AS (SELECT "entity_key", "name", "_batch", valid_from, valid_to, LAG("name") OVER (PARTITION BY "entity_key" ORDER BY valid_from) AS "_was_name", LAG(valid_to) OVER (PARTITION BY "entity_key" ORDER BY valid_from) AS _was_valid_to
FROM settled), ranked AS (SELECT "entity_key", "name", "_batch", valid_from, valid_to, CASE WHEN _was_valid_to IS NULL OR _was_valid_to < valid_from OR ((CASE WHEN "name" = "_was_name" AND FNV_HASH("name") = FNV_HASH("_was_name") THEN 0 WHEN "name" IS NULL AND "_was_name" IS NULL THEN 0 ELSE 1 END = 1)) THEN 1 ELSE 0 END AS _opens, _was_valid_to
FROM looked), ends AS (SELECT "entity_key", "name", "_batch", valid_from, LEAD(_was_valid_to) OVER (PARTITION BY "entity_key" ORDER BY valid_from) AS _next_was_valid_to
FROM ranked
WHERE _opens = 1), lasts AS (SELECT "entity_key" AS _last_key, MAX(valid_to) AS _last_valid_to
FROM ranked
GROUP BY "entity_key") SELECT "entity_key", "name", "_batch", valid_from, COALESCE(_next_was_valid_to, _last_valid_to) AS valid_to
FROM ends
JOIN lasts ON lasts._last_key = ends."entity_key") SELECT (STRTOL(SUBSTRING(MD5(CASE WHEN _row._place = 1 THEN 'first' ELSE CAST(DATEDIFF(MICROSECOND, CAST('1970-01-01 00:00:00' AS TIMESTAMP), _row.valid_from) AS VARCHAR(MAX)) END || '|' || _row.entity_key)
FROM 1 FOR 15), 16) % 9007199254740992) AS "worker_key", _row.entity_key, _row."name", _row.valid_from, _row.valid_to, _row.valid_to = CAST('9999-12-31 00:00:00' AS TIMESTAMP) AS is_current, FALSE AS is_inferred, _load.read_at AS loaded_at, _row._batch AS batch_id, _load.source
FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY entity_key ORDER BY valid_from) AS _place
FROM members) AS _row
LEFT JOIN "acme_meta"."batch" AS _load ON _load.batch_id = _row._batch;

CREATE TEMPORARY TABLE "gold_inferred" AS SELECT CAST((SELECT GREATEST(COALESCE(MAX(given.number), 0), 0)
FROM (SELECT "worker_key" AS number
FROM "acme_gold"."dim_worker"
UNION ALL SELECT change_id
FROM (SELECT change_id
FROM "acme_meta"."consumer_offset"
WHERE consumer = 'dim_worker' AND entity = '@last') AS noted) AS given) + ROW_NUMBER() OVER (ORDER BY _met.entity_key) AS BIGINT) AS "worker_key", _met.entity_key AS "entity_key", CAST(NULL AS VARCHAR(MAX)) AS "name", CAST('1970-01-01 00:00:00' AS TIMESTAMP) AS "valid_from", CAST('9999-12-31 00:00:00' AS TIMESTAMP) AS "valid_to", TRUE AS "is_current", TRUE AS "is_inferred", CAST('1970-01-01 00:00:00' AS TIMESTAMP) AS "loaded_at", CAST('inferred' AS VARCHAR(65535)) AS "batch_id", CAST('headwater' AS VARCHAR(65535)) AS "source"
FROM "gold_met" AS _met;

CREATE TEMPORARY TABLE "gold_inferred" AS SELECT CAST((STRTOL(SUBSTRING(MD5('first' || '|' || _met.entity_key)
FROM 1 FOR 15), 16) % 9007199254740992) AS BIGINT) AS "company_key", _met.entity_key AS "entity_key", CAST(NULL AS BIGINT) AS "company_id", CAST(NULL AS VARCHAR(MAX)) AS "segment", CAST(NULL AS VARCHAR(MAX)) AS "name", CAST(NULL AS VARCHAR(MAX)) AS "first_segment", CAST(NULL AS VARCHAR(MAX)) AS "number", CAST(NULL AS VARCHAR(MAX)) AS "city", CAST(NULL AS VARCHAR(MAX)) AS "phone", CAST('1970-01-01 00:00:00' AS TIMESTAMP) AS "valid_from", CAST('9999-12-31 00:00:00' AS TIMESTAMP) AS "valid_to", TRUE AS "is_current", TRUE AS "is_inferred", CAST('1970-01-01 00:00:00' AS TIMESTAMP) AS "loaded_at", CAST('inferred' AS VARCHAR(65535)) AS "batch_id", CAST('headwater' AS VARCHAR(65535)) AS "source"
FROM "gold_met" AS _met;

CREATE TEMPORARY TABLE "gold_inferred" AS SELECT CAST((STRTOL(SUBSTRING(MD5('first' || '|' || _met.entity_key)
FROM 1 FOR 15), 16) % 9007199254740992) AS BIGINT) AS "member_key", _met.entity_key AS "entity_key", CAST(NULL AS VARCHAR(MAX)) AS "name", CAST(NULL AS DECIMAL(18, 4)) AS "cost", CAST('1970-01-01 00:00:00' AS TIMESTAMP) AS "valid_from", CAST('9999-12-31 00:00:00' AS TIMESTAMP) AS "valid_to", TRUE AS "is_current", TRUE AS "is_inferred", CAST('1970-01-01 00:00:00' AS TIMESTAMP) AS "loaded_at", CAST('inferred' AS VARCHAR(65535)) AS "batch_id", CAST('headwater' AS VARCHAR(65535)) AS "source"
FROM "gold_met" AS _met;

CREATE TEMPORARY TABLE "gold_keys" AS SELECT "date_key"
FROM "gold_days"
UNION SELECT "date_key"
FROM "acme_gold"."dim_date"
WHERE "date_key" > 0;

CREATE TEMPORARY TABLE "gold_keys" AS SELECT CAST("option" AS VARCHAR(MAX)) AS entity_key
FROM "acme_silver"."entry"
WHERE NOT "option" IS NULL
UNION SELECT entity_key
FROM "acme_gold"."dim_option"
WHERE NOT entity_key IS NULL;

CREATE TEMPORARY TABLE "gold_met" AS SELECT entity_key
FROM "gold_asked"
WHERE NOT entity_key IN (SELECT s.entity_key
FROM "acme_gold"."dim_company" AS s
WHERE s.entity_key IN (SELECT entity_key
FROM "gold_asked"));

CREATE TEMPORARY TABLE "gold_met" AS SELECT entity_key
FROM "gold_asked"
WHERE NOT entity_key IN (SELECT s.entity_key
FROM "acme_gold"."dim_member" AS s
WHERE s.entity_key IN (SELECT entity_key
FROM "gold_asked"));

CREATE TEMPORARY TABLE "gold_met" AS SELECT entity_key
FROM "gold_asked"
WHERE NOT entity_key IN (SELECT s.entity_key
FROM "acme_gold"."dim_worker" AS s
WHERE s.entity_key IN (SELECT entity_key
FROM "gold_asked"));

CREATE TEMPORARY TABLE "gold_months" AS SELECT *
FROM (SELECT CAST('2024-01-01' AS DATE) AS period_start, CAST('2024-01-31' AS DATE) AS period_end) AS months;

CREATE TEMPORARY TABLE "gold_narrow" AS SELECT "option_key", "entity_key", "value", "category", "valid_from", "valid_to", "is_current", "is_inferred", "loaded_at", "batch_id", "source"
FROM "gold_fresh"
WHERE entity_key IN (SELECT entity_key
FROM "gold_changed");

CREATE TEMPORARY TABLE "gold_reserved" AS SELECT CAST(-1 AS BIGINT) AS "company_key", CAST(NULL AS VARCHAR(MAX)) AS "entity_key", CAST(NULL AS BIGINT) AS "company_id", CAST('Unknown' AS VARCHAR(65535)) AS "segment", CAST('Unknown' AS VARCHAR(65535)) AS "name", CAST('Unknown' AS VARCHAR(65535)) AS "first_segment", CAST('Unknown' AS VARCHAR(65535)) AS "number", CAST('Unknown' AS VARCHAR(65535)) AS "city", CAST('Unknown' AS VARCHAR(65535)) AS "phone", CAST('1970-01-01 00:00:00' AS TIMESTAMP) AS "valid_from", CAST('9999-12-31 00:00:00' AS TIMESTAMP) AS "valid_to", TRUE AS "is_current", FALSE AS "is_inferred", CAST('1970-01-01 00:00:00' AS TIMESTAMP) AS "loaded_at", CAST('reserved' AS VARCHAR(65535)) AS "batch_id", CAST('headwater' AS VARCHAR(65535)) AS "source"
UNION ALL SELECT CAST(-2 AS BIGINT) AS "company_key", CAST(NULL AS VARCHAR(MAX)) AS "entity_key", CAST(NULL AS BIGINT) AS "company_id", CAST('Not applicable' AS VARCHAR(65535)) AS "segment", CAST('Not applicable' AS VARCHAR(65535)) AS "name", CAST('Not applicable' AS VARCHAR(65535)) AS "first_segment", CAST('Not applicable' AS VARCHAR(65535)) AS "number", CAST('Not applicable' AS VARCHAR(65535)) AS "city", CAST('Not applicable' AS VARCHAR(65535)) AS "phone", CAST('1970-01-01 00:00:00' AS TIMESTAMP) AS "valid_from", CAST('9999-12-31 00:00:00' AS TIMESTAMP) AS "valid_to", TRUE AS "is_current", FALSE AS "is_inferred", CAST('1970-01-01 00:00:00' AS TIMESTAMP) AS "loaded_at", CAST('reserved' AS VARCHAR(65535)) AS "batch_id", CAST('headwater' AS VARCHAR(65535)) AS "source"
UNION ALL SELECT CAST(-3 AS BIGINT) AS "company_key", CAST(NULL AS VARCHAR(MAX)) AS "entity_key", CAST(NULL AS BIGINT) AS "company_id", CAST('Error' AS VARCHAR(65535)) AS "segment", CAST('Error' AS VARCHAR(65535)) AS "name", CAST('Error' AS VARCHAR(65535)) AS "first_segment", CAST('Error' AS VARCHAR(65535)) AS "number", CAST('Error' AS VARCHAR(65535)) AS "city", CAST('Error' AS VARCHAR(65535)) AS "phone", CAST('1970-01-01 00:00:00' AS TIMESTAMP) AS "valid_from", CAST('9999-12-31 00:00:00' AS TIMESTAMP) AS "valid_to", TRUE AS "is_current", FALSE AS "is_inferred", CAST('1970-01-01 00:00:00' AS TIMESTAMP) AS "loaded_at", CAST('reserved' AS VARCHAR(65535)) AS "batch_id", CAST('headwater' AS VARCHAR(65535)) AS "source";

CREATE TEMPORARY TABLE "gold_reserved" AS SELECT CAST(-1 AS BIGINT) AS "date_key", CAST(NULL AS DATE) AS "date", CAST(NULL AS INTEGER) AS "year", CAST(NULL AS INTEGER) AS "quarter", CAST(NULL AS INTEGER) AS "month", CAST('Unknown' AS VARCHAR(65535)) AS "month_name", CAST(NULL AS INTEGER) AS "week", CAST(NULL AS INTEGER) AS "day_of_month", CAST(NULL AS INTEGER) AS "day_of_week", CAST('Unknown' AS VARCHAR(65535)) AS "day_name", CAST(NULL AS INTEGER) AS "day_of_year", CAST(NULL AS BOOLEAN) AS "is_weekend", CAST(NULL AS BOOLEAN) AS "is_holiday", CAST('Unknown' AS VARCHAR(65535)) AS "holiday_name", CAST(NULL AS BOOLEAN) AS "is_month_start", CAST(NULL AS BOOLEAN) AS "is_month_end", CAST(NULL AS INTEGER) AS "fiscal_year", CAST(NULL AS INTEGER) AS "fiscal_quarter", CAST(NULL AS INTEGER) AS "fiscal_month", CAST('1970-01-01 00:00:00' AS TIMESTAMP) AS "loaded_at", CAST('reserved' AS VARCHAR(65535)) AS "batch_id", CAST('headwater' AS VARCHAR(65535)) AS "source"
UNION ALL SELECT CAST(-2 AS BIGINT) AS "date_key", CAST(NULL AS DATE) AS "date", CAST(NULL AS INTEGER) AS "year", CAST(NULL AS INTEGER) AS "quarter", CAST(NULL AS INTEGER) AS "month", CAST('Not applicable' AS VARCHAR(65535)) AS "month_name", CAST(NULL AS INTEGER) AS "week", CAST(NULL AS INTEGER) AS "day_of_month", CAST(NULL AS INTEGER) AS "day_of_week", CAST('Not applicable' AS VARCHAR(65535)) AS "day_name", CAST(NULL AS INTEGER) AS "day_of_year", CAST(NULL AS BOOLEAN) AS "is_weekend", CAST(NULL AS BOOLEAN) AS "is_holiday", CAST('Not applicable' AS VARCHAR(65535)) AS "holiday_name", CAST(NULL AS BOOLEAN) AS "is_month_start", CAST(NULL AS BOOLEAN) AS "is_month_end", CAST(NULL AS INTEGER) AS "fiscal_year", CAST(NULL AS INTEGER) AS "fiscal_quarter", CAST(NULL AS INTEGER) AS "fiscal_month", CAST('1970-01-01 00:00:00' AS TIMESTAMP) AS "loaded_at", CAST('reserved' AS VARCHAR(65535)) AS "batch_id", CAST('headwater' AS VARCHAR(65535)) AS "source"
UNION ALL SELECT CAST(-3 AS BIGINT) AS "date_key", CAST(NULL AS DATE) AS "date", CAST(NULL AS INTEGER) AS "year", CAST(NULL AS INTEGER) AS "quarter", CAST(NULL AS INTEGER) AS "month", CAST('Error' AS VARCHAR(65535)) AS "month_name", CAST(NULL AS INTEGER) AS "week", CAST(NULL AS INTEGER) AS "day_of_month", CAST(NULL AS INTEGER) AS "day_of_week", CAST('Error' AS VARCHAR(65535)) AS "day_name", CAST(NULL AS INTEGER) AS "day_of_year", CAST(NULL AS BOOLEAN) AS "is_weekend", CAST(NULL AS BOOLEAN) AS "is_holiday", CAST('Error' AS VARCHAR(65535)) AS "holiday_name", CAST(NULL AS BOOLEAN) AS "is_month_start", CAST(NULL AS BOOLEAN) AS "is_month_end", CAST(NULL AS INTEGER) AS "fiscal_year", CAST(NULL AS INTEGER) AS "fiscal_quarter", CAST(NULL AS INTEGER) AS "fiscal_month", CAST('1970-01-01 00:00:00' AS TIMESTAMP) AS "loaded_at", CAST('reserved' AS VARCHAR(65535)) AS "batch_id", CAST('headwater' AS VARCHAR(65535)) AS "source";

CREATE TEMPORARY TABLE "gold_reserved" AS SELECT CAST(-1 AS BIGINT) AS "member_key", CAST(NULL AS VARCHAR(MAX)) AS "entity_key", CAST('Unknown' AS VARCHAR(65535)) AS "name", CAST(NULL AS DECIMAL(18, 4)) AS "cost", CAST('1970-01-01 00:00:00' AS TIMESTAMP) AS "valid_from", CAST('9999-12-31 00:00:00' AS TIMESTAMP) AS "valid_to", TRUE AS "is_current", FALSE AS "is_inferred", CAST('1970-01-01 00:00:00' AS TIMESTAMP) AS "loaded_at", CAST('reserved' AS VARCHAR(65535)) AS "batch_id", CAST('headwater' AS VARCHAR(65535)) AS "source"
UNION ALL SELECT CAST(-2 AS BIGINT) AS "member_key", CAST(NULL AS VARCHAR(MAX)) AS "entity_key", CAST('Not applicable' AS VARCHAR(65535)) AS "name", CAST(NULL AS DECIMAL(18, 4)) AS "cost", CAST('1970-01-01 00:00:00' AS TIMESTAMP) AS "valid_from", CAST('9999-12-31 00:00:00' AS TIMESTAMP) AS "valid_to", TRUE AS "is_current", FALSE AS "is_inferred", CAST('1970-01-01 00:00:00' AS TIMESTAMP) AS "loaded_at", CAST('reserved' AS VARCHAR(65535)) AS "batch_id", CAST('headwater' AS VARCHAR(65535)) AS "source"
UNION ALL SELECT CAST(-3 AS BIGINT) AS "member_key", CAST(NULL AS VARCHAR(MAX)) AS "entity_key", CAST('Error' AS VARCHAR(65535)) AS "name", CAST(NULL AS DECIMAL(18, 4)) AS "cost", CAST('1970-01-01 00:00:00' AS TIMESTAMP) AS "valid_from", CAST('9999-12-31 00:00:00' AS TIMESTAMP) AS "valid_to", TRUE AS "is_current", FALSE AS "is_inferred", CAST('1970-01-01 00:00:00' AS TIMESTAMP) AS "loaded_at", CAST('reserved' AS VARCHAR(65535)) AS "batch_id", CAST('headwater' AS VARCHAR(65535)) AS "source";

CREATE TEMPORARY TABLE "gold_reserved" AS SELECT CAST(-1 AS BIGINT) AS "option_key", CAST(NULL AS VARCHAR(MAX)) AS "entity_key", CAST('Unknown' AS VARCHAR(65535)) AS "value", CAST('Unknown' AS VARCHAR(65535)) AS "category", CAST('1970-01-01 00:00:00' AS TIMESTAMP) AS "valid_from", CAST('9999-12-31 00:00:00' AS TIMESTAMP) AS "valid_to", TRUE AS "is_current", FALSE AS "is_inferred", CAST('1970-01-01 00:00:00' AS TIMESTAMP) AS "loaded_at", CAST('reserved' AS VARCHAR(65535)) AS "batch_id", CAST('headwater' AS VARCHAR(65535)) AS "source"
UNION ALL SELECT CAST(-2 AS BIGINT) AS "option_key", CAST(NULL AS VARCHAR(MAX)) AS "entity_key", CAST('Not applicable' AS VARCHAR(65535)) AS "value", CAST('Not applicable' AS VARCHAR(65535)) AS "category", CAST('1970-01-01 00:00:00' AS TIMESTAMP) AS "valid_from", CAST('9999-12-31 00:00:00' AS TIMESTAMP) AS "valid_to", TRUE AS "is_current", FALSE AS "is_inferred", CAST('1970-01-01 00:00:00' AS TIMESTAMP) AS "loaded_at", CAST('reserved' AS VARCHAR(65535)) AS "batch_id", CAST('headwater' AS VARCHAR(65535)) AS "source"
UNION ALL SELECT CAST(-3 AS BIGINT) AS "option_key", CAST(NULL AS VARCHAR(MAX)) AS "entity_key", CAST('Error' AS VARCHAR(65535)) AS "value", CAST('Error' AS VARCHAR(65535)) AS "category", CAST('1970-01-01 00:00:00' AS TIMESTAMP) AS "valid_from", CAST('9999-12-31 00:00:00' AS TIMESTAMP) AS "valid_to", TRUE AS "is_current", FALSE AS "is_inferred", CAST('1970-01-01 00:00:00' AS TIMESTAMP) AS "loaded_at", CAST('reserved' AS VARCHAR(65535)) AS "batch_id", CAST('headwater' AS VARCHAR(65535)) AS "source";

CREATE TEMPORARY TABLE "gold_reserved" AS SELECT CAST(-1 AS BIGINT) AS "worker_key", CAST(NULL AS VARCHAR(MAX)) AS "entity_key", CAST('Unknown' AS VARCHAR(65535)) AS "name", CAST('1970-01-01 00:00:00' AS TIMESTAMP) AS "valid_from", CAST('9999-12-31 00:00:00' AS TIMESTAMP) AS "valid_to", TRUE AS "is_current", FALSE AS "is_inferred", CAST('1970-01-01 00:00:00' AS TIMESTAMP) AS "loaded_at", CAST('reserved' AS VARCHAR(65535)) AS "batch_id", CAST('headwater' AS VARCHAR(65535)) AS "source"
UNION ALL SELECT CAST(-2 AS BIGINT) AS "worker_key", CAST(NULL AS VARCHAR(MAX)) AS "entity_key", CAST('Not applicable' AS VARCHAR(65535)) AS "name", CAST('1970-01-01 00:00:00' AS TIMESTAMP) AS "valid_from", CAST('9999-12-31 00:00:00' AS TIMESTAMP) AS "valid_to", TRUE AS "is_current", FALSE AS "is_inferred", CAST('1970-01-01 00:00:00' AS TIMESTAMP) AS "loaded_at", CAST('reserved' AS VARCHAR(65535)) AS "batch_id", CAST('headwater' AS VARCHAR(65535)) AS "source"
UNION ALL SELECT CAST(-3 AS BIGINT) AS "worker_key", CAST(NULL AS VARCHAR(MAX)) AS "entity_key", CAST('Error' AS VARCHAR(65535)) AS "name", CAST('1970-01-01 00:00:00' AS TIMESTAMP) AS "valid_from", CAST('9999-12-31 00:00:00' AS TIMESTAMP) AS "valid_to", TRUE AS "is_current", FALSE AS "is_inferred", CAST('1970-01-01 00:00:00' AS TIMESTAMP) AS "loaded_at", CAST('reserved' AS VARCHAR(65535)) AS "batch_id", CAST('headwater' AS VARCHAR(65535)) AS "source";

CREATE TEMPORARY TABLE "recursion__found_1" AS SELECT *
FROM "recursion__found_1__next";

CREATE TEMPORARY TABLE "recursion__found_1" AS WITH line_number AS (SELECT entity_key, parent, value, is_current
FROM (SELECT _row.entity_key, SPLIT_PART(_row.entity_key, ':', 1) || ':' || CAST(_row."parent_id" AS VARCHAR(MAX)) AS parent, _row."number" AS value, _row.is_current, ROW_NUMBER() OVER (PARTITION BY _row.entity_key ORDER BY _row.valid_from DESC NULLS LAST) AS place
FROM "acme_silver"."company" AS _row) AS placed
WHERE place = 1) SELECT DISTINCT *
FROM (SELECT entity_key, parent, value
FROM line_number
WHERE value IS NULL AND NOT parent IS NULL) AS first_round;

CREATE TEMPORARY TABLE "recursion__found_1__next" AS SELECT *
FROM "recursion__found_1" AS known
UNION ALL SELECT *
FROM "recursion__next_1" AS news;

CREATE TEMPORARY TABLE "recursion__found_8" AS SELECT *
FROM "recursion__found_8__next";

CREATE TEMPORARY TABLE "recursion__found_8" AS WITH versions AS (SELECT _row.*
FROM "acme_silver"."company" AS _row), cuts AS (SELECT entity_key, valid_from AS _cut
FROM versions
UNION SELECT _row.entity_key, _other.valid_from
FROM versions AS _row
JOIN "acme_silver"."address" AS _other ON SPLIT_PART(_other.entity_key, ':', 1) = SPLIT_PART(_row.entity_key, ':', 1) AND _other."company_id" = _row."company_id" AND _other.valid_from > _row.valid_from AND _other.valid_from < _row.valid_to
UNION SELECT _row.entity_key, _other.valid_to
FROM versions AS _row
JOIN "acme_silver"."address" AS _other ON SPLIT_PART(_other.entity_key, ':', 1) = SPLIT_PART(_row.entity_key, ':', 1) AND _other."company_id" = _row."company_id" AND _other.valid_to > _row.valid_from AND _other.valid_to < _row.valid_to), segments AS (SELECT _row.*, cuts._cut AS _seg_from, COALESCE(LEAD(cuts._cut) OVER (PARTITION BY _row.entity_key, _row.valid_from ORDER BY cuts._cut), _row.valid_to) AS _seg_to
FROM versions AS _row
JOIN cuts ON cuts.entity_key = _row.entity_key AND cuts._cut >= _row.valid_from AND cuts._cut < _row.valid_to), joined_0 AS (SELECT *
FROM (SELECT _row.entity_key AS _owner, _row._seg_from AS _owner_from, _other.*, ROW_NUMBER() OVER (PARTITION BY _row.entity_key, _row._seg_from ORDER BY _other.valid_from DESC NULLS LAST, _other.entity_key DESC NULLS LAST) AS _place
FROM segments AS _row
JOIN "acme_silver"."address" AS _other ON SPLIT_PART(_other.entity_key, ':', 1) = SPLIT_PART(_row.entity_key, ':', 1) AND _other."company_id" = _row."company_id" AND _other.valid_from <= _row._seg_from AND _other.valid_to > _row._seg_from) AS placed
WHERE _place = 1), valued AS (SELECT _row.entity_key, _row._seg_from AS valid_from, _row._seg_to AS valid_to, _row.batch_id AS _batch, _row."company_id" AS "company_id", _row."segment" AS "segment", _row."name" AS "name", _row."segment" AS "first_segment", _row."number" AS "number", _join_0."city" AS "city", _join_0."phone" AS "phone"
FROM segments AS _row
LEFT JOIN joined_0 AS _join_0 ON _join_0._owner = _row.entity_key AND _join_0._owner_from = _row._seg_from), settled AS (SELECT entity_key, valid_from, valid_to, _batch, LAST_VALUE("company_id") OVER (PARTITION BY entity_key ORDER BY valid_from ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS "company_id", "segment", LAST_VALUE("name") OVER (PARTITION BY entity_key ORDER BY valid_from ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS "name", FIRST_VALUE("first_segment") OVER (PARTITION BY entity_key ORDER BY valid_from ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS "first_segment", LAST_VALUE("number") OVER (PARTITION BY entity_key ORDER BY valid_from ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS "number", "city", LAST_VALUE("phone") OVER (PARTITION BY entity_key ORDER BY valid_from ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS "phone"
FROM valued), members AS (WITH looked AS (SELECT "entity_key", "segment", "city", "first_segment", "company_id", "name", "number", "phone", "_batch", valid_from, valid_to, LAG("segment") OVER (PARTITION BY "entity_key" ORDER BY valid_from) AS "_was_segment", LAG("city") OVER (PARTITION BY "entity_key" ORDER BY valid_from) AS "_was_city", LAG(valid_to) OVER (PARTITION BY "entity_key" ORDER BY valid_from) AS _was_valid_to
FROM settled), ranked AS (SELECT "entity_key", "segment", "city", "first_segment", "company_id", "name", "number", "phone", "_batch", valid_from, valid_to, CASE WHEN _was_valid_to IS NULL OR _was_valid_to < valid_from OR ((CASE WHEN "segment" = "_was_segment" AND FNV_HASH("segment") = FNV_HASH("_was_segment") THEN 0 WHEN "segment" IS NULL AND "_was_segment" IS NULL THEN 0 ELSE 1 END = 1) OR (CASE WHEN "city" = "_was_city" AND FNV_HASH("city") = FNV_HASH("_was_city") THEN 0 WHEN "city" IS NULL AND "_was_city" IS NULL THEN 0 ELSE 1 END = 1)) THEN 1 ELSE 0 END AS _opens, _was_valid_to
FROM looked), ends AS (SELECT "entity_key", "segment", "city", "first_segment", "company_id", "name", "number", "phone", "_batch", valid_from, LEAD(_was_valid_to) OVER (PARTITION BY "entity_key" ORDER BY valid_from) AS _next_was_valid_to
FROM ranked
WHERE _opens = 1), lasts AS (SELECT "entity_key" AS _last_key, MAX(valid_to) AS _last_valid_to
FROM ranked
GROUP BY "entity_key") SELECT "entity_key", "segment", "city", "first_segment", "company_id", "name", "number", "phone", "_batch", valid_from, COALESCE(_next_was_valid_to, _last_valid_to) AS valid_to
FROM ends
JOIN lasts ON lasts._last_key = ends."entity_key"), line_number AS (SELECT entity_key, parent, value, is_current
FROM (SELECT _row.entity_key, SPLIT_PART(_row.entity_key, ':', 1) || ':' || CAST(_row."parent_id" AS VARCHAR(MAX)) AS parent, _row."number" AS value, _row.is_current, ROW_NUMBER() OVER (PARTITION BY _row.entity_key ORDER BY _row.valid_from DESC NULLS LAST) AS place
FROM "acme_silver"."company" AS _row) AS placed
WHERE place = 1) SELECT DISTINCT *
FROM (SELECT entity_key, parent, value
FROM line_number
WHERE value IS NULL AND NOT parent IS NULL) AS first_round;

CREATE TEMPORARY TABLE "recursion__found_8__next" AS SELECT *
FROM "recursion__found_8" AS known
UNION ALL SELECT *
FROM "recursion__next_8" AS news;

CREATE TEMPORARY TABLE "recursion__next_1" AS SELECT *
FROM "recursion__next_1__next";

CREATE TEMPORARY TABLE "recursion__next_1" AS WITH line_number AS (SELECT entity_key, parent, value, is_current
FROM (SELECT _row.entity_key, SPLIT_PART(_row.entity_key, ':', 1) || ':' || CAST(_row."parent_id" AS VARCHAR(MAX)) AS parent, _row."number" AS value, _row.is_current, ROW_NUMBER() OVER (PARTITION BY _row.entity_key ORDER BY _row.valid_from DESC NULLS LAST) AS place
FROM "acme_silver"."company" AS _row) AS placed
WHERE place = 1) SELECT *
FROM (SELECT chain_number.entity_key, above.parent, above.value
FROM "recursion__found_1" AS "chain_number"
JOIN line_number AS above ON above.entity_key = chain_number.parent
WHERE chain_number.value IS NULL AND above.is_current) AS next_round
EXCEPT SELECT *
FROM "recursion__found_1" AS known;

CREATE TEMPORARY TABLE "recursion__next_1__next" AS WITH line_number AS (SELECT entity_key, parent, value, is_current
FROM (SELECT _row.entity_key, SPLIT_PART(_row.entity_key, ':', 1) || ':' || CAST(_row."parent_id" AS VARCHAR(MAX)) AS parent, _row."number" AS value, _row.is_current, ROW_NUMBER() OVER (PARTITION BY _row.entity_key ORDER BY _row.valid_from DESC NULLS LAST) AS place
FROM "acme_silver"."company" AS _row) AS placed
WHERE place = 1) SELECT *
FROM (SELECT chain_number.entity_key, above.parent, above.value
FROM "recursion__next_1" AS "chain_number"
JOIN line_number AS above ON above.entity_key = chain_number.parent
WHERE chain_number.value IS NULL AND above.is_current) AS next_round
EXCEPT SELECT *
FROM "recursion__found_1" AS known;

CREATE TEMPORARY TABLE "recursion__next_8" AS SELECT *
FROM "recursion__next_8__next";

CREATE TEMPORARY TABLE "recursion__next_8" AS WITH versions AS (SELECT _row.*
FROM "acme_silver"."company" AS _row), cuts AS (SELECT entity_key, valid_from AS _cut
FROM versions
UNION SELECT _row.entity_key, _other.valid_from
FROM versions AS _row
JOIN "acme_silver"."address" AS _other ON SPLIT_PART(_other.entity_key, ':', 1) = SPLIT_PART(_row.entity_key, ':', 1) AND _other."company_id" = _row."company_id" AND _other.valid_from > _row.valid_from AND _other.valid_from < _row.valid_to
UNION SELECT _row.entity_key, _other.valid_to
FROM versions AS _row
JOIN "acme_silver"."address" AS _other ON SPLIT_PART(_other.entity_key, ':', 1) = SPLIT_PART(_row.entity_key, ':', 1) AND _other."company_id" = _row."company_id" AND _other.valid_to > _row.valid_from AND _other.valid_to < _row.valid_to), segments AS (SELECT _row.*, cuts._cut AS _seg_from, COALESCE(LEAD(cuts._cut) OVER (PARTITION BY _row.entity_key, _row.valid_from ORDER BY cuts._cut), _row.valid_to) AS _seg_to
FROM versions AS _row
JOIN cuts ON cuts.entity_key = _row.entity_key AND cuts._cut >= _row.valid_from AND cuts._cut < _row.valid_to), joined_0 AS (SELECT *
FROM (SELECT _row.entity_key AS _owner, _row._seg_from AS _owner_from, _other.*, ROW_NUMBER() OVER (PARTITION BY _row.entity_key, _row._seg_from ORDER BY _other.valid_from DESC NULLS LAST, _other.entity_key DESC NULLS LAST) AS _place
FROM segments AS _row
JOIN "acme_silver"."address" AS _other ON SPLIT_PART(_other.entity_key, ':', 1) = SPLIT_PART(_row.entity_key, ':', 1) AND _other."company_id" = _row."company_id" AND _other.valid_from <= _row._seg_from AND _other.valid_to > _row._seg_from) AS placed
WHERE _place = 1), valued AS (SELECT _row.entity_key, _row._seg_from AS valid_from, _row._seg_to AS valid_to, _row.batch_id AS _batch, _row."company_id" AS "company_id", _row."segment" AS "segment", _row."name" AS "name", _row."segment" AS "first_segment", _row."number" AS "number", _join_0."city" AS "city", _join_0."phone" AS "phone"
FROM segments AS _row
LEFT JOIN joined_0 AS _join_0 ON _join_0._owner = _row.entity_key AND _join_0._owner_from = _row._seg_from), settled AS (SELECT entity_key, valid_from, valid_to, _batch, LAST_VALUE("company_id") OVER (PARTITION BY entity_key ORDER BY valid_from ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS "company_id", "segment", LAST_VALUE("name") OVER (PARTITION BY entity_key ORDER BY valid_from ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS "name", FIRST_VALUE("first_segment") OVER (PARTITION BY entity_key ORDER BY valid_from ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS "first_segment", LAST_VALUE("number") OVER (PARTITION BY entity_key ORDER BY valid_from ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS "number", "city", LAST_VALUE("phone") OVER (PARTITION BY entity_key ORDER BY valid_from ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS "phone"
FROM valued), members AS (WITH looked AS (SELECT "entity_key", "segment", "city", "first_segment", "company_id", "name", "number", "phone", "_batch", valid_from, valid_to, LAG("segment") OVER (PARTITION BY "entity_key" ORDER BY valid_from) AS "_was_segment", LAG("city") OVER (PARTITION BY "entity_key" ORDER BY valid_from) AS "_was_city", LAG(valid_to) OVER (PARTITION BY "entity_key" ORDER BY valid_from) AS _was_valid_to
FROM settled), ranked AS (SELECT "entity_key", "segment", "city", "first_segment", "company_id", "name", "number", "phone", "_batch", valid_from, valid_to, CASE WHEN _was_valid_to IS NULL OR _was_valid_to < valid_from OR ((CASE WHEN "segment" = "_was_segment" AND FNV_HASH("segment") = FNV_HASH("_was_segment") THEN 0 WHEN "segment" IS NULL AND "_was_segment" IS NULL THEN 0 ELSE 1 END = 1) OR (CASE WHEN "city" = "_was_city" AND FNV_HASH("city") = FNV_HASH("_was_city") THEN 0 WHEN "city" IS NULL AND "_was_city" IS NULL THEN 0 ELSE 1 END = 1)) THEN 1 ELSE 0 END AS _opens, _was_valid_to
FROM looked), ends AS (SELECT "entity_key", "segment", "city", "first_segment", "company_id", "name", "number", "phone", "_batch", valid_from, LEAD(_was_valid_to) OVER (PARTITION BY "entity_key" ORDER BY valid_from) AS _next_was_valid_to
FROM ranked
WHERE _opens = 1), lasts AS (SELECT "entity_key" AS _last_key, MAX(valid_to) AS _last_valid_to
FROM ranked
GROUP BY "entity_key") SELECT "entity_key", "segment", "city", "first_segment", "company_id", "name", "number", "phone", "_batch", valid_from, COALESCE(_next_was_valid_to, _last_valid_to) AS valid_to
FROM ends
JOIN lasts ON lasts._last_key = ends."entity_key"), line_number AS (SELECT entity_key, parent, value, is_current
FROM (SELECT _row.entity_key, SPLIT_PART(_row.entity_key, ':', 1) || ':' || CAST(_row."parent_id" AS VARCHAR(MAX)) AS parent, _row."number" AS value, _row.is_current, ROW_NUMBER() OVER (PARTITION BY _row.entity_key ORDER BY _row.valid_from DESC NULLS LAST) AS place
FROM "acme_silver"."company" AS _row) AS placed
WHERE place = 1) SELECT *
FROM (SELECT chain_number.entity_key, above.parent, above.value
FROM "recursion__found_8" AS "chain_number"
JOIN line_number AS above ON above.entity_key = chain_number.parent
WHERE chain_number.value IS NULL AND above.is_current) AS next_round
EXCEPT SELECT *
FROM "recursion__found_8" AS known;

CREATE TEMPORARY TABLE "recursion__next_8__next" AS WITH versions AS (SELECT _row.*
FROM "acme_silver"."company" AS _row), cuts AS (SELECT entity_key, valid_from AS _cut
FROM versions
UNION SELECT _row.entity_key, _other.valid_from
FROM versions AS _row
JOIN "acme_silver"."address" AS _other ON SPLIT_PART(_other.entity_key, ':', 1) = SPLIT_PART(_row.entity_key, ':', 1) AND _other."company_id" = _row."company_id" AND _other.valid_from > _row.valid_from AND _other.valid_from < _row.valid_to
UNION SELECT _row.entity_key, _other.valid_to
FROM versions AS _row
JOIN "acme_silver"."address" AS _other ON SPLIT_PART(_other.entity_key, ':', 1) = SPLIT_PART(_row.entity_key, ':', 1) AND _other."company_id" = _row."company_id" AND _other.valid_to > _row.valid_from AND _other.valid_to < _row.valid_to), segments AS (SELECT _row.*, cuts._cut AS _seg_from, COALESCE(LEAD(cuts._cut) OVER (PARTITION BY _row.entity_key, _row.valid_from ORDER BY cuts._cut), _row.valid_to) AS _seg_to
FROM versions AS _row
JOIN cuts ON cuts.entity_key = _row.entity_key AND cuts._cut >= _row.valid_from AND cuts._cut < _row.valid_to), joined_0 AS (SELECT *
FROM (SELECT _row.entity_key AS _owner, _row._seg_from AS _owner_from, _other.*, ROW_NUMBER() OVER (PARTITION BY _row.entity_key, _row._seg_from ORDER BY _other.valid_from DESC NULLS LAST, _other.entity_key DESC NULLS LAST) AS _place
FROM segments AS _row
JOIN "acme_silver"."address" AS _other ON SPLIT_PART(_other.entity_key, ':', 1) = SPLIT_PART(_row.entity_key, ':', 1) AND _other."company_id" = _row."company_id" AND _other.valid_from <= _row._seg_from AND _other.valid_to > _row._seg_from) AS placed
WHERE _place = 1), valued AS (SELECT _row.entity_key, _row._seg_from AS valid_from, _row._seg_to AS valid_to, _row.batch_id AS _batch, _row."company_id" AS "company_id", _row."segment" AS "segment", _row."name" AS "name", _row."segment" AS "first_segment", _row."number" AS "number", _join_0."city" AS "city", _join_0."phone" AS "phone"
FROM segments AS _row
LEFT JOIN joined_0 AS _join_0 ON _join_0._owner = _row.entity_key AND _join_0._owner_from = _row._seg_from), settled AS (SELECT entity_key, valid_from, valid_to, _batch, LAST_VALUE("company_id") OVER (PARTITION BY entity_key ORDER BY valid_from ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS "company_id", "segment", LAST_VALUE("name") OVER (PARTITION BY entity_key ORDER BY valid_from ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS "name", FIRST_VALUE("first_segment") OVER (PARTITION BY entity_key ORDER BY valid_from ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS "first_segment", LAST_VALUE("number") OVER (PARTITION BY entity_key ORDER BY valid_from ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS "number", "city", LAST_VALUE("phone") OVER (PARTITION BY entity_key ORDER BY valid_from ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS "phone"
FROM valued), members AS (WITH looked AS (SELECT "entity_key", "segment", "city", "first_segment", "company_id", "name", "number", "phone", "_batch", valid_from, valid_to, LAG("segment") OVER (PARTITION BY "entity_key" ORDER BY valid_from) AS "_was_segment", LAG("city") OVER (PARTITION BY "entity_key" ORDER BY valid_from) AS "_was_city", LAG(valid_to) OVER (PARTITION BY "entity_key" ORDER BY valid_from) AS _was_valid_to
FROM settled), ranked AS (SELECT "entity_key", "segment", "city", "first_segment", "company_id", "name", "number", "phone", "_batch", valid_from, valid_to, CASE WHEN _was_valid_to IS NULL OR _was_valid_to < valid_from OR ((CASE WHEN "segment" = "_was_segment" AND FNV_HASH("segment") = FNV_HASH("_was_segment") THEN 0 WHEN "segment" IS NULL AND "_was_segment" IS NULL THEN 0 ELSE 1 END = 1) OR (CASE WHEN "city" = "_was_city" AND FNV_HASH("city") = FNV_HASH("_was_city") THEN 0 WHEN "city" IS NULL AND "_was_city" IS NULL THEN 0 ELSE 1 END = 1)) THEN 1 ELSE 0 END AS _opens, _was_valid_to
FROM looked), ends AS (SELECT "entity_key", "segment", "city", "first_segment", "company_id", "name", "number", "phone", "_batch", valid_from, LEAD(_was_valid_to) OVER (PARTITION BY "entity_key" ORDER BY valid_from) AS _next_was_valid_to
FROM ranked
WHERE _opens = 1), lasts AS (SELECT "entity_key" AS _last_key, MAX(valid_to) AS _last_valid_to
FROM ranked
GROUP BY "entity_key") SELECT "entity_key", "segment", "city", "first_segment", "company_id", "name", "number", "phone", "_batch", valid_from, COALESCE(_next_was_valid_to, _last_valid_to) AS valid_to
FROM ends
JOIN lasts ON lasts._last_key = ends."entity_key"), line_number AS (SELECT entity_key, parent, value, is_current
FROM (SELECT _row.entity_key, SPLIT_PART(_row.entity_key, ':', 1) || ':' || CAST(_row."parent_id" AS VARCHAR(MAX)) AS parent, _row."number" AS value, _row.is_current, ROW_NUMBER() OVER (PARTITION BY _row.entity_key ORDER BY _row.valid_from DESC NULLS LAST) AS place
FROM "acme_silver"."company" AS _row) AS placed
WHERE place = 1) SELECT *
FROM (SELECT chain_number.entity_key, above.parent, above.value
FROM "recursion__next_8" AS "chain_number"
JOIN line_number AS above ON above.entity_key = chain_number.parent
WHERE chain_number.value IS NULL AND above.is_current) AS next_round
EXCEPT SELECT *
FROM "recursion__found_8" AS known;

CREATE TEMPORARY TABLE "replaced__added" AS SELECT s."date_key", s."date", s."year", s."quarter", s."month", s."month_name", s."week", s."day_of_month", s."day_of_week", s."day_name", s."day_of_year", s."is_weekend", s."is_holiday", s."holiday_name", s."is_month_start", s."is_month_end", s."fiscal_year", s."fiscal_quarter", s."fiscal_month", s."loaded_at", s."batch_id", s."source"
FROM "replaced__fresh" AS s
LEFT JOIN (SELECT *, 1 AS _there
FROM "replaced__stored") AS o ON o."date_key" = s."date_key" AND (CASE WHEN o."date" = s."date" AND FNV_HASH(o."date") = FNV_HASH(s."date") THEN 0 WHEN o."date" IS NULL AND s."date" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."year" = s."year" AND FNV_HASH(o."year") = FNV_HASH(s."year") THEN 0 WHEN o."year" IS NULL AND s."year" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."quarter" = s."quarter" AND FNV_HASH(o."quarter") = FNV_HASH(s."quarter") THEN 0 WHEN o."quarter" IS NULL AND s."quarter" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."month" = s."month" AND FNV_HASH(o."month") = FNV_HASH(s."month") THEN 0 WHEN o."month" IS NULL AND s."month" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."month_name" = s."month_name" AND FNV_HASH(o."month_name") = FNV_HASH(s."month_name") THEN 0 WHEN o."month_name" IS NULL AND s."month_name" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."week" = s."week" AND FNV_HASH(o."week") = FNV_HASH(s."week") THEN 0 WHEN o."week" IS NULL AND s."week" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."day_of_month" = s."day_of_month" AND FNV_HASH(o."day_of_month") = FNV_HASH(s."day_of_month") THEN 0 WHEN o."day_of_month" IS NULL AND s."day_of_month" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."day_of_week" = s."day_of_week" AND FNV_HASH(o."day_of_week") = FNV_HASH(s."day_of_week") THEN 0 WHEN o."day_of_week" IS NULL AND s."day_of_week" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."day_name" = s."day_name" AND FNV_HASH(o."day_name") = FNV_HASH(s."day_name") THEN 0 WHEN o."day_name" IS NULL AND s."day_name" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."day_of_year" = s."day_of_year" AND FNV_HASH(o."day_of_year") = FNV_HASH(s."day_of_year") THEN 0 WHEN o."day_of_year" IS NULL AND s."day_of_year" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."is_weekend" = s."is_weekend" AND FNV_HASH(o."is_weekend") = FNV_HASH(s."is_weekend") THEN 0 WHEN o."is_weekend" IS NULL AND s."is_weekend" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."is_holiday" = s."is_holiday" AND FNV_HASH(o."is_holiday") = FNV_HASH(s."is_holiday") THEN 0 WHEN o."is_holiday" IS NULL AND s."is_holiday" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."holiday_name" = s."holiday_name" AND FNV_HASH(o."holiday_name") = FNV_HASH(s."holiday_name") THEN 0 WHEN o."holiday_name" IS NULL AND s."holiday_name" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."is_month_start" = s."is_month_start" AND FNV_HASH(o."is_month_start") = FNV_HASH(s."is_month_start") THEN 0 WHEN o."is_month_start" IS NULL AND s."is_month_start" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."is_month_end" = s."is_month_end" AND FNV_HASH(o."is_month_end") = FNV_HASH(s."is_month_end") THEN 0 WHEN o."is_month_end" IS NULL AND s."is_month_end" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."fiscal_year" = s."fiscal_year" AND FNV_HASH(o."fiscal_year") = FNV_HASH(s."fiscal_year") THEN 0 WHEN o."fiscal_year" IS NULL AND s."fiscal_year" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."fiscal_quarter" = s."fiscal_quarter" AND FNV_HASH(o."fiscal_quarter") = FNV_HASH(s."fiscal_quarter") THEN 0 WHEN o."fiscal_quarter" IS NULL AND s."fiscal_quarter" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."fiscal_month" = s."fiscal_month" AND FNV_HASH(o."fiscal_month") = FNV_HASH(s."fiscal_month") THEN 0 WHEN o."fiscal_month" IS NULL AND s."fiscal_month" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."loaded_at" = s."loaded_at" AND FNV_HASH(o."loaded_at") = FNV_HASH(s."loaded_at") THEN 0 WHEN o."loaded_at" IS NULL AND s."loaded_at" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."batch_id" = s."batch_id" AND FNV_HASH(o."batch_id") = FNV_HASH(s."batch_id") THEN 0 WHEN o."batch_id" IS NULL AND s."batch_id" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."source" = s."source" AND FNV_HASH(o."source") = FNV_HASH(s."source") THEN 0 WHEN o."source" IS NULL AND s."source" IS NULL THEN 0 ELSE 1 END = 0)
WHERE o._there IS NULL;

CREATE TEMPORARY TABLE "replaced__added" AS SELECT s."option_key", s."entity_key", s."value", s."category", s."valid_from", s."valid_to", s."is_current", s."is_inferred", s."loaded_at", s."batch_id", s."source"
FROM "replaced__fresh" AS s
LEFT JOIN (SELECT *, 1 AS _there
FROM "replaced__stored") AS o ON o."entity_key" = s."entity_key" AND (CASE WHEN o."option_key" = s."option_key" AND FNV_HASH(o."option_key") = FNV_HASH(s."option_key") THEN 0 WHEN o."option_key" IS NULL AND s."option_key" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."value" = s."value" AND FNV_HASH(o."value") = FNV_HASH(s."value") THEN 0 WHEN o."value" IS NULL AND s."value" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."category" = s."category" AND FNV_HASH(o."category") = FNV_HASH(s."category") THEN 0 WHEN o."category" IS NULL AND s."category" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."valid_from" = s."valid_from" AND FNV_HASH(o."valid_from") = FNV_HASH(s."valid_from") THEN 0 WHEN o."valid_from" IS NULL AND s."valid_from" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."valid_to" = s."valid_to" AND FNV_HASH(o."valid_to") = FNV_HASH(s."valid_to") THEN 0 WHEN o."valid_to" IS NULL AND s."valid_to" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."is_current" = s."is_current" AND FNV_HASH(o."is_current") = FNV_HASH(s."is_current") THEN 0 WHEN o."is_current" IS NULL AND s."is_current" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."is_inferred" = s."is_inferred" AND FNV_HASH(o."is_inferred") = FNV_HASH(s."is_inferred") THEN 0 WHEN o."is_inferred" IS NULL AND s."is_inferred" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."loaded_at" = s."loaded_at" AND FNV_HASH(o."loaded_at") = FNV_HASH(s."loaded_at") THEN 0 WHEN o."loaded_at" IS NULL AND s."loaded_at" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."batch_id" = s."batch_id" AND FNV_HASH(o."batch_id") = FNV_HASH(s."batch_id") THEN 0 WHEN o."batch_id" IS NULL AND s."batch_id" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."source" = s."source" AND FNV_HASH(o."source") = FNV_HASH(s."source") THEN 0 WHEN o."source" IS NULL AND s."source" IS NULL THEN 0 ELSE 1 END = 0)
WHERE o._there IS NULL;

CREATE TEMPORARY TABLE "replaced__fresh" AS SELECT CAST("date_key" AS BIGINT) AS "date_key", CAST("date" AS DATE) AS "date", CAST("year" AS INTEGER) AS "year", CAST("quarter" AS INTEGER) AS "quarter", CAST("month" AS INTEGER) AS "month", CAST("month_name" AS VARCHAR(MAX)) AS "month_name", CAST("week" AS INTEGER) AS "week", CAST("day_of_month" AS INTEGER) AS "day_of_month", CAST("day_of_week" AS INTEGER) AS "day_of_week", CAST("day_name" AS VARCHAR(MAX)) AS "day_name", CAST("day_of_year" AS INTEGER) AS "day_of_year", CAST("is_weekend" AS BOOLEAN) AS "is_weekend", CAST("is_holiday" AS BOOLEAN) AS "is_holiday", CAST("holiday_name" AS VARCHAR(MAX)) AS "holiday_name", CAST("is_month_start" AS BOOLEAN) AS "is_month_start", CAST("is_month_end" AS BOOLEAN) AS "is_month_end", CAST("fiscal_year" AS INTEGER) AS "fiscal_year", CAST("fiscal_quarter" AS INTEGER) AS "fiscal_quarter", CAST("fiscal_month" AS INTEGER) AS "fiscal_month", CAST("loaded_at" AS TIMESTAMP) AS "loaded_at", CAST("batch_id" AS VARCHAR(MAX)) AS "batch_id", CAST("source" AS VARCHAR(MAX)) AS "source"
FROM "gold_days";

CREATE TEMPORARY TABLE "replaced__fresh" AS SELECT CAST("option_key" AS BIGINT) AS "option_key", CAST("entity_key" AS VARCHAR(MAX)) AS "entity_key", CAST("value" AS VARCHAR(MAX)) AS "value", CAST("category" AS VARCHAR(MAX)) AS "category", CAST("valid_from" AS TIMESTAMP) AS "valid_from", CAST("valid_to" AS TIMESTAMP) AS "valid_to", CAST("is_current" AS BOOLEAN) AS "is_current", CAST("is_inferred" AS BOOLEAN) AS "is_inferred", CAST("loaded_at" AS TIMESTAMP) AS "loaded_at", CAST("batch_id" AS VARCHAR(MAX)) AS "batch_id", CAST("source" AS VARCHAR(MAX)) AS "source"
FROM "gold_narrow";

CREATE TEMPORARY TABLE "replaced__gone" AS SELECT s."date_key", s."date", s."year", s."quarter", s."month", s."month_name", s."week", s."day_of_month", s."day_of_week", s."day_name", s."day_of_year", s."is_weekend", s."is_holiday", s."holiday_name", s."is_month_start", s."is_month_end", s."fiscal_year", s."fiscal_quarter", s."fiscal_month", s."loaded_at", s."batch_id", s."source"
FROM "replaced__stored" AS s
LEFT JOIN (SELECT *, 1 AS _there
FROM "replaced__fresh") AS o ON o."date_key" = s."date_key" AND (CASE WHEN o."date" = s."date" AND FNV_HASH(o."date") = FNV_HASH(s."date") THEN 0 WHEN o."date" IS NULL AND s."date" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."year" = s."year" AND FNV_HASH(o."year") = FNV_HASH(s."year") THEN 0 WHEN o."year" IS NULL AND s."year" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."quarter" = s."quarter" AND FNV_HASH(o."quarter") = FNV_HASH(s."quarter") THEN 0 WHEN o."quarter" IS NULL AND s."quarter" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."month" = s."month" AND FNV_HASH(o."month") = FNV_HASH(s."month") THEN 0 WHEN o."month" IS NULL AND s."month" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."month_name" = s."month_name" AND FNV_HASH(o."month_name") = FNV_HASH(s."month_name") THEN 0 WHEN o."month_name" IS NULL AND s."month_name" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."week" = s."week" AND FNV_HASH(o."week") = FNV_HASH(s."week") THEN 0 WHEN o."week" IS NULL AND s."week" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."day_of_month" = s."day_of_month" AND FNV_HASH(o."day_of_month") = FNV_HASH(s."day_of_month") THEN 0 WHEN o."day_of_month" IS NULL AND s."day_of_month" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."day_of_week" = s."day_of_week" AND FNV_HASH(o."day_of_week") = FNV_HASH(s."day_of_week") THEN 0 WHEN o."day_of_week" IS NULL AND s."day_of_week" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."day_name" = s."day_name" AND FNV_HASH(o."day_name") = FNV_HASH(s."day_name") THEN 0 WHEN o."day_name" IS NULL AND s."day_name" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."day_of_year" = s."day_of_year" AND FNV_HASH(o."day_of_year") = FNV_HASH(s."day_of_year") THEN 0 WHEN o."day_of_year" IS NULL AND s."day_of_year" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."is_weekend" = s."is_weekend" AND FNV_HASH(o."is_weekend") = FNV_HASH(s."is_weekend") THEN 0 WHEN o."is_weekend" IS NULL AND s."is_weekend" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."is_holiday" = s."is_holiday" AND FNV_HASH(o."is_holiday") = FNV_HASH(s."is_holiday") THEN 0 WHEN o."is_holiday" IS NULL AND s."is_holiday" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."holiday_name" = s."holiday_name" AND FNV_HASH(o."holiday_name") = FNV_HASH(s."holiday_name") THEN 0 WHEN o."holiday_name" IS NULL AND s."holiday_name" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."is_month_start" = s."is_month_start" AND FNV_HASH(o."is_month_start") = FNV_HASH(s."is_month_start") THEN 0 WHEN o."is_month_start" IS NULL AND s."is_month_start" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."is_month_end" = s."is_month_end" AND FNV_HASH(o."is_month_end") = FNV_HASH(s."is_month_end") THEN 0 WHEN o."is_month_end" IS NULL AND s."is_month_end" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."fiscal_year" = s."fiscal_year" AND FNV_HASH(o."fiscal_year") = FNV_HASH(s."fiscal_year") THEN 0 WHEN o."fiscal_year" IS NULL AND s."fiscal_year" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."fiscal_quarter" = s."fiscal_quarter" AND FNV_HASH(o."fiscal_quarter") = FNV_HASH(s."fiscal_quarter") THEN 0 WHEN o."fiscal_quarter" IS NULL AND s."fiscal_quarter" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."fiscal_month" = s."fiscal_month" AND FNV_HASH(o."fiscal_month") = FNV_HASH(s."fiscal_month") THEN 0 WHEN o."fiscal_month" IS NULL AND s."fiscal_month" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."loaded_at" = s."loaded_at" AND FNV_HASH(o."loaded_at") = FNV_HASH(s."loaded_at") THEN 0 WHEN o."loaded_at" IS NULL AND s."loaded_at" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."batch_id" = s."batch_id" AND FNV_HASH(o."batch_id") = FNV_HASH(s."batch_id") THEN 0 WHEN o."batch_id" IS NULL AND s."batch_id" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."source" = s."source" AND FNV_HASH(o."source") = FNV_HASH(s."source") THEN 0 WHEN o."source" IS NULL AND s."source" IS NULL THEN 0 ELSE 1 END = 0)
WHERE o._there IS NULL;

CREATE TEMPORARY TABLE "replaced__gone" AS SELECT s."option_key", s."entity_key", s."value", s."category", s."valid_from", s."valid_to", s."is_current", s."is_inferred", s."loaded_at", s."batch_id", s."source"
FROM "replaced__stored" AS s
LEFT JOIN (SELECT *, 1 AS _there
FROM "replaced__fresh") AS o ON o."entity_key" = s."entity_key" AND (CASE WHEN o."option_key" = s."option_key" AND FNV_HASH(o."option_key") = FNV_HASH(s."option_key") THEN 0 WHEN o."option_key" IS NULL AND s."option_key" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."value" = s."value" AND FNV_HASH(o."value") = FNV_HASH(s."value") THEN 0 WHEN o."value" IS NULL AND s."value" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."category" = s."category" AND FNV_HASH(o."category") = FNV_HASH(s."category") THEN 0 WHEN o."category" IS NULL AND s."category" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."valid_from" = s."valid_from" AND FNV_HASH(o."valid_from") = FNV_HASH(s."valid_from") THEN 0 WHEN o."valid_from" IS NULL AND s."valid_from" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."valid_to" = s."valid_to" AND FNV_HASH(o."valid_to") = FNV_HASH(s."valid_to") THEN 0 WHEN o."valid_to" IS NULL AND s."valid_to" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."is_current" = s."is_current" AND FNV_HASH(o."is_current") = FNV_HASH(s."is_current") THEN 0 WHEN o."is_current" IS NULL AND s."is_current" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."is_inferred" = s."is_inferred" AND FNV_HASH(o."is_inferred") = FNV_HASH(s."is_inferred") THEN 0 WHEN o."is_inferred" IS NULL AND s."is_inferred" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."loaded_at" = s."loaded_at" AND FNV_HASH(o."loaded_at") = FNV_HASH(s."loaded_at") THEN 0 WHEN o."loaded_at" IS NULL AND s."loaded_at" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."batch_id" = s."batch_id" AND FNV_HASH(o."batch_id") = FNV_HASH(s."batch_id") THEN 0 WHEN o."batch_id" IS NULL AND s."batch_id" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."source" = s."source" AND FNV_HASH(o."source") = FNV_HASH(s."source") THEN 0 WHEN o."source" IS NULL AND s."source" IS NULL THEN 0 ELSE 1 END = 0)
WHERE o._there IS NULL;

CREATE TEMPORARY TABLE "replaced__stored" AS SELECT s."date_key", s."date", s."year", s."quarter", s."month", s."month_name", s."week", s."day_of_month", s."day_of_week", s."day_name", s."day_of_year", s."is_weekend", s."is_holiday", s."holiday_name", s."is_month_start", s."is_month_end", s."fiscal_year", s."fiscal_quarter", s."fiscal_month", s."loaded_at", s."batch_id", s."source"
FROM "acme_gold"."dim_date" AS s
JOIN (SELECT DISTINCT "date_key"
FROM "gold_keys") AS k ON k."date_key" = s."date_key";

CREATE TEMPORARY TABLE "replaced__stored" AS SELECT s."option_key", s."entity_key", s."value", s."category", s."valid_from", s."valid_to", s."is_current", s."is_inferred", s."loaded_at", s."batch_id", s."source"
FROM "acme_gold"."dim_option" AS s
JOIN (SELECT DISTINCT "entity_key"
FROM "gold_changed") AS k ON k."entity_key" = s."entity_key";

DELETE
FROM "acme_gold"."dim_company"
WHERE "company_key" < 0;

DELETE
FROM "acme_gold"."dim_date" USING "replaced__gone" AS m
WHERE m."date_key" = "dim_date"."date_key" AND (CASE WHEN m."date" = "dim_date"."date" AND FNV_HASH(m."date") = FNV_HASH("dim_date"."date") THEN 0 WHEN m."date" IS NULL AND "dim_date"."date" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN m."year" = "dim_date"."year" AND FNV_HASH(m."year") = FNV_HASH("dim_date"."year") THEN 0 WHEN m."year" IS NULL AND "dim_date"."year" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN m."quarter" = "dim_date"."quarter" AND FNV_HASH(m."quarter") = FNV_HASH("dim_date"."quarter") THEN 0 WHEN m."quarter" IS NULL AND "dim_date"."quarter" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN m."month" = "dim_date"."month" AND FNV_HASH(m."month") = FNV_HASH("dim_date"."month") THEN 0 WHEN m."month" IS NULL AND "dim_date"."month" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN m."month_name" = "dim_date"."month_name" AND FNV_HASH(m."month_name") = FNV_HASH("dim_date"."month_name") THEN 0 WHEN m."month_name" IS NULL AND "dim_date"."month_name" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN m."week" = "dim_date"."week" AND FNV_HASH(m."week") = FNV_HASH("dim_date"."week") THEN 0 WHEN m."week" IS NULL AND "dim_date"."week" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN m."day_of_month" = "dim_date"."day_of_month" AND FNV_HASH(m."day_of_month") = FNV_HASH("dim_date"."day_of_month") THEN 0 WHEN m."day_of_month" IS NULL AND "dim_date"."day_of_month" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN m."day_of_week" = "dim_date"."day_of_week" AND FNV_HASH(m."day_of_week") = FNV_HASH("dim_date"."day_of_week") THEN 0 WHEN m."day_of_week" IS NULL AND "dim_date"."day_of_week" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN m."day_name" = "dim_date"."day_name" AND FNV_HASH(m."day_name") = FNV_HASH("dim_date"."day_name") THEN 0 WHEN m."day_name" IS NULL AND "dim_date"."day_name" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN m."day_of_year" = "dim_date"."day_of_year" AND FNV_HASH(m."day_of_year") = FNV_HASH("dim_date"."day_of_year") THEN 0 WHEN m."day_of_year" IS NULL AND "dim_date"."day_of_year" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN m."is_weekend" = "dim_date"."is_weekend" AND FNV_HASH(m."is_weekend") = FNV_HASH("dim_date"."is_weekend") THEN 0 WHEN m."is_weekend" IS NULL AND "dim_date"."is_weekend" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN m."is_holiday" = "dim_date"."is_holiday" AND FNV_HASH(m."is_holiday") = FNV_HASH("dim_date"."is_holiday") THEN 0 WHEN m."is_holiday" IS NULL AND "dim_date"."is_holiday" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN m."holiday_name" = "dim_date"."holiday_name" AND FNV_HASH(m."holiday_name") = FNV_HASH("dim_date"."holiday_name") THEN 0 WHEN m."holiday_name" IS NULL AND "dim_date"."holiday_name" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN m."is_month_start" = "dim_date"."is_month_start" AND FNV_HASH(m."is_month_start") = FNV_HASH("dim_date"."is_month_start") THEN 0 WHEN m."is_month_start" IS NULL AND "dim_date"."is_month_start" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN m."is_month_end" = "dim_date"."is_month_end" AND FNV_HASH(m."is_month_end") = FNV_HASH("dim_date"."is_month_end") THEN 0 WHEN m."is_month_end" IS NULL AND "dim_date"."is_month_end" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN m."fiscal_year" = "dim_date"."fiscal_year" AND FNV_HASH(m."fiscal_year") = FNV_HASH("dim_date"."fiscal_year") THEN 0 WHEN m."fiscal_year" IS NULL AND "dim_date"."fiscal_year" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN m."fiscal_quarter" = "dim_date"."fiscal_quarter" AND FNV_HASH(m."fiscal_quarter") = FNV_HASH("dim_date"."fiscal_quarter") THEN 0 WHEN m."fiscal_quarter" IS NULL AND "dim_date"."fiscal_quarter" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN m."fiscal_month" = "dim_date"."fiscal_month" AND FNV_HASH(m."fiscal_month") = FNV_HASH("dim_date"."fiscal_month") THEN 0 WHEN m."fiscal_month" IS NULL AND "dim_date"."fiscal_month" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN m."loaded_at" = "dim_date"."loaded_at" AND FNV_HASH(m."loaded_at") = FNV_HASH("dim_date"."loaded_at") THEN 0 WHEN m."loaded_at" IS NULL AND "dim_date"."loaded_at" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN m."batch_id" = "dim_date"."batch_id" AND FNV_HASH(m."batch_id") = FNV_HASH("dim_date"."batch_id") THEN 0 WHEN m."batch_id" IS NULL AND "dim_date"."batch_id" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN m."source" = "dim_date"."source" AND FNV_HASH(m."source") = FNV_HASH("dim_date"."source") THEN 0 WHEN m."source" IS NULL AND "dim_date"."source" IS NULL THEN 0 ELSE 1 END = 0);

DELETE
FROM "acme_gold"."dim_date"
WHERE "date_key" < 0;

DELETE
FROM "acme_gold"."dim_member"
WHERE "member_key" < 0;

DELETE
FROM "acme_gold"."dim_option" USING "replaced__gone" AS m
WHERE m."entity_key" = "dim_option"."entity_key" AND (CASE WHEN m."option_key" = "dim_option"."option_key" AND FNV_HASH(m."option_key") = FNV_HASH("dim_option"."option_key") THEN 0 WHEN m."option_key" IS NULL AND "dim_option"."option_key" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN m."value" = "dim_option"."value" AND FNV_HASH(m."value") = FNV_HASH("dim_option"."value") THEN 0 WHEN m."value" IS NULL AND "dim_option"."value" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN m."category" = "dim_option"."category" AND FNV_HASH(m."category") = FNV_HASH("dim_option"."category") THEN 0 WHEN m."category" IS NULL AND "dim_option"."category" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN m."valid_from" = "dim_option"."valid_from" AND FNV_HASH(m."valid_from") = FNV_HASH("dim_option"."valid_from") THEN 0 WHEN m."valid_from" IS NULL AND "dim_option"."valid_from" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN m."valid_to" = "dim_option"."valid_to" AND FNV_HASH(m."valid_to") = FNV_HASH("dim_option"."valid_to") THEN 0 WHEN m."valid_to" IS NULL AND "dim_option"."valid_to" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN m."is_current" = "dim_option"."is_current" AND FNV_HASH(m."is_current") = FNV_HASH("dim_option"."is_current") THEN 0 WHEN m."is_current" IS NULL AND "dim_option"."is_current" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN m."is_inferred" = "dim_option"."is_inferred" AND FNV_HASH(m."is_inferred") = FNV_HASH("dim_option"."is_inferred") THEN 0 WHEN m."is_inferred" IS NULL AND "dim_option"."is_inferred" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN m."loaded_at" = "dim_option"."loaded_at" AND FNV_HASH(m."loaded_at") = FNV_HASH("dim_option"."loaded_at") THEN 0 WHEN m."loaded_at" IS NULL AND "dim_option"."loaded_at" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN m."batch_id" = "dim_option"."batch_id" AND FNV_HASH(m."batch_id") = FNV_HASH("dim_option"."batch_id") THEN 0 WHEN m."batch_id" IS NULL AND "dim_option"."batch_id" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN m."source" = "dim_option"."source" AND FNV_HASH(m."source") = FNV_HASH("dim_option"."source") THEN 0 WHEN m."source" IS NULL AND "dim_option"."source" IS NULL THEN 0 ELSE 1 END = 0);

DELETE
FROM "acme_gold"."dim_option"
WHERE "option_key" < 0;

DELETE
FROM "acme_gold"."dim_worker"
WHERE "worker_key" < 0;

DELETE
FROM "acme_meta"."consumer_offset"
WHERE consumer = 'dim_company' AND entity <> '@last';

DELETE
FROM "acme_meta"."consumer_offset"
WHERE consumer = 'dim_date' AND entity <> '@last';

DELETE
FROM "acme_meta"."consumer_offset"
WHERE consumer = 'dim_member' AND entity <> '@last';

DELETE
FROM "acme_meta"."consumer_offset"
WHERE consumer = 'dim_option' AND entity <> '@last';

DELETE
FROM "acme_meta"."consumer_offset"
WHERE consumer = 'dim_worker' AND entity <> '@last';

DELETE
FROM "acme_meta"."consumer_offset"
WHERE consumer = 'fact_agreement_period' AND entity <> '@last';

DELETE
FROM "acme_meta"."consumer_offset"
WHERE consumer = 'fact_entry' AND entity <> '@last';

DELETE
FROM "acme_meta"."consumer_offset"
WHERE consumer = 'fact_line' AND entity <> '@last';

DROP TABLE IF EXISTS "gold_asked";

DROP TABLE IF EXISTS "gold_changed";

DROP TABLE IF EXISTS "gold_days";

DROP TABLE IF EXISTS "gold_days__next";

DROP TABLE IF EXISTS "gold_filled";

DROP TABLE IF EXISTS "gold_fresh";

DROP TABLE IF EXISTS "gold_inferred";

DROP TABLE IF EXISTS "gold_keys";

DROP TABLE IF EXISTS "gold_met";

DROP TABLE IF EXISTS "gold_months";

DROP TABLE IF EXISTS "gold_narrow";

DROP TABLE IF EXISTS "gold_reserved";

DROP TABLE IF EXISTS "recursion__found_1";

DROP TABLE IF EXISTS "recursion__found_1__next";

DROP TABLE IF EXISTS "recursion__found_8";

DROP TABLE IF EXISTS "recursion__found_8__next";

DROP TABLE IF EXISTS "recursion__next_1";

DROP TABLE IF EXISTS "recursion__next_1__next";

DROP TABLE IF EXISTS "recursion__next_8";

DROP TABLE IF EXISTS "recursion__next_8__next";

DROP TABLE IF EXISTS "replaced__added";

DROP TABLE IF EXISTS "replaced__fresh";

DROP TABLE IF EXISTS "replaced__gone";

DROP TABLE IF EXISTS "replaced__stored";

INSERT INTO "acme_gold"."dim_company" ("company_key", "entity_key", "company_id", "segment", "name", "first_segment", "number", "city", "phone", "valid_from", "valid_to", "is_current", "is_inferred", "loaded_at", "batch_id", "source") SELECT "company_key", "entity_key", "company_id", "segment", "name", "first_segment", "number", "city", "phone", "valid_from", "valid_to", "is_current", "is_inferred", "loaded_at", "batch_id", "source"
FROM "gold_inferred";

INSERT INTO "acme_gold"."dim_company" ("company_key", "entity_key", "company_id", "segment", "name", "first_segment", "number", "city", "phone", "valid_from", "valid_to", "is_current", "is_inferred", "loaded_at", "batch_id", "source") SELECT "company_key", "entity_key", "company_id", "segment", "name", "first_segment", "number", "city", "phone", "valid_from", "valid_to", "is_current", "is_inferred", "loaded_at", "batch_id", "source"
FROM (WITH versions AS (SELECT _row.*
FROM "acme_silver"."company" AS _row), cuts AS (SELECT entity_key, valid_from AS _cut
FROM versions
UNION SELECT _row.entity_key, _other.valid_from
FROM versions AS _row
JOIN "acme_silver"."address" AS _other ON SPLIT_PART(_other.entity_key, ':', 1) = SPLIT_PART(_row.entity_key, ':', 1) AND _other."company_id" = _row."company_id" AND _other.valid_from > _row.valid_from AND _other.valid_from < _row.valid_to
UNION SELECT _row.entity_key, _other.valid_to
FROM versions AS _row
JOIN "acme_silver"."address" AS _other ON SPLIT_PART(_other.entity_key, ':', 1) = SPLIT_PART(_row.entity_key, ':', 1) AND _other."company_id" = _row."company_id" AND _other.valid_to > _row.valid_from AND _other.valid_to < _row.valid_to), segments AS (SELECT _row.*, cuts._cut AS _seg_from, COALESCE(LEAD(cuts._cut) OVER (PARTITION BY _row.entity_key, _row.valid_from ORDER BY cuts._cut), _row.valid_to) AS _seg_to
FROM versions AS _row
JOIN cuts ON cuts.entity_key = _row.entity_key AND cuts._cut >= _row.valid_from AND cuts._cut < _row.valid_to), joined_0 AS (SELECT *
FROM (SELECT _row.entity_key AS _owner, _row._seg_from AS _owner_from, _other.*, ROW_NUMBER() OVER (PARTITION BY _row.entity_key, _row._seg_from ORDER BY _other.valid_from DESC NULLS LAST, _other.entity_key DESC NULLS LAST) AS _place
FROM segments AS _row
JOIN "acme_silver"."address" AS _other ON SPLIT_PART(_other.entity_key, ':', 1) = SPLIT_PART(_row.entity_key, ':', 1) AND _other."company_id" = _row."company_id" AND _other.valid_from <= _row._seg_from AND _other.valid_to > _row._seg_from) AS placed
WHERE _place = 1), valued AS (SELECT _row.entity_key, _row._seg_from AS valid_from, _row._seg_to AS valid_to, _row.batch_id AS _batch, _row."company_id" AS "company_id", _row."segment" AS "segment", _row."name" AS "name", _row."segment" AS "first_segment", _row."number" AS "number", _join_0."city" AS "city", _join_0."phone" AS "phone"
FROM segments AS _row
LEFT JOIN joined_0 AS _join_0 ON _join_0._owner = _row.entity_key AND _join_0._owner_from = _row._seg_from), settled AS (SELECT entity_key, valid_from, valid_to, _batch, LAST_VALUE("company_id") OVER (PARTITION BY entity_key ORDER BY valid_from ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS "company_id", "segment", LAST_VALUE("name") OVER (PARTITION BY entity_key ORDER BY valid_from ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS "name", FIRST_VALUE("first_segment") OVER (PARTITION BY entity_key ORDER BY valid_from ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS "first_segment", LAST_VALUE("number") OVER (PARTITION BY entity_key ORDER BY valid_from ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS "number", "city", LAST_VALUE("phone") OVER (PARTITION BY entity_key ORDER BY valid_from ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS "phone"
FROM valued), members AS (WITH looked AS (SELECT "entity_key", "segment", "city", "first_segment", "company_id", "name", "number", "phone", "_batch", valid_from, valid_to, LAG("segment") OVER (PARTITION BY "entity_key" ORDER BY valid_from) AS "_was_segment", LAG("city") OVER (PARTITION BY "entity_key" ORDER BY valid_from) AS "_was_city", LAG(valid_to) OVER (PARTITION BY "entity_key" ORDER BY valid_from) AS _was_valid_to
FROM settled), ranked AS (SELECT "entity_key", "segment", "city", "first_segment", "company_id", "name", "number", "phone", "_batch", valid_from, valid_to, CASE WHEN _was_valid_to IS NULL OR _was_valid_to < valid_from OR ((CASE WHEN "segment" = "_was_segment" AND FNV_HASH("segment") = FNV_HASH("_was_segment") THEN 0 WHEN "segment" IS NULL AND "_was_segment" IS NULL THEN 0 ELSE 1 END = 1) OR (CASE WHEN "city" = "_was_city" AND FNV_HASH("city") = FNV_HASH("_was_city") THEN 0 WHEN "city" IS NULL AND "_was_city" IS NULL THEN 0 ELSE 1 END = 1)) THEN 1 ELSE 0 END AS _opens, _was_valid_to
FROM looked), ends AS (SELECT "entity_key", "segment", "city", "first_segment", "company_id", "name", "number", "phone", "_batch", valid_from, LEAD(_was_valid_to) OVER (PARTITION BY "entity_key" ORDER BY valid_from) AS _next_was_valid_to
FROM ranked
WHERE _opens = 1), lasts AS (SELECT "entity_key" AS _last_key, MAX(valid_to) AS _last_valid_to
FROM ranked
GROUP BY "entity_key") SELECT "entity_key", "segment", "city", "first_segment", "company_id", "name", "number", "phone", "_batch", valid_from, COALESCE(_next_was_valid_to, _last_valid_to) AS valid_to
FROM ends
JOIN lasts ON lasts._last_key = ends."entity_key"), line_number AS (SELECT entity_key, parent, value, is_current
FROM (SELECT _row.entity_key, SPLIT_PART(_row.entity_key, ':', 1) || ':' || CAST(_row."parent_id" AS VARCHAR(MAX)) AS parent, _row."number" AS value, _row.is_current, ROW_NUMBER() OVER (PARTITION BY _row.entity_key ORDER BY _row.valid_from DESC NULLS LAST) AS place
FROM "acme_silver"."company" AS _row) AS placed
WHERE place = 1), chain_number AS (SELECT *
FROM "recursion__found_8"), inherited_number AS (SELECT entity_key, MAX(value) AS value
FROM chain_number
WHERE NOT value IS NULL
GROUP BY entity_key) SELECT (STRTOL(SUBSTRING(MD5(CASE WHEN _row._place = 1 THEN 'first' ELSE CAST(DATEDIFF(MICROSECOND, CAST('1970-01-01 00:00:00' AS TIMESTAMP), _row.valid_from) AS VARCHAR(MAX)) END || '|' || _row.entity_key)
FROM 1 FOR 15), 16) % 9007199254740992) AS "company_key", _row.entity_key, _row."company_id", _row."segment", _row."name", _row."first_segment", COALESCE(_row."number", inherited_number.value) AS "number", _row."city", _row."phone", _row.valid_from, _row.valid_to, _row.valid_to = CAST('9999-12-31 00:00:00' AS TIMESTAMP) AS is_current, FALSE AS is_inferred, _load.read_at AS loaded_at, _row._batch AS batch_id, _load.source
FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY entity_key ORDER BY valid_from) AS _place
FROM members) AS _row
LEFT JOIN inherited_number ON inherited_number.entity_key = _row.entity_key
LEFT JOIN "acme_meta"."batch" AS _load ON _load.batch_id = _row._batch) AS _fresh;

INSERT INTO "acme_gold"."dim_company" ("company_key", "entity_key", "company_id", "segment", "name", "first_segment", "number", "city", "phone", "valid_from", "valid_to", "is_current", "is_inferred", "loaded_at", "batch_id", "source") SELECT *
FROM "gold_reserved";

INSERT INTO "acme_gold"."dim_date" ("date_key", "date", "year", "quarter", "month", "month_name", "week", "day_of_month", "day_of_week", "day_name", "day_of_year", "is_weekend", "is_holiday", "holiday_name", "is_month_start", "is_month_end", "fiscal_year", "fiscal_quarter", "fiscal_month", "loaded_at", "batch_id", "source") SELECT "date_key", "date", "year", "quarter", "month", "month_name", "week", "day_of_month", "day_of_week", "day_name", "day_of_year", "is_weekend", "is_holiday", "holiday_name", "is_month_start", "is_month_end", "fiscal_year", "fiscal_quarter", "fiscal_month", "loaded_at", "batch_id", "source"
FROM "replaced__added";

INSERT INTO "acme_gold"."dim_date" ("date_key", "date", "year", "quarter", "month", "month_name", "week", "day_of_month", "day_of_week", "day_name", "day_of_year", "is_weekend", "is_holiday", "holiday_name", "is_month_start", "is_month_end", "fiscal_year", "fiscal_quarter", "fiscal_month", "loaded_at", "batch_id", "source") SELECT *
FROM "gold_reserved";

INSERT INTO "acme_gold"."dim_member" ("member_key", "entity_key", "name", "cost", "valid_from", "valid_to", "is_current", "is_inferred", "loaded_at", "batch_id", "source") SELECT "member_key", "entity_key", "name", "cost", "valid_from", "valid_to", "is_current", "is_inferred", "loaded_at", "batch_id", "source"
FROM "gold_inferred";

INSERT INTO "acme_gold"."dim_member" ("member_key", "entity_key", "name", "cost", "valid_from", "valid_to", "is_current", "is_inferred", "loaded_at", "batch_id", "source") SELECT "member_key", "entity_key", "name", "cost", "valid_from", "valid_to", "is_current", "is_inferred", "loaded_at", "batch_id", "source"
FROM (WITH versions AS (SELECT _row.*
FROM "acme_silver"."member" AS _row), valued AS (SELECT _row.entity_key, _row.valid_from, _row.valid_to, _row.batch_id AS _batch, _row."name" AS "name", _row."cost" AS "cost"
FROM versions AS _row), settled AS (SELECT entity_key, valid_from, valid_to, _batch, LAST_VALUE("name") OVER (PARTITION BY entity_key ORDER BY valid_from ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS "name", "cost"
FROM valued), members AS (WITH looked AS (SELECT "entity_key", "cost", "name", "_batch", valid_from, valid_to, LAG("cost") OVER (PARTITION BY "entity_key" ORDER BY valid_from) AS "_was_cost", LAG(valid_to) OVER (PARTITION BY "entity_key" ORDER BY valid_from) AS _was_valid_to
FROM settled), ranked AS (SELECT "entity_key", "cost", "name", "_batch", valid_from, valid_to, CASE WHEN _was_valid_to IS NULL OR _was_valid_to < valid_from OR ((CASE WHEN "cost" = "_was_cost" AND FNV_HASH("cost") = FNV_HASH("_was_cost") THEN 0 WHEN "cost" IS NULL AND "_was_cost" IS NULL THEN 0 ELSE 1 END = 1)) THEN 1 ELSE 0 END AS _opens, _was_valid_to
FROM looked), ends AS (SELECT "entity_key", "cost", "name", "_batch", valid_from, LEAD(_was_valid_to) OVER (PARTITION BY "entity_key" ORDER BY valid_from) AS _next_was_valid_to
FROM ranked
WHERE _opens = 1), lasts AS (SELECT "entity_key" AS _last_key, MAX(valid_to) AS _last_valid_to
FROM ranked
GROUP BY "entity_key") SELECT "entity_key", "cost", "name", "_batch", valid_from, COALESCE(_next_was_valid_to, _last_valid_to) AS valid_to
FROM ends
JOIN lasts ON lasts._last_key = ends."entity_key") SELECT (STRTOL(SUBSTRING(MD5(CASE WHEN _row._place = 1 THEN 'first' ELSE CAST(DATEDIFF(MICROSECOND, CAST('1970-01-01 00:00:00' AS TIMESTAMP), _row.valid_from) AS VARCHAR(MAX)) END || '|' || _row.entity_key)
FROM 1 FOR 15), 16) % 9007199254740992) AS "member_key", _row.entity_key, _row."name", _row."cost", _row.valid_from, _row.valid_to, _row.valid_to = CAST('9999-12-31 00:00:00' AS TIMESTAMP) AS is_current, FALSE AS is_inferred, _load.read_at AS loaded_at, _row._batch AS batch_id, _load.source
FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY entity_key ORDER BY valid_from) AS _place
FROM members) AS _row
LEFT JOIN "acme_meta"."batch" AS _load ON _load.batch_id = _row._batch) AS _fresh;

INSERT INTO "acme_gold"."dim_member" ("member_key", "entity_key", "name", "cost", "valid_from", "valid_to", "is_current", "is_inferred", "loaded_at", "batch_id", "source") SELECT *
FROM "gold_reserved";

INSERT INTO "acme_gold"."dim_option" ("option_key", "entity_key", "value", "category", "valid_from", "valid_to", "is_current", "is_inferred", "loaded_at", "batch_id", "source") SELECT "option_key", "entity_key", "value", "category", "valid_from", "valid_to", "is_current", "is_inferred", "loaded_at", "batch_id", "source"
FROM "replaced__added";

INSERT INTO "acme_gold"."dim_option" ("option_key", "entity_key", "value", "category", "valid_from", "valid_to", "is_current", "is_inferred", "loaded_at", "batch_id", "source") SELECT *
FROM "gold_reserved";

INSERT INTO "acme_gold"."dim_worker" ("worker_key", "entity_key", "name", "valid_from", "valid_to", "is_current", "is_inferred", "loaded_at", "batch_id", "source") SELECT "worker_key", "entity_key", "name", "valid_from", "valid_to", "is_current", "is_inferred", "loaded_at", "batch_id", "source"
FROM "gold_inferred";

INSERT INTO "acme_gold"."dim_worker" ("worker_key", "entity_key", "name", "valid_from", "valid_to", "is_current", "is_inferred", "loaded_at", "batch_id", "source") SELECT "worker_key", "entity_key", "name", "valid_from", "valid_to", "is_current", "is_inferred", "loaded_at", "batch_id", "source"
FROM (SELECT COALESCE(_old."worker_key", (SELECT GREATEST(COALESCE(MAX(given.number), 0), 0)
FROM (SELECT "worker_key" AS number
FROM "acme_gold"."dim_worker"
UNION ALL SELECT change_id
FROM (SELECT change_id
FROM "acme_meta"."consumer_offset"
WHERE consumer = 'dim_worker' AND entity = '@last') AS noted) AS given) + ROW_NUMBER() OVER (PARTITION BY _old."worker_key" IS NULL ORDER BY _new.loaded_at, _new.valid_from, _new.entity_key)) AS "worker_key", _new."entity_key", _new."name", _new."valid_from", _new."valid_to", _new."is_current", _new."is_inferred", _new."loaded_at", _new."batch_id", _new."source"
FROM (SELECT *, CASE WHEN ROW_NUMBER() OVER (PARTITION BY entity_key ORDER BY valid_from) = 1 THEN NULL ELSE valid_from END AS _since
FROM "gold_fresh"
WHERE entity_key IN (SELECT entity_key
FROM "gold_fresh")) AS _new
LEFT JOIN (SELECT "worker_key", entity_key, CASE WHEN ROW_NUMBER() OVER (PARTITION BY entity_key ORDER BY valid_from) = 1 THEN NULL ELSE valid_from END AS _since
FROM "acme_gold"."dim_worker"
WHERE entity_key IN (SELECT entity_key
FROM "gold_fresh")) AS _old ON _old.entity_key = _new.entity_key AND (CASE WHEN _old._since = _new._since AND FNV_HASH(_old._since) = FNV_HASH(_new._since) THEN 0 WHEN _old._since IS NULL AND _new._since IS NULL THEN 0 ELSE 1 END = 0)) AS _fresh;

INSERT INTO "acme_gold"."dim_worker" ("worker_key", "entity_key", "name", "valid_from", "valid_to", "is_current", "is_inferred", "loaded_at", "batch_id", "source") SELECT *
FROM "gold_reserved";

INSERT INTO "acme_gold"."fact_agreement_period" ("entity_key", "agreement_id", "period_start", "period_end", "company_key", "month_key", "amount", "loaded_at", "batch_id", "source") SELECT "entity_key", "agreement_id", "period_start", "period_end", "company_key", "month_key", "amount", "loaded_at", "batch_id", "source"
FROM "gold_fresh";

INSERT INTO "acme_gold"."fact_entry" ("entity_key", "entry_id", "member_key", "worker_key", "approver_key", "company_key", "option_key", "work_date_key", "head_key", "started_at", "option", "worked", "revenue", "cost", "margin", "loaded_at", "batch_id", "source") SELECT "entity_key", "entry_id", "member_key", "worker_key", "approver_key", "company_key", "option_key", "work_date_key", "head_key", "started_at", "option", "worked", "revenue", "cost", "margin", "loaded_at", "batch_id", "source"
FROM "gold_filled";

INSERT INTO "acme_gold"."fact_line" ("entity_key", "kind", "line_id", "company_key", "day_key", "amount", "loaded_at", "batch_id", "source") SELECT "entity_key", "kind", "line_id", "company_key", "day_key", "amount", "loaded_at", "batch_id", "source"
FROM "gold_fresh";

INSERT INTO "acme_meta"."consumer_offset" ("consumer", "entity", "change_id") SELECT *
FROM (SELECT 'dim_company' AS c0, 'address' AS c1, CAST(8 AS BIGINT) AS c2
UNION ALL SELECT 'dim_company', 'company', CAST(7 AS BIGINT)
UNION ALL SELECT 'dim_company', '@definition', CAST(21744881311198798 AS BIGINT)
UNION ALL SELECT 'dim_company', '@keys', CAST(53 AS BIGINT)) AS fresh;

INSERT INTO "acme_meta"."consumer_offset" ("consumer", "entity", "change_id") SELECT *
FROM (SELECT 'dim_date' AS c0, '@definition' AS c1, CAST(1101763708617593306 AS BIGINT) AS c2) AS fresh;

INSERT INTO "acme_meta"."consumer_offset" ("consumer", "entity", "change_id") SELECT *
FROM (SELECT 'dim_member' AS c0, 'member' AS c1, CAST(9 AS BIGINT) AS c2
UNION ALL SELECT 'dim_member', '@definition', CAST(645749607725460464 AS BIGINT)
UNION ALL SELECT 'dim_member', '@keys', CAST(53 AS BIGINT)) AS fresh;

INSERT INTO "acme_meta"."consumer_offset" ("consumer", "entity", "change_id") SELECT *
FROM (SELECT 'dim_option' AS c0, 'entry' AS c1, CAST(10 AS BIGINT) AS c2
UNION ALL SELECT 'dim_option', '@definition', CAST(950404991678521876 AS BIGINT)
UNION ALL SELECT 'dim_option', '@keys', CAST(53 AS BIGINT)) AS fresh;

INSERT INTO "acme_meta"."consumer_offset" ("consumer", "entity", "change_id") SELECT *
FROM (SELECT 'dim_worker' AS c0, 'member' AS c1, CAST(9 AS BIGINT) AS c2
UNION ALL SELECT 'dim_worker', '@definition', CAST(438444176589423724 AS BIGINT)
UNION ALL SELECT 'dim_worker', '@keys', CAST(1 AS BIGINT)) AS fresh;

INSERT INTO "acme_meta"."consumer_offset" ("consumer", "entity", "change_id") SELECT *
FROM (SELECT 'fact_agreement_period' AS c0, 'agreement' AS c1, CAST(12 AS BIGINT) AS c2
UNION ALL SELECT 'fact_agreement_period', 'dim_company', CAST(0 AS BIGINT)
UNION ALL SELECT 'fact_agreement_period', '@definition', CAST(317686219382966222 AS BIGINT)
UNION ALL SELECT 'fact_agreement_period', '@period', CAST(202401 AS BIGINT)) AS fresh;

INSERT INTO "acme_meta"."consumer_offset" ("consumer", "entity", "change_id") SELECT *
FROM (SELECT 'fact_entry' AS c0, 'dim_company' AS c1, CAST(0 AS BIGINT) AS c2
UNION ALL SELECT 'fact_entry', 'dim_member', CAST(0 AS BIGINT)
UNION ALL SELECT 'fact_entry', 'dim_option', CAST(0 AS BIGINT)
UNION ALL SELECT 'fact_entry', 'dim_worker', CAST(0 AS BIGINT)
UNION ALL SELECT 'fact_entry', 'entry', CAST(10 AS BIGINT)
UNION ALL SELECT 'fact_entry', '@definition', CAST(948386013146450065 AS BIGINT)) AS fresh;

INSERT INTO "acme_meta"."consumer_offset" ("consumer", "entity", "change_id") SELECT *
FROM (SELECT 'fact_line' AS c0, 'dim_company' AS c1, CAST(0 AS BIGINT) AS c2
UNION ALL SELECT 'fact_line', 'entry', CAST(10 AS BIGINT)
UNION ALL SELECT 'fact_line', 'product', CAST(11 AS BIGINT)
UNION ALL SELECT 'fact_line', '@definition', CAST(808546577614480306 AS BIGINT)) AS fresh;

SELECT "company_key"
FROM "acme_gold"."dim_company"
GROUP BY "company_key" HAVING COUNT(*) > 1;

SELECT "company_key"
FROM "acme_gold"."dim_company"
WHERE "company_key" IN (SELECT "company_key"
FROM "gold_inferred")
GROUP BY "company_key" HAVING COUNT(*) > 1;

SELECT "member_key"
FROM "acme_gold"."dim_member"
GROUP BY "member_key" HAVING COUNT(*) > 1;

SELECT "member_key"
FROM "acme_gold"."dim_member"
WHERE "member_key" IN (SELECT "member_key"
FROM "gold_inferred")
GROUP BY "member_key" HAVING COUNT(*) > 1;

SELECT "option_key"
FROM "acme_gold"."dim_option"
WHERE "option_key" IN (SELECT "option_key"
FROM "gold_narrow")
GROUP BY "option_key" HAVING COUNT(*) > 1;

SELECT "worker_key"
FROM "acme_gold"."dim_worker"
GROUP BY "worker_key" HAVING COUNT(*) > 1;

SELECT "worker_key"
FROM "acme_gold"."dim_worker"
WHERE "worker_key" IN (SELECT "worker_key"
FROM "gold_inferred")
GROUP BY "worker_key" HAVING COUNT(*) > 1;

SELECT 1
FROM "acme_gold"."dim_company" LIMIT 1;

SELECT 1
FROM "acme_gold"."dim_member" LIMIT 1;

SELECT 1
FROM "acme_gold"."dim_option"
WHERE is_inferred LIMIT 1;

SELECT 1
FROM "acme_gold"."dim_worker" LIMIT 1;

SELECT 1
FROM "acme_gold"."fact_agreement_period" LIMIT 1;

SELECT 1
FROM "acme_gold"."fact_entry" LIMIT 1;

SELECT 1
FROM "acme_gold"."fact_line" LIMIT 1;

SELECT 1
FROM "gold_changed"
WHERE "entity_key" IS NULL LIMIT 1;

SELECT 1
FROM "gold_keys"
WHERE "date_key" IS NULL LIMIT 1;

SELECT 1
FROM ((SELECT *
FROM "gold_reserved" AS _one
EXCEPT SELECT *
FROM (SELECT "company_key", "entity_key", "company_id", "segment", "name", "first_segment", "number", "city", "phone", "valid_from", "valid_to", "is_current", "is_inferred", "loaded_at", "batch_id", "source"
FROM "acme_gold"."dim_company"
WHERE "company_key" < 0) AS _other)
UNION ALL (SELECT *
FROM (SELECT "company_key", "entity_key", "company_id", "segment", "name", "first_segment", "number", "city", "phone", "valid_from", "valid_to", "is_current", "is_inferred", "loaded_at", "batch_id", "source"
FROM "acme_gold"."dim_company"
WHERE "company_key" < 0) AS _one
EXCEPT SELECT *
FROM "gold_reserved" AS _other)) AS _differ LIMIT 1;

SELECT 1
FROM ((SELECT *
FROM "gold_reserved" AS _one
EXCEPT SELECT *
FROM (SELECT "date_key", "date", "year", "quarter", "month", "month_name", "week", "day_of_month", "day_of_week", "day_name", "day_of_year", "is_weekend", "is_holiday", "holiday_name", "is_month_start", "is_month_end", "fiscal_year", "fiscal_quarter", "fiscal_month", "loaded_at", "batch_id", "source"
FROM "acme_gold"."dim_date"
WHERE "date_key" < 0) AS _other)
UNION ALL (SELECT *
FROM (SELECT "date_key", "date", "year", "quarter", "month", "month_name", "week", "day_of_month", "day_of_week", "day_name", "day_of_year", "is_weekend", "is_holiday", "holiday_name", "is_month_start", "is_month_end", "fiscal_year", "fiscal_quarter", "fiscal_month", "loaded_at", "batch_id", "source"
FROM "acme_gold"."dim_date"
WHERE "date_key" < 0) AS _one
EXCEPT SELECT *
FROM "gold_reserved" AS _other)) AS _differ LIMIT 1;

SELECT 1
FROM ((SELECT *
FROM "gold_reserved" AS _one
EXCEPT SELECT *
FROM (SELECT "member_key", "entity_key", "name", "cost", "valid_from", "valid_to", "is_current", "is_inferred", "loaded_at", "batch_id", "source"
FROM "acme_gold"."dim_member"
WHERE "member_key" < 0) AS _other)
UNION ALL (SELECT *
FROM (SELECT "member_key", "entity_key", "name", "cost", "valid_from", "valid_to", "is_current", "is_inferred", "loaded_at", "batch_id", "source"
FROM "acme_gold"."dim_member"
WHERE "member_key" < 0) AS _one
EXCEPT SELECT *
FROM "gold_reserved" AS _other)) AS _differ LIMIT 1;

SELECT 1
FROM ((SELECT *
FROM "gold_reserved" AS _one
EXCEPT SELECT *
FROM (SELECT "option_key", "entity_key", "value", "category", "valid_from", "valid_to", "is_current", "is_inferred", "loaded_at", "batch_id", "source"
FROM "acme_gold"."dim_option"
WHERE "option_key" < 0) AS _other)
UNION ALL (SELECT *
FROM (SELECT "option_key", "entity_key", "value", "category", "valid_from", "valid_to", "is_current", "is_inferred", "loaded_at", "batch_id", "source"
FROM "acme_gold"."dim_option"
WHERE "option_key" < 0) AS _one
EXCEPT SELECT *
FROM "gold_reserved" AS _other)) AS _differ LIMIT 1;

SELECT 1
FROM ((SELECT *
FROM "gold_reserved" AS _one
EXCEPT SELECT *
FROM (SELECT "worker_key", "entity_key", "name", "valid_from", "valid_to", "is_current", "is_inferred", "loaded_at", "batch_id", "source"
FROM "acme_gold"."dim_worker"
WHERE "worker_key" < 0) AS _other)
UNION ALL (SELECT *
FROM (SELECT "worker_key", "entity_key", "name", "valid_from", "valid_to", "is_current", "is_inferred", "loaded_at", "batch_id", "source"
FROM "acme_gold"."dim_worker"
WHERE "worker_key" < 0) AS _one
EXCEPT SELECT *
FROM "gold_reserved" AS _other)) AS _differ LIMIT 1;

SELECT COUNT(*)
FROM "gold_asked";

SELECT COUNT(*)
FROM "gold_met";

SELECT COUNT(*)
FROM "recursion__found_1";

SELECT COUNT(*)
FROM "recursion__found_8";

SELECT COUNT(*)
FROM "recursion__next_1";

SELECT COUNT(*)
FROM "recursion__next_8";

SELECT COUNT(*), MIN(entity_key)
FROM (SELECT _row.entity_key
FROM "acme_silver"."agreement" AS _row
WHERE _row.is_current AND (CAST(_row."starts_on" AS DATE) IS NULL OR CAST(_row."ends_on" AS DATE) < CAST(_row."starts_on" AS DATE))) AS found;

SELECT MIN(CAST(_row."starts_on" AS DATE))
FROM "acme_silver"."agreement" AS _row
WHERE _row.is_current;

SELECT MIN(_row.entity_key), MAX(_row.entity_key), COUNT(*), SPLIT_PART(_row.entity_key, ':', 1), _row."agreement_id", _row."period_start"
FROM (SELECT _row."entity_key", _row."agreement_id", _row."period_start"
FROM "acme_gold"."fact_agreement_period" AS _row
WHERE EXISTS(SELECT 1
FROM "gold_fresh" AS _new
WHERE _new."agreement_id" = _row."agreement_id" AND _new."period_start" = _row."period_start")) AS _row
GROUP BY SPLIT_PART(_row.entity_key, ':', 1), _row."agreement_id", _row."period_start" HAVING COUNT(*) > 1 LIMIT 1;

SELECT MIN(_row.entity_key), MAX(_row.entity_key), COUNT(*), SPLIT_PART(_row.entity_key, ':', 1), _row."kind", _row."line_id"
FROM (SELECT _row."entity_key", _row."kind", _row."line_id"
FROM "acme_gold"."fact_line" AS _row
WHERE EXISTS(SELECT 1
FROM "gold_fresh" AS _new
WHERE _new."kind" = _row."kind" AND _new."line_id" = _row."line_id")) AS _row
GROUP BY SPLIT_PART(_row.entity_key, ':', 1), _row."kind", _row."line_id" HAVING COUNT(*) > 1 LIMIT 1;

SELECT SUM(CASE WHEN "company_key" IS NULL THEN 1 ELSE 0 END), MIN(CASE WHEN "company_key" IS NULL THEN entity_key END), SUM(CASE WHEN "day_key" = -3 THEN 1 ELSE 0 END), MIN(CASE WHEN "day_key" = -3 THEN entity_key END), SUM(CASE WHEN "kind" IS NULL OR "line_id" IS NULL THEN 1 ELSE 0 END), MIN(CASE WHEN "kind" IS NULL OR "line_id" IS NULL THEN entity_key END)
FROM "gold_fresh";

SELECT SUM(CASE WHEN "company_key" IS NULL THEN 1 ELSE 0 END), MIN(CASE WHEN "company_key" IS NULL THEN entity_key END), SUM(CASE WHEN "month_key" = -3 THEN 1 ELSE 0 END), MIN(CASE WHEN "month_key" = -3 THEN entity_key END), SUM(CASE WHEN "agreement_id" IS NULL OR "period_start" IS NULL THEN 1 ELSE 0 END), MIN(CASE WHEN "agreement_id" IS NULL OR "period_start" IS NULL THEN entity_key END)
FROM "gold_fresh";

SELECT SUM(CASE WHEN "member_key" IS NULL THEN 1 ELSE 0 END), MIN(CASE WHEN "member_key" IS NULL THEN entity_key END), SUM(CASE WHEN "worker_key" IS NULL THEN 1 ELSE 0 END), MIN(CASE WHEN "worker_key" IS NULL THEN entity_key END), SUM(CASE WHEN "approver_key" IS NULL THEN 1 ELSE 0 END), MIN(CASE WHEN "approver_key" IS NULL THEN entity_key END), SUM(CASE WHEN "company_key" IS NULL THEN 1 ELSE 0 END), MIN(CASE WHEN "company_key" IS NULL THEN entity_key END), SUM(CASE WHEN "option_key" IS NULL THEN 1 ELSE 0 END), MIN(CASE WHEN "option_key" IS NULL THEN entity_key END), SUM(CASE WHEN "work_date_key" = -3 THEN 1 ELSE 0 END), MIN(CASE WHEN "work_date_key" = -3 THEN entity_key END), SUM(CASE WHEN "head_key" IS NULL THEN 1 ELSE 0 END), MIN(CASE WHEN "head_key" IS NULL THEN entity_key END), SUM(CASE WHEN "entry_id" IS NULL THEN 1 ELSE 0 END), MIN(CASE WHEN "entry_id" IS NULL THEN entity_key END)
FROM "gold_fresh";

SELECT consumer, entity, MAX(change_id) AS position
FROM "acme_meta"."consumer_offset"
GROUP BY consumer, entity
UNION ALL SELECT CAST('' AS VARCHAR(65535)), entity, MAX(change_id)
FROM "acme_meta"."change_feed"
GROUP BY entity
UNION ALL SELECT CAST('' AS VARCHAR(65535)), CAST('@period' AS VARCHAR(65535)), CAST(CAST(FLOOR(EXTRACT(YEAR
FROM MAX(read_at))) AS BIGINT) * 100 + CAST(FLOOR(EXTRACT(MONTH
FROM MAX(read_at))) AS BIGINT) AS BIGINT)
FROM "acme_meta"."batch";

WITH line_number AS (SELECT entity_key, parent, value, is_current
FROM (SELECT _row.entity_key, SPLIT_PART(_row.entity_key, ':', 1) || ':' || CAST(_row."parent_id" AS VARCHAR(MAX)) AS parent, _row."number" AS value, _row.is_current, ROW_NUMBER() OVER (PARTITION BY _row.entity_key ORDER BY _row.valid_from DESC NULLS LAST) AS place
FROM "acme_silver"."company" AS _row) AS placed
WHERE place = 1), chain_number AS (SELECT *
FROM "recursion__found_1"), inherited_number AS (SELECT entity_key, MAX(value) AS value
FROM chain_number
WHERE NOT value IS NULL
GROUP BY entity_key) SELECT asked.entity_key
FROM chain_number AS asked
LEFT JOIN line_number AS above ON above.entity_key = asked.parent AND above.is_current
GROUP BY asked.entity_key HAVING COUNT(asked.value) = 0 AND COUNT(above.entity_key) = COUNT(*);
