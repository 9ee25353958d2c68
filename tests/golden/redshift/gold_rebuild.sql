CREATE TEMPORARY TABLE "gold_changed" AS SELECT entity_key
FROM (SELECT "company_key", "entity_key", "company_id", "segment", "name", "first_segment", "number", "city", "phone", "valid_from", "valid_to", "is_current", "is_inferred", "loaded_at", "batch_id", "source"
FROM "gold_fresh"
EXCEPT SELECT "company_key", "entity_key", "company_id", "segment", "name", "first_segment", "number", "city", "phone", "valid_from", "valid_to", "is_current", "is_inferred", "loaded_at", "batch_id", "source"
FROM "acme_gold"."dim_company"
WHERE entity_key IN (SELECT entity_key
FROM "gold_keys")) AS _fresh
UNION SELECT entity_key
FROM (SELECT "company_key", "entity_key", "company_id", "segment", "name", "first_segment", "number", "city", "phone", "valid_from", "valid_to", "is_current", "is_inferred", "loaded_at", "batch_id", "source"
FROM "acme_gold"."dim_company"
WHERE entity_key IN (SELECT entity_key
FROM "gold_keys")
EXCEPT SELECT "company_key", "entity_key", "company_id", "segment", "name", "first_segment", "number", "city", "phone", "valid_from", "valid_to", "is_current", "is_inferred", "loaded_at", "batch_id", "source"
FROM "gold_fresh") AS _gone;

CREATE TEMPORARY TABLE "gold_changed" AS SELECT entity_key
FROM (SELECT "member_key", "entity_key", "name", "cost", "valid_from", "valid_to", "is_current", "is_inferred", "loaded_at", "batch_id", "source"
FROM "gold_fresh"
EXCEPT SELECT "member_key", "entity_key", "name", "cost", "valid_from", "valid_to", "is_current", "is_inferred", "loaded_at", "batch_id", "source"
FROM "acme_gold"."dim_member"
WHERE entity_key IN (SELECT entity_key
FROM "gold_keys")) AS _fresh
UNION SELECT entity_key
FROM (SELECT "member_key", "entity_key", "name", "cost", "valid_from", "valid_to", "is_current", "is_inferred", "loaded_at", "batch_id", "source"
FROM "acme_gold"."dim_member"
WHERE entity_key IN (SELECT entity_key
FROM "gold_keys")
EXCEPT SELECT "member_key", "entity_key", "name", "cost", "valid_from", "valid_to", "is_current", "is_inferred", "loaded_at", "batch_id", "source"
FROM "gold_fresh") AS _gone;

CREATE TEMPORARY TABLE "gold_changed" AS SELECT entity_key
FROM (SELECT "worker_key", "entity_key", "name", "valid_from", "valid_to", "is_current", "is_inferred", "loaded_at", "batch_id", "source"
FROM "gold_numbered"
EXCEPT SELECT "worker_key", "entity_key", "name", "valid_from", "valid_to", "is_current", "is_inferred", "loaded_at", "batch_id", "source"
FROM "acme_gold"."dim_worker"
WHERE entity_key IN (SELECT entity_key
FROM "gold_keys")) AS _fresh
UNION SELECT entity_key
FROM (SELECT "worker_key", "entity_key", "name", "valid_from", "valid_to", "is_current", "is_inferred", "loaded_at", "batch_id", "source"
FROM "acme_gold"."dim_worker"
WHERE entity_key IN (SELECT entity_key
FROM "gold_keys")
EXCEPT SELECT "worker_key", "entity_key", "name", "valid_from", "valid_to", "is_current", "is_inferred", "loaded_at", "batch_id", "source"
FROM "gold_numbered") AS _gone;

CREATE TEMPORARY TABLE "gold_fresh" AS SELECT "company_key", "entity_key", "company_id", "segment", "name", "first_segment", "number", "city", "phone", "valid_from", "valid_to", "is_current", "is_inferred", "loaded_at", "batch_id", "source"
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
LEFT JOIN "acme_meta"."batch" AS _load ON _load.batch_id = _row._batch) AS _fresh
UNION ALL SELECT "company_key", "entity_key", "company_id", "segment", "name", "first_segment", "number", "city", "phone", "valid_from", "valid_to", "is_current", "is_inferred", "loaded_at", "batch_id", "source"
FROM "acme_gold"."dim_company"
WHERE is_inferred AND entity_key IN (SELECT entity_key
FROM "gold_keys") AND NOT entity_key IN (SELECT entity_key
FROM "acme_silver"."company");

CREATE TEMPORARY TABLE "gold_fresh" AS SELECT "member_key", "entity_key", "name", "cost", "valid_from", "valid_to", "is_current", "is_inferred", "loaded_at", "batch_id", "source"
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
LEFT JOIN "acme_meta"."batch" AS _load ON _load.batch_id = _row._batch) AS _fresh
UNION ALL SELECT "member_key", "entity_key", "name", "cost", "valid_from", "valid_to", "is_current", "is_inferred", "loaded_at", "batch_id", "source"
FROM "acme_gold"."dim_member"
WHERE is_inferred AND entity_key IN (SELECT entity_key
FROM "gold_keys") AND NOT entity_key IN (SELECT entity_key
FROM "acme_silver"."member");

CREATE TEMPORARY TABLE "gold_fresh" AS SELECT "worker_key", "entity_key", "name", "valid_from", "valid_to", "is_current", "is_inferred", "loaded_at", "batch_id", "source"
FROM (WITH versions AS (SELECT _row.*
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
LEFT JOIN "acme_meta"."batch" AS _load ON _load.batch_id = _row._batch) AS _fresh
UNION ALL SELECT "worker_key", "entity_key", "name", "valid_from", "valid_to", "is_current", "is_inferred", "loaded_at", "batch_id", "source"
FROM "acme_gold"."dim_worker"
WHERE is_inferred AND entity_key IN (SELECT entity_key
FROM "gold_keys") AND NOT entity_key IN (SELECT entity_key
FROM "acme_silver"."member");

CREATE TEMPORARY TABLE "gold_keys" AS SELECT entity_key
FROM "acme_silver"."company"
UNION SELECT entity_key
FROM "acme_gold"."dim_company"
WHERE NOT entity_key IS NULL;

CREATE TEMPORARY TABLE "gold_keys" AS SELECT entity_key
FROM "acme_silver"."entry"
WHERE is_current
UNION SELECT entity_key
FROM "acme_gold"."fact_entry";

CREATE TEMPORARY TABLE "gold_keys" AS SELECT entity_key
FROM "acme_silver"."entry"
WHERE is_current
UNION SELECT entity_key
FROM "acme_silver"."product"
WHERE is_current
UNION SELECT entity_key
FROM "acme_gold"."fact_line";

CREATE TEMPORARY TABLE "gold_keys" AS SELECT entity_key
FROM "acme_silver"."member"
UNION SELECT entity_key
FROM "acme_gold"."dim_member"
WHERE NOT entity_key IS NULL;

CREATE TEMPORARY TABLE "gold_keys" AS SELECT entity_key
FROM "acme_silver"."member"
UNION SELECT entity_key
FROM "acme_gold"."dim_worker"
WHERE NOT entity_key IS NULL;

CREATE TEMPORARY TABLE "gold_narrow" AS SELECT "company_key", "entity_key", "company_id", "segment", "name", "first_segment", "number", "city", "phone", "valid_from", "valid_to", "is_current", "is_inferred", "loaded_at", "batch_id", "source"
FROM "gold_fresh"
WHERE entity_key IN (SELECT entity_key
FROM "gold_changed");

CREATE TEMPORARY TABLE "gold_narrow" AS SELECT "member_key", "entity_key", "name", "cost", "valid_from", "valid_to", "is_current", "is_inferred", "loaded_at", "batch_id", "source"
FROM "gold_fresh"
WHERE entity_key IN (SELECT entity_key
FROM "gold_changed");

CREATE TEMPORARY TABLE "gold_narrow" AS SELECT "worker_key", "entity_key", "name", "valid_from", "valid_to", "is_current", "is_inferred", "loaded_at", "batch_id", "source"
FROM "gold_numbered"
WHERE entity_key IN (SELECT entity_key
FROM "gold_changed");

CREATE TEMPORARY TABLE "gold_numbered" AS SELECT COALESCE(_old."worker_key", (SELECT GREATEST(COALESCE(MAX(given.number), 0), 0)
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
FROM "gold_fresh")) AS _old ON _old.entity_key = _new.entity_key AND (CASE WHEN _old._since = _new._since AND FNV_HASH(_old._since) = FNV_HASH(_new._since) THEN 0 WHEN _old._since IS NULL AND _new._since IS NULL THEN 0 ELSE 1 END = 0);

CREATE TEMPORARY TABLE "gold_referred_0" AS SELECT "company_key" AS member
FROM "acme_gold"."dim_company"
WHERE is_inferred;

CREATE TEMPORARY TABLE "gold_referred_0" AS SELECT "company_key" AS member
FROM "acme_gold"."dim_company"
WHERE is_inferred
UNION SELECT "company_key" AS member
FROM "acme_gold"."dim_company"
WHERE is_inferred;

CREATE TEMPORARY TABLE "replaced__fresh" AS SELECT CAST("company_key" AS BIGINT) AS "company_key", CAST("entity_key" AS VARCHAR(MAX)) AS "entity_key", CAST("company_id" AS BIGINT) AS "company_id", CAST("segment" AS VARCHAR(MAX)) AS "segment", CAST("name" AS VARCHAR(MAX)) AS "name", CAST("first_segment" AS VARCHAR(MAX)) AS "first_segment", CAST("number" AS VARCHAR(MAX)) AS "number", CAST("city" AS VARCHAR(MAX)) AS "city", CAST("phone" AS VARCHAR(MAX)) AS "phone", CAST("valid_from" AS TIMESTAMP) AS "valid_from", CAST("valid_to" AS TIMESTAMP) AS "valid_to", CAST("is_current" AS BOOLEAN) AS "is_current", CAST("is_inferred" AS BOOLEAN) AS "is_inferred", CAST("loaded_at" AS TIMESTAMP) AS "loaded_at", CAST("batch_id" AS VARCHAR(MAX)) AS "batch_id", CAST("source" AS VARCHAR(MAX)) AS "source"
FROM "gold_narrow";

CREATE TEMPORARY TABLE "replaced__fresh" AS SELECT CAST("member_key" AS BIGINT) AS "member_key", CAST("entity_key" AS VARCHAR(MAX)) AS "entity_key", CAST("name" AS VARCHAR(MAX)) AS "name", CAST("cost" AS DECIMAL(18, 4)) AS "cost", CAST("valid_from" AS TIMESTAMP) AS "valid_from", CAST("valid_to" AS TIMESTAMP) AS "valid_to", CAST("is_current" AS BOOLEAN) AS "is_current", CAST("is_inferred" AS BOOLEAN) AS "is_inferred", CAST("loaded_at" AS TIMESTAMP) AS "loaded_at", CAST("batch_id" AS VARCHAR(MAX)) AS "batch_id", CAST("source" AS VARCHAR(MAX)) AS "source"
FROM "gold_narrow";

CREATE TEMPORARY TABLE "replaced__fresh" AS SELECT CAST("worker_key" AS BIGINT) AS "worker_key", CAST("entity_key" AS VARCHAR(MAX)) AS "entity_key", CAST("name" AS VARCHAR(MAX)) AS "name", CAST("valid_from" AS TIMESTAMP) AS "valid_from", CAST("valid_to" AS TIMESTAMP) AS "valid_to", CAST("is_current" AS BOOLEAN) AS "is_current", CAST("is_inferred" AS BOOLEAN) AS "is_inferred", CAST("loaded_at" AS TIMESTAMP) AS "loaded_at", CAST("batch_id" AS VARCHAR(MAX)) AS "batch_id", CAST("source" AS VARCHAR(MAX)) AS "source"
FROM "gold_narrow";

CREATE TEMPORARY TABLE "replaced__stored" AS SELECT s."company_key", s."entity_key", s."company_id", s."segment", s."name", s."first_segment", s."number", s."city", s."phone", s."valid_from", s."valid_to", s."is_current", s."is_inferred", s."loaded_at", s."batch_id", s."source"
FROM "acme_gold"."dim_company" AS s
JOIN (SELECT DISTINCT "entity_key"
FROM "gold_changed") AS k ON k."entity_key" = s."entity_key";

CREATE TEMPORARY TABLE "replaced__stored" AS SELECT s."member_key", s."entity_key", s."name", s."cost", s."valid_from", s."valid_to", s."is_current", s."is_inferred", s."loaded_at", s."batch_id", s."source"
FROM "acme_gold"."dim_member" AS s
JOIN (SELECT DISTINCT "entity_key"
FROM "gold_changed") AS k ON k."entity_key" = s."entity_key";

CREATE TEMPORARY TABLE "replaced__stored" AS SELECT s."worker_key", s."entity_key", s."name", s."valid_from", s."valid_to", s."is_current", s."is_inferred", s."loaded_at", s."batch_id", s."source"
FROM "acme_gold"."dim_worker" AS s
JOIN (SELECT DISTINCT "entity_key"
FROM "gold_changed") AS k ON k."entity_key" = s."entity_key";

SELECT *
FROM "acme_gold"."dim_company";

SELECT *
FROM "acme_gold"."dim_date";

SELECT *
FROM "acme_gold"."dim_member";

SELECT *
FROM "acme_gold"."dim_option";

SELECT *
FROM "acme_gold"."dim_worker";

SELECT *
FROM "acme_gold"."fact_agreement_period";

SELECT *
FROM "acme_gold"."fact_entry";

SELECT *
FROM "acme_gold"."fact_line";
