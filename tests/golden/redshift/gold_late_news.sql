CREATE TEMPORARY TABLE "gold_below" AS WITH family AS (SELECT _row.entity_key, SPLIT_PART(_row.entity_key, ':', 1) || ':' || CAST(_row."parent_id" AS VARCHAR(MAX)) AS parent
FROM "acme_silver"."company" AS _row
WHERE NOT _row."parent_id" IS NULL), below AS (SELECT *
FROM "recursion__found_1") SELECT entity_key
FROM below;

CREATE TEMPORARY TABLE "gold_changed" AS SELECT entity_key
FROM (SELECT "company_key", "entity_key", "company_id", "segment", "name", "first_segment", "number", "city", "phone", "valid_from", "valid_to", "is_current", "is_inferred", "loaded_at", "batch_id", "source"
FROM "gold_fresh"
EXCEPT SELECT "company_key", "entity_key", "company_id", "segment", "name", "first_segment", "number", "city", "phone", "valid_from", "valid_to", "is_current", "is_inferred", "loaded_at", "batch_id", "source"
FROM "gold_held") AS _fresh
UNION SELECT entity_key
FROM (SELECT "company_key", "entity_key", "company_id", "segment", "name", "first_segment", "number", "city", "phone", "valid_from", "valid_to", "is_current", "is_inferred", "loaded_at", "batch_id", "source"
FROM "gold_held"
EXCEPT SELECT "company_key", "entity_key", "company_id", "segment", "name", "first_segment", "number", "city", "phone", "valid_from", "valid_to", "is_current", "is_inferred", "loaded_at", "batch_id", "source"
FROM "gold_fresh") AS _gone;

CREATE TEMPORARY TABLE "gold_changed" AS SELECT entity_key
FROM (SELECT "member_key", "entity_key", "name", "cost", "valid_from", "valid_to", "is_current", "is_inferred", "loaded_at", "batch_id", "source"
FROM "gold_fresh"
EXCEPT SELECT "member_key", "entity_key", "name", "cost", "valid_from", "valid_to", "is_current", "is_inferred", "loaded_at", "batch_id", "source"
FROM "gold_held") AS _fresh
UNION SELECT entity_key
FROM (SELECT "member_key", "entity_key", "name", "cost", "valid_from", "valid_to", "is_current", "is_inferred", "loaded_at", "batch_id", "source"
FROM "gold_held"
EXCEPT SELECT "member_key", "entity_key", "name", "cost", "valid_from", "valid_to", "is_current", "is_inferred", "loaded_at", "batch_id", "source"
FROM "gold_fresh") AS _gone;

CREATE TEMPORARY TABLE "gold_changed" AS SELECT entity_key
FROM (SELECT "worker_key", "entity_key", "name", "valid_from", "valid_to", "is_current", "is_inferred", "loaded_at", "batch_id", "source"
FROM "gold_numbered"
EXCEPT SELECT "worker_key", "entity_key", "name", "valid_from", "valid_to", "is_current", "is_inferred", "loaded_at", "batch_id", "source"
FROM "gold_held") AS _fresh
UNION SELECT entity_key
FROM (SELECT "worker_key", "entity_key", "name", "valid_from", "valid_to", "is_current", "is_inferred", "loaded_at", "batch_id", "source"
FROM "gold_held"
EXCEPT SELECT "worker_key", "entity_key", "name", "valid_from", "valid_to", "is_current", "is_inferred", "loaded_at", "batch_id", "source"
FROM "gold_numbered") AS _gone;

CREATE TEMPORARY TABLE "gold_forsaken" AS SELECT "company_key"
FROM "acme_gold"."dim_company"
WHERE is_inferred AND "company_key" IN (SELECT member
FROM "gold_referred_0") AND NOT "company_key" IN (SELECT "company_key"
FROM "acme_gold"."fact_entry"
WHERE "company_key" IN (SELECT member
FROM "gold_referred_0")) AND NOT "company_key" IN (SELECT "head_key"
FROM "acme_gold"."fact_entry"
WHERE "head_key" IN (SELECT member
FROM "gold_referred_0")) AND NOT "company_key" IN (SELECT "company_key"
FROM "acme_gold"."fact_line"
WHERE "company_key" IN (SELECT member
FROM "gold_referred_0")) AND NOT "company_key" IN (SELECT "company_key"
FROM "acme_gold"."fact_agreement_period"
WHERE "company_key" IN (SELECT member
FROM "gold_referred_0"));

CREATE TEMPORARY TABLE "gold_fresh" AS SELECT "company_key", "entity_key", "company_id", "segment", "name", "first_segment", "number", "city", "phone", "valid_from", "valid_to", "is_current", "is_inferred", "loaded_at", "batch_id", "source"
FROM (WITH versions AS (SELECT _row.*
FROM "gold_versions" AS _row
WHERE _row.entity_key IN (SELECT entity_key
FROM "gold_keys")), cuts AS (SELECT entity_key, valid_from AS _cut
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
FROM "acme_silver"."company" AS _row
LEFT JOIN (SELECT DISTINCT entity_key AS among
FROM (SELECT entity_key
FROM "gold_keys") AS asked) AS _in_0 ON _in_0.among = _row.entity_key
WHERE _row.is_current OR (NOT _in_0.among IS NULL)) AS placed
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
FROM "gold_held"
WHERE is_inferred AND entity_key IN (SELECT entity_key
FROM "gold_keys") AND NOT entity_key IN (SELECT entity_key
FROM "gold_versions");

CREATE TEMPORARY TABLE "gold_fresh" AS SELECT "member_key", "entity_key", "name", "cost", "valid_from", "valid_to", "is_current", "is_inferred", "loaded_at", "batch_id", "source"
FROM (WITH versions AS (SELECT _row.*
FROM "gold_versions" AS _row
WHERE _row.entity_key IN (SELECT entity_key
FROM "gold_keys")), valued AS (SELECT _row.entity_key, _row.valid_from, _row.valid_to, _row.batch_id AS _batch, _row."name" AS "name", _row."cost" AS "cost"
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
FROM "gold_held"
WHERE is_inferred AND entity_key IN (SELECT entity_key
FROM "gold_keys") AND NOT entity_key IN (SELECT entity_key
FROM "gold_versions");

CREATE TEMPORARY TABLE "gold_fresh" AS SELECT "worker_key", "entity_key", "name", "valid_from", "valid_to", "is_current", "is_inferred", "loaded_at", "batch_id", "source"
FROM (WITH versions AS (SELECT _row.*
FROM "gold_versions" AS _row
WHERE _row.entity_key IN (SELECT entity_key
FROM "gold_keys")), valued AS (SELECT _row.entity_key, _row.valid_from, _row.valid_to, _row.batch_id AS _batch, _row."name" AS "name"
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
FROM "gold_held"
WHERE is_inferred AND entity_key IN (SELECT entity_key
FROM "gold_keys") AND NOT entity_key IN (SELECT entity_key
FROM "gold_versions");

CREATE TEMPORARY TABLE "gold_fresh" AS SELECT _row.entity_key, ('SERVICE') AS "kind", _row."entry_id" AS "line_id", (_row."hours" * _row."rate") AS "amount", CASE WHEN (SPLIT_PART(_row.entity_key, ':', 1) || ':' || CAST(_row."company_id" AS VARCHAR(MAX))) IS NULL THEN -1 ELSE "company"."company_key" END AS "company_key", (SPLIT_PART(_row.entity_key, ':', 1) || ':' || CAST(_row."company_id" AS VARCHAR(MAX))) AS "_on_company", CASE WHEN CAST((CAST(_row."started_at" AS DATE)) AS DATE) IS NULL THEN -1 WHEN NOT CAST((CAST(_row."started_at" AS DATE)) AS DATE) BETWEEN CAST('2024-01-01' AS DATE) AND CAST('2024-12-31' AS DATE) THEN -3 ELSE CAST(CAST(FLOOR(EXTRACT(YEAR
FROM CAST((CAST(_row."started_at" AS DATE)) AS DATE))) AS BIGINT) * 10000 + CAST(FLOOR(EXTRACT(MONTH
FROM CAST((CAST(_row."started_at" AS DATE)) AS DATE))) AS BIGINT) * 100 + CAST(FLOOR(EXTRACT(DAY
FROM CAST((CAST(_row."started_at" AS DATE)) AS DATE))) AS BIGINT) AS BIGINT) END AS "day_key", _load.read_at AS loaded_at, _row.batch_id, _load.source
FROM "gold_part_0" AS _row
LEFT JOIN (SELECT "entity_key", "company_key", "company_id", "segment", "name", "first_segment", "number", "city", "phone", "is_current", "is_inferred", valid_from, valid_to, CASE WHEN ROW_NUMBER() OVER (PARTITION BY "entity_key" ORDER BY valid_from) = 1 THEN CAST('0001-01-01 00:00:00' AS TIMESTAMP) ELSE valid_from END AS covers_from, COALESCE(LEAD(valid_from) OVER (PARTITION BY "entity_key" ORDER BY valid_from), CAST('9999-12-31 00:00:00' AS TIMESTAMP)) AS covers_to
FROM "gold_members_0" AS members) AS "company" ON "company".entity_key = (SPLIT_PART(_row.entity_key, ':', 1) || ':' || CAST(_row."company_id" AS VARCHAR(MAX))) AND ("company".covers_from <= LEAST(COALESCE(CAST((CAST(_row."started_at" AS DATE)) AS TIMESTAMP), CAST('9999-12-30 00:00:00' AS TIMESTAMP)), CAST('9999-12-30 00:00:00' AS TIMESTAMP)) AND "company".covers_to > LEAST(COALESCE(CAST((CAST(_row."started_at" AS DATE)) AS TIMESTAMP), CAST('9999-12-30 00:00:00' AS TIMESTAMP)), CAST('9999-12-30 00:00:00' AS TIMESTAMP)))
LEFT JOIN "acme_meta"."batch" AS _load ON _load.batch_id = _row.batch_id
WHERE _row.is_current AND ("company"."segment" IS NULL OR "company"."segment" <> 'internal')
UNION ALL SELECT _row.entity_key, ('PRODUCT') AS "kind", _row."product_id" AS "line_id", _row."amount" AS "amount", CASE WHEN (SPLIT_PART(_row.entity_key, ':', 1) || ':' || CAST(_row."company_id" AS VARCHAR(MAX))) IS NULL THEN -1 ELSE "company"."company_key" END AS "company_key", (SPLIT_PART(_row.entity_key, ':', 1) || ':' || CAST(_row."company_id" AS VARCHAR(MAX))) AS "_on_company", CASE WHEN CAST(_row."sold_on" AS DATE) IS NULL THEN -1 WHEN NOT CAST(_row."sold_on" AS DATE) BETWEEN CAST('2024-01-01' AS DATE) AND CAST('2024-12-31' AS DATE) THEN -3 ELSE CAST(CAST(FLOOR(EXTRACT(YEAR
FROM CAST(_row."sold_on" AS DATE))) AS BIGINT) * 10000 + CAST(FLOOR(EXTRACT(MONTH
FROM CAST(_row."sold_on" AS DATE))) AS BIGINT) * 100 + CAST(FLOOR(EXTRACT(DAY
FROM CAST(_row."sold_on" AS DATE))) AS BIGINT) AS BIGINT) END AS "day_key", _load.read_at AS loaded_at, _row.batch_id, _load.source
FROM "gold_part_1" AS _row
LEFT JOIN (SELECT "entity_key", "company_key", valid_from, valid_to, CASE WHEN ROW_NUMBER() OVER (PARTITION BY "entity_key" ORDER BY valid_from) = 1 THEN CAST('0001-01-01 00:00:00' AS TIMESTAMP) ELSE valid_from END AS covers_from, COALESCE(LEAD(valid_from) OVER (PARTITION BY "entity_key" ORDER BY valid_from), CAST('9999-12-31 00:00:00' AS TIMESTAMP)) AS covers_to
FROM "gold_members_2" AS members) AS "company" ON "company".entity_key = (SPLIT_PART(_row.entity_key, ':', 1) || ':' || CAST(_row."company_id" AS VARCHAR(MAX))) AND ("company".covers_from <= LEAST(COALESCE(CAST(_row."sold_on" AS TIMESTAMP), CAST('9999-12-30 00:00:00' AS TIMESTAMP)), CAST('9999-12-30 00:00:00' AS TIMESTAMP)) AND "company".covers_to > LEAST(COALESCE(CAST(_row."sold_on" AS TIMESTAMP), CAST('9999-12-30 00:00:00' AS TIMESTAMP)), CAST('9999-12-30 00:00:00' AS TIMESTAMP)))
LEFT JOIN "acme_meta"."batch" AS _load ON _load.batch_id = _row.batch_id
WHERE _row.is_current;

CREATE TEMPORARY TABLE "gold_fresh" AS SELECT _row.entity_key, _row."agreement_id" AS "agreement_id", _month."period_start" AS "period_start", _month."period_end" AS "period_end", _row."amount" AS "amount", CASE WHEN (SPLIT_PART(_row.entity_key, ':', 1) || ':' || CAST(_row."company_id" AS VARCHAR(MAX))) IS NULL THEN -1 ELSE "company"."company_key" END AS "company_key", (SPLIT_PART(_row.entity_key, ':', 1) || ':' || CAST(_row."company_id" AS VARCHAR(MAX))) AS "_on_company", CASE WHEN CAST(_month."period_start" AS DATE) IS NULL THEN -1 WHEN NOT CAST(_month."period_start" AS DATE) BETWEEN CAST('2024-01-01' AS DATE) AND CAST('2024-12-31' AS DATE) THEN -3 ELSE CAST(CAST(FLOOR(EXTRACT(YEAR
FROM CAST(_month."period_start" AS DATE))) AS BIGINT) * 10000 + CAST(FLOOR(EXTRACT(MONTH
FROM CAST(_month."period_start" AS DATE))) AS BIGINT) * 100 + CAST(FLOOR(EXTRACT(DAY
FROM CAST(_month."period_start" AS DATE))) AS BIGINT) AS BIGINT) END AS "month_key", _load.read_at AS loaded_at, _row.batch_id, _load.source
FROM "gold_part_0" AS _row
JOIN "gold_months" AS _month ON _month.period_end >= CAST(_row."starts_on" AS DATE) AND (CAST(_row."ends_on" AS DATE) IS NULL OR _month.period_start <= CAST(_row."ends_on" AS DATE))
LEFT JOIN (SELECT *
FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY entity_key ORDER BY valid_from DESC NULLS LAST) AS _place
FROM "gold_members_0" AS members) AS placed
WHERE _place = 1) AS "company" ON "company".entity_key = (SPLIT_PART(_row.entity_key, ':', 1) || ':' || CAST(_row."company_id" AS VARCHAR(MAX)))
LEFT JOIN "acme_meta"."batch" AS _load ON _load.batch_id = _row.batch_id
WHERE _row.is_current;

CREATE TEMPORARY TABLE "gold_fresh" AS SELECT _row.entity_key, _row."entry_id" AS "entry_id", _row."started_at" AS "started_at", _row."option" AS "option", _row."hours" AS "worked", _row."hours" * _row."rate" AS "revenue", _row."hours" * COALESCE("member"."cost", 0) AS "cost", CAST((_row."hours" * _row."rate") - (_row."hours" * COALESCE("member"."cost", 0)) AS DOUBLE PRECISION) AS "margin", CASE WHEN (SPLIT_PART(_row.entity_key, ':', 1) || ':' || CAST(_row."member_id" AS VARCHAR(MAX))) IS NULL THEN -1 ELSE "member"."member_key" END AS "member_key", (SPLIT_PART(_row.entity_key, ':', 1) || ':' || CAST(_row."member_id" AS VARCHAR(MAX))) AS "_on_member", CASE WHEN (SPLIT_PART(_row.entity_key, ':', 1) || ':' || CAST(_row."member_id" AS VARCHAR(MAX))) IS NULL THEN -1 ELSE "worker"."worker_key" END AS "worker_key", (SPLIT_PART(_row.entity_key, ':', 1) || ':' || CAST(_row."member_id" AS VARCHAR(MAX))) AS "_on_worker", CASE WHEN (SPLIT_PART(_row.entity_key, ':', 1) || ':' || CAST(_row."approver_id" AS VARCHAR(MAX))) IS NULL THEN CASE WHEN (_row."option" = 'NoCharge') THEN -2 ELSE -1 END ELSE "approver"."member_key" END AS "approver_key", (SPLIT_PART(_row.entity_key, ':', 1) || ':' || CAST(_row."approver_id" AS VARCHAR(MAX))) AS "_on_approver", CASE WHEN (SPLIT_PART(_row.entity_key, ':', 1) || ':' || CAST(_row."company_id" AS VARCHAR(MAX))) IS NULL THEN -1 ELSE "company"."company_key" END AS "company_key", (SPLIT_PART(_row.entity_key, ':', 1) || ':' || CAST(_row."company_id" AS VARCHAR(MAX))) AS "_on_company", CASE WHEN CAST(_row."option" AS VARCHAR(MAX)) IS NULL THEN -1 ELSE "option"."option_key" END AS "option_key", CAST(_row."option" AS VARCHAR(MAX)) AS "_on_option", CASE WHEN CAST(_row."started_at" AS DATE) IS NULL THEN -1 WHEN NOT CAST(_row."started_at" AS DATE) BETWEEN CAST('2024-01-01' AS DATE) AND CAST('2024-12-31' AS DATE) THEN -3 ELSE CAST(CAST(FLOOR(EXTRACT(YEAR
FROM CAST(_row."started_at" AS DATE))) AS BIGINT) * 10000 + CAST(FLOOR(EXTRACT(MONTH
FROM CAST(_row."started_at" AS DATE))) AS BIGINT) * 100 + CAST(FLOOR(EXTRACT(DAY
FROM CAST(_row."started_at" AS DATE))) AS BIGINT) AS BIGINT) END AS "work_date_key", CASE WHEN (SPLIT_PART(_row.entity_key, ':', 1) || ':' || CAST("company"."number" AS VARCHAR(MAX))) IS NULL THEN -1 ELSE "head"."company_key" END AS "head_key", (SPLIT_PART(_row.entity_key, ':', 1) || ':' || CAST("company"."number" AS VARCHAR(MAX))) AS "_on_head", _load.read_at AS loaded_at, _row.batch_id, _load.source
FROM "gold_part_0" AS _row
LEFT JOIN (SELECT "entity_key", "member_key", "name", "cost", "is_current", "is_inferred", valid_from, valid_to, CASE WHEN ROW_NUMBER() OVER (PARTITION BY "entity_key" ORDER BY valid_from) = 1 THEN CAST('0001-01-01 00:00:00' AS TIMESTAMP) ELSE valid_from END AS covers_from, COALESCE(LEAD(valid_from) OVER (PARTITION BY "entity_key" ORDER BY valid_from), CAST('9999-12-31 00:00:00' AS TIMESTAMP)) AS covers_to
FROM "gold_members_0" AS members) AS "member" ON "member".entity_key = (SPLIT_PART(_row.entity_key, ':', 1) || ':' || CAST(_row."member_id" AS VARCHAR(MAX))) AND ("member".covers_from <= LEAST(COALESCE(CAST(_row."started_at" AS TIMESTAMP), CAST('9999-12-30 00:00:00' AS TIMESTAMP)), CAST('9999-12-30 00:00:00' AS TIMESTAMP)) AND "member".covers_to > LEAST(COALESCE(CAST(_row."started_at" AS TIMESTAMP), CAST('9999-12-30 00:00:00' AS TIMESTAMP)), CAST('9999-12-30 00:00:00' AS TIMESTAMP)))
LEFT JOIN (SELECT *
FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY entity_key ORDER BY valid_from DESC NULLS LAST) AS _place
FROM "gold_members_1" AS members) AS placed
WHERE _place = 1) AS "worker" ON "worker".entity_key = (SPLIT_PART(_row.entity_key, ':', 1) || ':' || CAST(_row."member_id" AS VARCHAR(MAX)))
LEFT JOIN (SELECT *
FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY entity_key ORDER BY valid_from DESC NULLS LAST) AS _place
FROM "gold_members_2" AS members) AS placed
WHERE _place = 1) AS "approver" ON "approver".entity_key = (SPLIT_PART(_row.entity_key, ':', 1) || ':' || CAST(_row."approver_id" AS VARCHAR(MAX)))
LEFT JOIN (SELECT *
FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY entity_key ORDER BY valid_from DESC NULLS LAST) AS _place
FROM "gold_members_3" AS members) AS placed
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

CREATE TEMPORARY TABLE "gold_held" AS SELECT x."company_key", x."entity_key", x."company_id", x."segment", x."name", x."first_segment", x."number", x."city", x."phone", x."valid_from", x."valid_to", x."is_current", x."is_inferred", x."loaded_at", x."batch_id", x."source"
FROM "acme_gold"."dim_company" AS x
WHERE x."entity_key" IN (SELECT k."entity_key"
FROM (SELECT entity_key
FROM "gold_keys") AS k) AND TRUE;

CREATE TEMPORARY TABLE "gold_held" AS SELECT x."entity_key", x."agreement_id", x."period_start", x."period_end", x."company_key", x."month_key", x."amount", x."loaded_at", x."batch_id", x."source"
FROM "acme_gold"."fact_agreement_period" AS x
WHERE x."entity_key" IN (SELECT k."entity_key"
FROM (SELECT entity_key
FROM "gold_keys") AS k) AND TRUE;

CREATE TEMPORARY TABLE "gold_held" AS SELECT x."entity_key", x."entry_id", x."member_key", x."worker_key", x."approver_key", x."company_key", x."option_key", x."work_date_key", x."head_key", x."started_at", x."option", x."worked", x."revenue", x."cost", x."margin", x."loaded_at", x."batch_id", x."source"
FROM "acme_gold"."fact_entry" AS x
WHERE x."entity_key" IN (SELECT k."entity_key"
FROM (SELECT entity_key
FROM "gold_keys") AS k) AND TRUE;

CREATE TEMPORARY TABLE "gold_held" AS SELECT x."entity_key", x."kind", x."line_id", x."company_key", x."day_key", x."amount", x."loaded_at", x."batch_id", x."source"
FROM "acme_gold"."fact_line" AS x
WHERE x."entity_key" IN (SELECT k."entity_key"
FROM (SELECT entity_key
FROM "gold_keys") AS k) AND TRUE;

CREATE TEMPORARY TABLE "gold_held" AS SELECT x."member_key", x."entity_key", x."name", x."cost", x."valid_from", x."valid_to", x."is_current", x."is_inferred", x."loaded_at", x."batch_id", x."source"
FROM "acme_gold"."dim_member" AS x
WHERE x."entity_key" IN (SELECT k."entity_key"
FROM (SELECT entity_key
FROM "gold_keys") AS k) AND TRUE;

CREATE TEMPORARY TABLE "gold_held" AS SELECT x."worker_key", x."entity_key", x."name", x."valid_from", x."valid_to", x."is_current", x."is_inferred", x."loaded_at", x."batch_id", x."source"
FROM "acme_gold"."dim_worker" AS x
WHERE x."entity_key" IN (SELECT k."entity_key"
FROM (SELECT entity_key
FROM "gold_keys") AS k) AND TRUE;

CREATE TEMPORARY TABLE "gold_keys" AS SELECT CAST("option" AS VARCHAR(MAX)) AS entity_key
FROM "acme_silver"."entry_log"
WHERE NOT "option" IS NULL AND key_hash IN (SELECT STRTOL(SUBSTRING(MD5(news.entity_key)
FROM 1 FOR 15), 16)
FROM (SELECT DISTINCT entity_key
FROM "acme_meta"."change_feed"
WHERE entity = 'entry' AND change_id > 0) AS news);

CREATE TEMPORARY TABLE "gold_keys" AS SELECT DISTINCT _row.entity_key
FROM (SELECT DISTINCT changed.entity_key, said_0
FROM (SELECT DISTINCT entity_key
FROM "acme_meta"."change_feed"
WHERE entity = 'address' AND change_id > 0) AS changed
JOIN (SELECT DISTINCT entity_key, "company_id" AS said_0
FROM "acme_silver"."address_log"
WHERE key_hash IN (SELECT STRTOL(SUBSTRING(MD5(news.entity_key)
FROM 1 FOR 15), 16)
FROM (SELECT DISTINCT entity_key
FROM "acme_meta"."change_feed"
WHERE entity = 'address' AND change_id > 0) AS news)) AS log_0 ON log_0.entity_key = changed.entity_key) AS told
JOIN "acme_silver"."company" AS _row ON SPLIT_PART(_row.entity_key, ':', 1) = SPLIT_PART(told.entity_key, ':', 1) AND _row."company_id" = told.said_0;

CREATE TEMPORARY TABLE "gold_keys" AS SELECT DISTINCT entity_key
FROM "acme_meta"."change_feed"
WHERE entity = 'entry' AND change_id > 0
UNION SELECT _row.entity_key
FROM "acme_silver"."entry" AS _row
WHERE _row.is_current AND (SPLIT_PART(_row.entity_key, ':', 1) || ':' || CAST(_row."company_id" AS VARCHAR(MAX))) IN (SELECT DISTINCT entity_key
FROM "acme_meta"."change_feed"
WHERE entity = 'dim_company' AND change_id > 0)
UNION SELECT _row.entity_key
FROM "acme_silver"."product" AS _row
WHERE _row.is_current AND (SPLIT_PART(_row.entity_key, ':', 1) || ':' || CAST(_row."company_id" AS VARCHAR(MAX))) IN (SELECT DISTINCT entity_key
FROM "acme_meta"."change_feed"
WHERE entity = 'dim_company' AND change_id > 0);

CREATE TEMPORARY TABLE "gold_keys" AS SELECT DISTINCT entity_key
FROM "acme_meta"."change_feed"
WHERE entity = 'entry' AND change_id > 0
UNION SELECT _row.entity_key
FROM "acme_silver"."entry" AS _row
WHERE _row.is_current AND (SPLIT_PART(_row.entity_key, ':', 1) || ':' || CAST(_row."member_id" AS VARCHAR(MAX))) IN (SELECT DISTINCT entity_key
FROM "acme_meta"."change_feed"
WHERE entity = 'dim_member' AND change_id > 0)
UNION SELECT _row.entity_key
FROM "acme_silver"."entry" AS _row
WHERE _row.is_current AND (SPLIT_PART(_row.entity_key, ':', 1) || ':' || CAST(_row."member_id" AS VARCHAR(MAX))) IN (SELECT DISTINCT entity_key
FROM "acme_meta"."change_feed"
WHERE entity = 'dim_worker' AND change_id > 0)
UNION SELECT _row.entity_key
FROM "acme_silver"."entry" AS _row
WHERE _row.is_current AND (SPLIT_PART(_row.entity_key, ':', 1) || ':' || CAST(_row."approver_id" AS VARCHAR(MAX))) IN (SELECT DISTINCT entity_key
FROM "acme_meta"."change_feed"
WHERE entity = 'dim_member' AND change_id > 0)
UNION SELECT _row.entity_key
FROM "acme_silver"."entry" AS _row
WHERE _row.is_current AND (SPLIT_PART(_row.entity_key, ':', 1) || ':' || CAST(_row."company_id" AS VARCHAR(MAX))) IN (SELECT DISTINCT entity_key
FROM "acme_meta"."change_feed"
WHERE entity = 'dim_company' AND change_id > 0)
UNION SELECT _row.entity_key
FROM "acme_silver"."entry" AS _row
LEFT JOIN (SELECT *
FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY entity_key ORDER BY valid_from DESC NULLS LAST) AS _place
FROM (SELECT *
FROM "acme_gold"."dim_company"
WHERE NOT entity_key IS NULL) AS members) AS placed
WHERE _place = 1) AS "company" ON "company".entity_key = (SPLIT_PART(_row.entity_key, ':', 1) || ':' || CAST(_row."company_id" AS VARCHAR(MAX)))
WHERE _row.is_current AND (SPLIT_PART(_row.entity_key, ':', 1) || ':' || CAST("company"."number" AS VARCHAR(MAX))) IN (SELECT DISTINCT entity_key
FROM "acme_meta"."change_feed"
WHERE entity = 'dim_company' AND change_id > 0);

CREATE TEMPORARY TABLE "gold_keys" AS SELECT DISTINCT entity_key
FROM "acme_meta"."change_feed"
WHERE entity = 'member' AND change_id > 0;

CREATE TEMPORARY TABLE "gold_keys" AS SELECT _row.entity_key
FROM "acme_silver"."agreement" AS _row
JOIN "gold_months" AS _month ON _month.period_end >= CAST(_row."starts_on" AS DATE) AND (CAST(_row."ends_on" AS DATE) IS NULL OR _month.period_start <= CAST(_row."ends_on" AS DATE))
WHERE _row.is_current AND (SPLIT_PART(_row.entity_key, ':', 1) || ':' || CAST(_row."company_id" AS VARCHAR(MAX))) IN (SELECT DISTINCT entity_key
FROM "acme_meta"."change_feed"
WHERE entity = 'dim_company' AND change_id > 0)
UNION SELECT _row.entity_key
FROM "acme_silver"."agreement" AS _row
WHERE _row.is_current AND (CAST(_row."ends_on" AS DATE) IS NULL OR CAST(_row."ends_on" AS DATE) > CAST('2024-01-31' AS DATE));

CREATE TEMPORARY TABLE "gold_keys" AS SELECT entity_key
FROM "gold_below";

CREATE TEMPORARY TABLE "gold_members_0" AS SELECT x."entity_key", x."valid_from", x."valid_to", x."company_key"
FROM "acme_gold"."dim_company" AS x
WHERE x."entity_key" IN (SELECT k."entity_key"
FROM (SELECT (SPLIT_PART(_row.entity_key, ':', 1) || ':' || CAST(_row."company_id" AS VARCHAR(MAX))) AS entity_key
FROM "gold_part_0" AS _row
JOIN "gold_months" AS _month ON _month.period_end >= CAST(_row."starts_on" AS DATE) AND (CAST(_row."ends_on" AS DATE) IS NULL OR _month.period_start <= CAST(_row."ends_on" AS DATE))) AS k) AND TRUE;

CREATE TEMPORARY TABLE "gold_members_0" AS SELECT x."entity_key", x."valid_from", x."valid_to", x."company_key", x."company_id", x."segment", x."name", x."first_segment", x."number", x."city", x."phone", x."is_current", x."is_inferred"
FROM "acme_gold"."dim_company" AS x
WHERE x."entity_key" IN (SELECT k."entity_key"
FROM (SELECT (SPLIT_PART(_row.entity_key, ':', 1) || ':' || CAST(_row."company_id" AS VARCHAR(MAX))) AS entity_key
FROM "gold_part_0" AS _row) AS k) AND TRUE;

CREATE TEMPORARY TABLE "gold_members_0" AS SELECT x."entity_key", x."valid_from", x."valid_to", x."member_key", x."name", x."cost", x."is_current", x."is_inferred"
FROM "acme_gold"."dim_member" AS x
WHERE x."entity_key" IN (SELECT k."entity_key"
FROM (SELECT (SPLIT_PART(_row.entity_key, ':', 1) || ':' || CAST(_row."member_id" AS VARCHAR(MAX))) AS entity_key
FROM "gold_part_0" AS _row) AS k) AND TRUE;

CREATE TEMPORARY TABLE "gold_members_1" AS SELECT x."entity_key", x."valid_from", x."valid_to", x."worker_key"
FROM "acme_gold"."dim_worker" AS x
WHERE x."entity_key" IN (SELECT k."entity_key"
FROM (SELECT (SPLIT_PART(_row.entity_key, ':', 1) || ':' || CAST(_row."member_id" AS VARCHAR(MAX))) AS entity_key
FROM "gold_part_0" AS _row) AS k) AND TRUE;

CREATE TEMPORARY TABLE "gold_members_2" AS SELECT x."entity_key", x."valid_from", x."valid_to", x."company_key"
FROM "acme_gold"."dim_company" AS x
WHERE x."entity_key" IN (SELECT k."entity_key"
FROM (SELECT (SPLIT_PART(_row.entity_key, ':', 1) || ':' || CAST(_row."company_id" AS VARCHAR(MAX))) AS entity_key
FROM "gold_part_1" AS _row) AS k) AND TRUE;

CREATE TEMPORARY TABLE "gold_members_2" AS SELECT x."entity_key", x."valid_from", x."valid_to", x."member_key"
FROM "acme_gold"."dim_member" AS x
WHERE x."entity_key" IN (SELECT k."entity_key"
FROM (SELECT (SPLIT_PART(_row.entity_key, ':', 1) || ':' || CAST(_row."approver_id" AS VARCHAR(MAX))) AS entity_key
FROM "gold_part_0" AS _row) AS k) AND TRUE;

CREATE TEMPORARY TABLE "gold_members_3" AS SELECT x."entity_key", x."valid_from", x."valid_to", x."company_key", x."company_id", x."segment", x."name", x."first_segment", x."number", x."city", x."phone", x."is_current", x."is_inferred"
FROM "acme_gold"."dim_company" AS x
WHERE x."entity_key" IN (SELECT k."entity_key"
FROM (SELECT (SPLIT_PART(_row.entity_key, ':', 1) || ':' || CAST(_row."company_id" AS VARCHAR(MAX))) AS entity_key
FROM "gold_part_0" AS _row) AS k) AND TRUE;

CREATE TEMPORARY TABLE "gold_months" AS SELECT *
FROM (SELECT CAST('2024-03-01' AS DATE) AS period_start, CAST('2024-03-31' AS DATE) AS period_end) AS months;

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
FROM "gold_held"
WHERE entity_key IN (SELECT entity_key
FROM "gold_fresh")) AS _old ON _old.entity_key = _new.entity_key AND (CASE WHEN _old._since = _new._since AND FNV_HASH(_old._since) = FNV_HASH(_new._since) THEN 0 WHEN _old._since IS NULL AND _new._since IS NULL THEN 0 ELSE 1 END = 0);

CREATE TEMPORARY TABLE "gold_part_0" AS SELECT x."entity_key", x."agreement_id", x."company_id", x."amount", x."starts_on", x."ends_on", x."valid_from", x."valid_to", x."is_current", x."batch_id"
FROM "acme_silver"."agreement" AS x
WHERE x."entity_key" IN (SELECT k."entity_key"
FROM (SELECT entity_key
FROM "gold_keys") AS k) AND x.is_current;

CREATE TEMPORARY TABLE "gold_part_0" AS SELECT x."entity_key", x."entry_id", x."member_id", x."approver_id", x."company_id", x."started_at", x."hours", x."rate", x."option", x."valid_from", x."valid_to", x."is_current", x."batch_id"
FROM "acme_silver"."entry" AS x
WHERE x."entity_key" IN (SELECT k."entity_key"
FROM (SELECT entity_key
FROM "gold_keys") AS k) AND x.is_current;

CREATE TEMPORARY TABLE "gold_part_1" AS SELECT x."entity_key", x."product_id", x."company_id", x."amount", x."sold_on", x."valid_from", x."valid_to", x."is_current", x."batch_id"
FROM "acme_silver"."product" AS x
WHERE x."entity_key" IN (SELECT k."entity_key"
FROM (SELECT entity_key
FROM "gold_keys") AS k) AND x.is_current;

CREATE TEMPORARY TABLE "gold_referred_0" AS SELECT "company_key" AS member
FROM "acme_gold"."dim_company"
WHERE is_inferred AND "company_key" IN (SELECT "company_key"
FROM "gold_held"
WHERE entity_key IN (SELECT entity_key
FROM "gold_keys"));

CREATE TEMPORARY TABLE "gold_referred_0" AS SELECT "company_key" AS member
FROM "acme_gold"."dim_company"
WHERE is_inferred AND "company_key" IN (SELECT "company_key"
FROM "gold_held"
WHERE entity_key IN (SELECT entity_key
FROM "gold_keys"))
UNION SELECT "company_key" AS member
FROM "acme_gold"."dim_company"
WHERE is_inferred AND "company_key" IN (SELECT "head_key"
FROM "gold_held"
WHERE entity_key IN (SELECT entity_key
FROM "gold_keys"));

CREATE TEMPORARY TABLE "gold_versions" AS SELECT x."entity_key", x."company_id", x."name", x."segment", x."parent_id", x."number", x."valid_from", x."valid_to", x."is_current", x."batch_id"
FROM "acme_silver"."company" AS x
WHERE x."entity_key" IN (SELECT k."entity_key"
FROM (SELECT entity_key
FROM "gold_keys") AS k) AND TRUE;

CREATE TEMPORARY TABLE "gold_versions" AS SELECT x."entity_key", x."member_id", x."name", x."cost", x."valid_from", x."valid_to", x."is_current", x."batch_id"
FROM "acme_silver"."member" AS x
WHERE x."entity_key" IN (SELECT k."entity_key"
FROM (SELECT entity_key
FROM "gold_keys") AS k) AND TRUE;

CREATE TEMPORARY TABLE "recursion__found_1" AS WITH family AS (SELECT _row.entity_key, SPLIT_PART(_row.entity_key, ':', 1) || ':' || CAST(_row."parent_id" AS VARCHAR(MAX)) AS parent
FROM "acme_silver"."company" AS _row
WHERE NOT _row."parent_id" IS NULL) SELECT DISTINCT *
FROM (SELECT entity_key
FROM "gold_keys") AS first_round;

CREATE TEMPORARY TABLE "recursion__found_1" AS WITH line_number AS (SELECT entity_key, parent, value, is_current
FROM (SELECT _row.entity_key, SPLIT_PART(_row.entity_key, ':', 1) || ':' || CAST(_row."parent_id" AS VARCHAR(MAX)) AS parent, _row."number" AS value, _row.is_current, ROW_NUMBER() OVER (PARTITION BY _row.entity_key ORDER BY _row.valid_from DESC NULLS LAST) AS place
FROM "acme_silver"."company" AS _row
LEFT JOIN (SELECT DISTINCT entity_key AS among
FROM (SELECT entity_key
FROM "gold_keys") AS asked) AS _in_0 ON _in_0.among = _row.entity_key
WHERE _row.is_current OR (NOT _in_0.among IS NULL)) AS placed
WHERE place = 1) SELECT DISTINCT *
FROM (SELECT entity_key, parent, value
FROM line_number
WHERE value IS NULL AND NOT parent IS NULL AND entity_key IN (SELECT entity_key
FROM "gold_keys")) AS first_round;

CREATE TEMPORARY TABLE "recursion__found_8" AS WITH versions AS (SELECT _row.*
FROM "gold_versions" AS _row
WHERE _row.entity_key IN (SELECT entity_key
FROM "gold_keys")), cuts AS (SELECT entity_key, valid_from AS _cut
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
FROM "acme_silver"."company" AS _row
LEFT JOIN (SELECT DISTINCT entity_key AS among
FROM (SELECT entity_key
FROM "gold_keys") AS asked) AS _in_0 ON _in_0.among = _row.entity_key
WHERE _row.is_current OR (NOT _in_0.among IS NULL)) AS placed
WHERE place = 1) SELECT DISTINCT *
FROM (SELECT entity_key, parent, value
FROM line_number
WHERE value IS NULL AND NOT parent IS NULL AND entity_key IN (SELECT entity_key
FROM "gold_keys")) AS first_round;

CREATE TEMPORARY TABLE "recursion__next_1" AS WITH family AS (SELECT _row.entity_key, SPLIT_PART(_row.entity_key, ':', 1) || ':' || CAST(_row."parent_id" AS VARCHAR(MAX)) AS parent
FROM "acme_silver"."company" AS _row
WHERE NOT _row."parent_id" IS NULL) SELECT *
FROM (SELECT child.entity_key
FROM "recursion__found_1" AS "below"
JOIN family AS child ON child.parent = below.entity_key) AS next_round
EXCEPT SELECT *
FROM "recursion__found_1" AS known;

CREATE TEMPORARY TABLE "recursion__next_1" AS WITH line_number AS (SELECT entity_key, parent, value, is_current
FROM (SELECT _row.entity_key, SPLIT_PART(_row.entity_key, ':', 1) || ':' || CAST(_row."parent_id" AS VARCHAR(MAX)) AS parent, _row."number" AS value, _row.is_current, ROW_NUMBER() OVER (PARTITION BY _row.entity_key ORDER BY _row.valid_from DESC NULLS LAST) AS place
FROM "acme_silver"."company" AS _row
LEFT JOIN (SELECT DISTINCT entity_key AS among
FROM (SELECT entity_key
FROM "gold_keys") AS asked) AS _in_0 ON _in_0.among = _row.entity_key
WHERE _row.is_current OR (NOT _in_0.among IS NULL)) AS placed
WHERE place = 1) SELECT *
FROM (SELECT chain_number.entity_key, above.parent, above.value
FROM "recursion__found_1" AS "chain_number"
JOIN line_number AS above ON above.entity_key = chain_number.parent
WHERE chain_number.value IS NULL AND above.is_current) AS next_round
EXCEPT SELECT *
FROM "recursion__found_1" AS known;

CREATE TEMPORARY TABLE "recursion__next_1__next" AS WITH family AS (SELECT _row.entity_key, SPLIT_PART(_row.entity_key, ':', 1) || ':' || CAST(_row."parent_id" AS VARCHAR(MAX)) AS parent
FROM "acme_silver"."company" AS _row
WHERE NOT _row."parent_id" IS NULL) SELECT *
FROM (SELECT child.entity_key
FROM "recursion__next_1" AS "below"
JOIN family AS child ON child.parent = below.entity_key) AS next_round
EXCEPT SELECT *
FROM "recursion__found_1" AS known;

CREATE TEMPORARY TABLE "recursion__next_1__next" AS WITH line_number AS (SELECT entity_key, parent, value, is_current
FROM (SELECT _row.entity_key, SPLIT_PART(_row.entity_key, ':', 1) || ':' || CAST(_row."parent_id" AS VARCHAR(MAX)) AS parent, _row."number" AS value, _row.is_current, ROW_NUMBER() OVER (PARTITION BY _row.entity_key ORDER BY _row.valid_from DESC NULLS LAST) AS place
FROM "acme_silver"."company" AS _row
LEFT JOIN (SELECT DISTINCT entity_key AS among
FROM (SELECT entity_key
FROM "gold_keys") AS asked) AS _in_0 ON _in_0.among = _row.entity_key
WHERE _row.is_current OR (NOT _in_0.among IS NULL)) AS placed
WHERE place = 1) SELECT *
FROM (SELECT chain_number.entity_key, above.parent, above.value
FROM "recursion__next_1" AS "chain_number"
JOIN line_number AS above ON above.entity_key = chain_number.parent
WHERE chain_number.value IS NULL AND above.is_current) AS next_round
EXCEPT SELECT *
FROM "recursion__found_1" AS known;

CREATE TEMPORARY TABLE "recursion__next_8" AS WITH versions AS (SELECT _row.*
FROM "gold_versions" AS _row
WHERE _row.entity_key IN (SELECT entity_key
FROM "gold_keys")), cuts AS (SELECT entity_key, valid_from AS _cut
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
FROM "acme_silver"."company" AS _row
LEFT JOIN (SELECT DISTINCT entity_key AS among
FROM (SELECT entity_key
FROM "gold_keys") AS asked) AS _in_0 ON _in_0.among = _row.entity_key
WHERE _row.is_current OR (NOT _in_0.among IS NULL)) AS placed
WHERE place = 1) SELECT *
FROM (SELECT chain_number.entity_key, above.parent, above.value
FROM "recursion__found_8" AS "chain_number"
JOIN line_number AS above ON above.entity_key = chain_number.parent
WHERE chain_number.value IS NULL AND above.is_current) AS next_round
EXCEPT SELECT *
FROM "recursion__found_8" AS known;

CREATE TEMPORARY TABLE "recursion__next_8__next" AS WITH versions AS (SELECT _row.*
FROM "gold_versions" AS _row
WHERE _row.entity_key IN (SELECT entity_key
FROM "gold_keys")), cuts AS (SELECT entity_key, valid_from AS _cut
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
FROM "acme_silver"."company" AS _row
LEFT JOIN (SELECT DISTINCT entity_key AS among
FROM (SELECT entity_key
FROM "gold_keys") AS asked) AS _in_0 ON _in_0.among = _row.entity_key
WHERE _row.is_current OR (NOT _in_0.among IS NULL)) AS placed
WHERE place = 1) SELECT *
FROM (SELECT chain_number.entity_key, above.parent, above.value
FROM "recursion__next_8" AS "chain_number"
JOIN line_number AS above ON above.entity_key = chain_number.parent
WHERE chain_number.value IS NULL AND above.is_current) AS next_round
EXCEPT SELECT *
FROM "recursion__found_8" AS known;

CREATE TEMPORARY TABLE "replaced__added" AS SELECT s."company_key", s."entity_key", s."company_id", s."segment", s."name", s."first_segment", s."number", s."city", s."phone", s."valid_from", s."valid_to", s."is_current", s."is_inferred", s."loaded_at", s."batch_id", s."source"
FROM "replaced__fresh" AS s
LEFT JOIN (SELECT *, 1 AS _there
FROM "replaced__stored") AS o ON o."entity_key" = s."entity_key" AND (CASE WHEN o."company_key" = s."company_key" AND FNV_HASH(o."company_key") = FNV_HASH(s."company_key") THEN 0 WHEN o."company_key" IS NULL AND s."company_key" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."company_id" = s."company_id" AND FNV_HASH(o."company_id") = FNV_HASH(s."company_id") THEN 0 WHEN o."company_id" IS NULL AND s."company_id" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."segment" = s."segment" AND FNV_HASH(o."segment") = FNV_HASH(s."segment") THEN 0 WHEN o."segment" IS NULL AND s."segment" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."name" = s."name" AND FNV_HASH(o."name") = FNV_HASH(s."name") THEN 0 WHEN o."name" IS NULL AND s."name" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."first_segment" = s."first_segment" AND FNV_HASH(o."first_segment") = FNV_HASH(s."first_segment") THEN 0 WHEN o."first_segment" IS NULL AND s."first_segment" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."number" = s."number" AND FNV_HASH(o."number") = FNV_HASH(s."number") THEN 0 WHEN o."number" IS NULL AND s."number" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."city" = s."city" AND FNV_HASH(o."city") = FNV_HASH(s."city") THEN 0 WHEN o."city" IS NULL AND s."city" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."phone" = s."phone" AND FNV_HASH(o."phone") = FNV_HASH(s."phone") THEN 0 WHEN o."phone" IS NULL AND s."phone" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."valid_from" = s."valid_from" AND FNV_HASH(o."valid_from") = FNV_HASH(s."valid_from") THEN 0 WHEN o."valid_from" IS NULL AND s."valid_from" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."valid_to" = s."valid_to" AND FNV_HASH(o."valid_to") = FNV_HASH(s."valid_to") THEN 0 WHEN o."valid_to" IS NULL AND s."valid_to" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."is_current" = s."is_current" AND FNV_HASH(o."is_current") = FNV_HASH(s."is_current") THEN 0 WHEN o."is_current" IS NULL AND s."is_current" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."is_inferred" = s."is_inferred" AND FNV_HASH(o."is_inferred") = FNV_HASH(s."is_inferred") THEN 0 WHEN o."is_inferred" IS NULL AND s."is_inferred" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."loaded_at" = s."loaded_at" AND FNV_HASH(o."loaded_at") = FNV_HASH(s."loaded_at") THEN 0 WHEN o."loaded_at" IS NULL AND s."loaded_at" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."batch_id" = s."batch_id" AND FNV_HASH(o."batch_id") = FNV_HASH(s."batch_id") THEN 0 WHEN o."batch_id" IS NULL AND s."batch_id" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."source" = s."source" AND FNV_HASH(o."source") = FNV_HASH(s."source") THEN 0 WHEN o."source" IS NULL AND s."source" IS NULL THEN 0 ELSE 1 END = 0)
WHERE o._there IS NULL;

CREATE TEMPORARY TABLE "replaced__added" AS SELECT s."entity_key", s."agreement_id", s."period_start", s."period_end", s."company_key", s."month_key", s."amount", s."loaded_at", s."batch_id", s."source"
FROM "replaced__fresh" AS s
LEFT JOIN (SELECT *, 1 AS _there
FROM "replaced__stored") AS o ON o."entity_key" = s."entity_key" AND (CASE WHEN o."agreement_id" = s."agreement_id" AND FNV_HASH(o."agreement_id") = FNV_HASH(s."agreement_id") THEN 0 WHEN o."agreement_id" IS NULL AND s."agreement_id" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."period_start" = s."period_start" AND FNV_HASH(o."period_start") = FNV_HASH(s."period_start") THEN 0 WHEN o."period_start" IS NULL AND s."period_start" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."period_end" = s."period_end" AND FNV_HASH(o."period_end") = FNV_HASH(s."period_end") THEN 0 WHEN o."period_end" IS NULL AND s."period_end" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."company_key" = s."company_key" AND FNV_HASH(o."company_key") = FNV_HASH(s."company_key") THEN 0 WHEN o."company_key" IS NULL AND s."company_key" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."month_key" = s."month_key" AND FNV_HASH(o."month_key") = FNV_HASH(s."month_key") THEN 0 WHEN o."month_key" IS NULL AND s."month_key" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."amount" = s."amount" AND FNV_HASH(o."amount") = FNV_HASH(s."amount") THEN 0 WHEN o."amount" IS NULL AND s."amount" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."loaded_at" = s."loaded_at" AND FNV_HASH(o."loaded_at") = FNV_HASH(s."loaded_at") THEN 0 WHEN o."loaded_at" IS NULL AND s."loaded_at" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."batch_id" = s."batch_id" AND FNV_HASH(o."batch_id") = FNV_HASH(s."batch_id") THEN 0 WHEN o."batch_id" IS NULL AND s."batch_id" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."source" = s."source" AND FNV_HASH(o."source") = FNV_HASH(s."source") THEN 0 WHEN o."source" IS NULL AND s."source" IS NULL THEN 0 ELSE 1 END = 0)
WHERE o._there IS NULL;

CREATE TEMPORARY TABLE "replaced__added" AS SELECT s."entity_key", s."entry_id", s."member_key", s."worker_key", s."approver_key", s."company_key", s."option_key", s."work_date_key", s."head_key", s."started_at", s."option", s."worked", s."revenue", s."cost", s."margin", s."loaded_at", s."batch_id", s."source"
FROM "replaced__fresh" AS s
LEFT JOIN (SELECT *, 1 AS _there
FROM "replaced__stored") AS o ON o."entity_key" = s."entity_key" AND (CASE WHEN o."entry_id" = s."entry_id" AND FNV_HASH(o."entry_id") = FNV_HASH(s."entry_id") THEN 0 WHEN o."entry_id" IS NULL AND s."entry_id" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."member_key" = s."member_key" AND FNV_HASH(o."member_key") = FNV_HASH(s."member_key") THEN 0 WHEN o."member_key" IS NULL AND s."member_key" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."worker_key" = s."worker_key" AND FNV_HASH(o."worker_key") = FNV_HASH(s."worker_key") THEN 0 WHEN o."worker_key" IS NULL AND s."worker_key" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."approver_key" = s."approver_key" AND FNV_HASH(o."approver_key") = FNV_HASH(s."approver_key") THEN 0 WHEN o."approver_key" IS NULL AND s."approver_key" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."company_key" = s."company_key" AND FNV_HASH(o."company_key") = FNV_HASH(s."company_key") THEN 0 WHEN o."company_key" IS NULL AND s."company_key" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."option_key" = s."option_key" AND FNV_HASH(o."option_key") = FNV_HASH(s."option_key") THEN 0 WHEN o."option_key" IS NULL AND s."option_key" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."work_date_key" = s."work_date_key" AND FNV_HASH(o."work_date_key") = FNV_HASH(s."work_date_key") THEN 0 WHEN o."work_date_key" IS NULL AND s."work_date_key" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."head_key" = s."head_key" AND FNV_HASH(o."head_key") = FNV_HASH(s."head_key") THEN 0 WHEN o."head_key" IS NULL AND s."head_key" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."started_at" = s."started_at" AND FNV_HASH(o."started_at") = FNV_HASH(s."started_at") THEN 0 WHEN o."started_at" IS NULL AND s."started_at" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."option" = s."option" AND FNV_HASH(o."option") = FNV_HASH(s."option") THEN 0 WHEN o."option" IS NULL AND s."option" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."worked" = s."worked" AND FNV_HASH(o."worked") = FNV_HASH(s."worked") THEN 0 WHEN o."worked" IS NULL AND s."worked" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."revenue" = s."revenue" AND FNV_HASH(o."revenue") = FNV_HASH(s."revenue") THEN 0 WHEN o."revenue" IS NULL AND s."revenue" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."cost" = s."cost" AND FNV_HASH(o."cost") = FNV_HASH(s."cost") THEN 0 WHEN o."cost" IS NULL AND s."cost" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."margin" = s."margin" AND FNV_HASH(o."margin") = FNV_HASH(s."margin") THEN 0 WHEN o."margin" IS NULL AND s."margin" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."loaded_at" = s."loaded_at" AND FNV_HASH(o."loaded_at") = FNV_HASH(s."loaded_at") THEN 0 WHEN o."loaded_at" IS NULL AND s."loaded_at" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."batch_id" = s."batch_id" AND FNV_HASH(o."batch_id") = FNV_HASH(s."batch_id") THEN 0 WHEN o."batch_id" IS NULL AND s."batch_id" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."source" = s."source" AND FNV_HASH(o."source") = FNV_HASH(s."source") THEN 0 WHEN o."source" IS NULL AND s."source" IS NULL THEN 0 ELSE 1 END = 0)
WHERE o._there IS NULL;

CREATE TEMPORARY TABLE "replaced__added" AS SELECT s."entity_key", s."kind", s."line_id", s."company_key", s."day_key", s."amount", s."loaded_at", s."batch_id", s."source"
FROM "replaced__fresh" AS s
LEFT JOIN (SELECT *, 1 AS _there
FROM "replaced__stored") AS o ON o."entity_key" = s."entity_key" AND (CASE WHEN o."kind" = s."kind" AND FNV_HASH(o."kind") = FNV_HASH(s."kind") THEN 0 WHEN o."kind" IS NULL AND s."kind" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."line_id" = s."line_id" AND FNV_HASH(o."line_id") = FNV_HASH(s."line_id") THEN 0 WHEN o."line_id" IS NULL AND s."line_id" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."company_key" = s."company_key" AND FNV_HASH(o."company_key") = FNV_HASH(s."company_key") THEN 0 WHEN o."company_key" IS NULL AND s."company_key" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."day_key" = s."day_key" AND FNV_HASH(o."day_key") = FNV_HASH(s."day_key") THEN 0 WHEN o."day_key" IS NULL AND s."day_key" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."amount" = s."amount" AND FNV_HASH(o."amount") = FNV_HASH(s."amount") THEN 0 WHEN o."amount" IS NULL AND s."amount" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."loaded_at" = s."loaded_at" AND FNV_HASH(o."loaded_at") = FNV_HASH(s."loaded_at") THEN 0 WHEN o."loaded_at" IS NULL AND s."loaded_at" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."batch_id" = s."batch_id" AND FNV_HASH(o."batch_id") = FNV_HASH(s."batch_id") THEN 0 WHEN o."batch_id" IS NULL AND s."batch_id" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."source" = s."source" AND FNV_HASH(o."source") = FNV_HASH(s."source") THEN 0 WHEN o."source" IS NULL AND s."source" IS NULL THEN 0 ELSE 1 END = 0)
WHERE o._there IS NULL;

CREATE TEMPORARY TABLE "replaced__added" AS SELECT s."member_key", s."entity_key", s."name", s."cost", s."valid_from", s."valid_to", s."is_current", s."is_inferred", s."loaded_at", s."batch_id", s."source"
FROM "replaced__fresh" AS s
LEFT JOIN (SELECT *, 1 AS _there
FROM "replaced__stored") AS o ON o."entity_key" = s."entity_key" AND (CASE WHEN o."member_key" = s."member_key" AND FNV_HASH(o."member_key") = FNV_HASH(s."member_key") THEN 0 WHEN o."member_key" IS NULL AND s."member_key" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."name" = s."name" AND FNV_HASH(o."name") = FNV_HASH(s."name") THEN 0 WHEN o."name" IS NULL AND s."name" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."cost" = s."cost" AND FNV_HASH(o."cost") = FNV_HASH(s."cost") THEN 0 WHEN o."cost" IS NULL AND s."cost" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."valid_from" = s."valid_from" AND FNV_HASH(o."valid_from") = FNV_HASH(s."valid_from") THEN 0 WHEN o."valid_from" IS NULL AND s."valid_from" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."valid_to" = s."valid_to" AND FNV_HASH(o."valid_to") = FNV_HASH(s."valid_to") THEN 0 WHEN o."valid_to" IS NULL AND s."valid_to" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."is_current" = s."is_current" AND FNV_HASH(o."is_current") = FNV_HASH(s."is_current") THEN 0 WHEN o."is_current" IS NULL AND s."is_current" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."is_inferred" = s."is_inferred" AND FNV_HASH(o."is_inferred") = FNV_HASH(s."is_inferred") THEN 0 WHEN o."is_inferred" IS NULL AND s."is_inferred" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."loaded_at" = s."loaded_at" AND FNV_HASH(o."loaded_at") = FNV_HASH(s."loaded_at") THEN 0 WHEN o."loaded_at" IS NULL AND s."loaded_at" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."batch_id" = s."batch_id" AND FNV_HASH(o."batch_id") = FNV_HASH(s."batch_id") THEN 0 WHEN o."batch_id" IS NULL AND s."batch_id" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."source" = s."source" AND FNV_HASH(o."source") = FNV_HASH(s."source") THEN 0 WHEN o."source" IS NULL AND s."source" IS NULL THEN 0 ELSE 1 END = 0)
WHERE o._there IS NULL;

CREATE TEMPORARY TABLE "replaced__added" AS SELECT s."worker_key", s."entity_key", s."name", s."valid_from", s."valid_to", s."is_current", s."is_inferred", s."loaded_at", s."batch_id", s."source"
FROM "replaced__fresh" AS s
LEFT JOIN (SELECT *, 1 AS _there
FROM "replaced__stored") AS o ON o."entity_key" = s."entity_key" AND (CASE WHEN o."worker_key" = s."worker_key" AND FNV_HASH(o."worker_key") = FNV_HASH(s."worker_key") THEN 0 WHEN o."worker_key" IS NULL AND s."worker_key" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."name" = s."name" AND FNV_HASH(o."name") = FNV_HASH(s."name") THEN 0 WHEN o."name" IS NULL AND s."name" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."valid_from" = s."valid_from" AND FNV_HASH(o."valid_from") = FNV_HASH(s."valid_from") THEN 0 WHEN o."valid_from" IS NULL AND s."valid_from" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."valid_to" = s."valid_to" AND FNV_HASH(o."valid_to") = FNV_HASH(s."valid_to") THEN 0 WHEN o."valid_to" IS NULL AND s."valid_to" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."is_current" = s."is_current" AND FNV_HASH(o."is_current") = FNV_HASH(s."is_current") THEN 0 WHEN o."is_current" IS NULL AND s."is_current" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."is_inferred" = s."is_inferred" AND FNV_HASH(o."is_inferred") = FNV_HASH(s."is_inferred") THEN 0 WHEN o."is_inferred" IS NULL AND s."is_inferred" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."loaded_at" = s."loaded_at" AND FNV_HASH(o."loaded_at") = FNV_HASH(s."loaded_at") THEN 0 WHEN o."loaded_at" IS NULL AND s."loaded_at" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."batch_id" = s."batch_id" AND FNV_HASH(o."batch_id") = FNV_HASH(s."batch_id") THEN 0 WHEN o."batch_id" IS NULL AND s."batch_id" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."source" = s."source" AND FNV_HASH(o."source") = FNV_HASH(s."source") THEN 0 WHEN o."source" IS NULL AND s."source" IS NULL THEN 0 ELSE 1 END = 0)
WHERE o._there IS NULL;

CREATE TEMPORARY TABLE "replaced__fresh" AS SELECT CAST("company_key" AS BIGINT) AS "company_key", CAST("entity_key" AS VARCHAR(MAX)) AS "entity_key", CAST("company_id" AS BIGINT) AS "company_id", CAST("segment" AS VARCHAR(MAX)) AS "segment", CAST("name" AS VARCHAR(MAX)) AS "name", CAST("first_segment" AS VARCHAR(MAX)) AS "first_segment", CAST("number" AS VARCHAR(MAX)) AS "number", CAST("city" AS VARCHAR(MAX)) AS "city", CAST("phone" AS VARCHAR(MAX)) AS "phone", CAST("valid_from" AS TIMESTAMP) AS "valid_from", CAST("valid_to" AS TIMESTAMP) AS "valid_to", CAST("is_current" AS BOOLEAN) AS "is_current", CAST("is_inferred" AS BOOLEAN) AS "is_inferred", CAST("loaded_at" AS TIMESTAMP) AS "loaded_at", CAST("batch_id" AS VARCHAR(MAX)) AS "batch_id", CAST("source" AS VARCHAR(MAX)) AS "source"
FROM "gold_fresh";

CREATE TEMPORARY TABLE "replaced__fresh" AS SELECT CAST("entity_key" AS VARCHAR(MAX)) AS "entity_key", CAST("agreement_id" AS BIGINT) AS "agreement_id", CAST("period_start" AS DATE) AS "period_start", CAST("period_end" AS DATE) AS "period_end", CAST("company_key" AS BIGINT) AS "company_key", CAST("month_key" AS BIGINT) AS "month_key", CAST("amount" AS DECIMAL(18, 4)) AS "amount", CAST("loaded_at" AS TIMESTAMP) AS "loaded_at", CAST("batch_id" AS VARCHAR(MAX)) AS "batch_id", CAST("source" AS VARCHAR(MAX)) AS "source"
FROM "gold_fresh";

CREATE TEMPORARY TABLE "replaced__fresh" AS SELECT CAST("entity_key" AS VARCHAR(MAX)) AS "entity_key", CAST("entry_id" AS BIGINT) AS "entry_id", CAST("member_key" AS BIGINT) AS "member_key", CAST("worker_key" AS BIGINT) AS "worker_key", CAST("approver_key" AS BIGINT) AS "approver_key", CAST("company_key" AS BIGINT) AS "company_key", CAST("option_key" AS BIGINT) AS "option_key", CAST("work_date_key" AS BIGINT) AS "work_date_key", CAST("head_key" AS BIGINT) AS "head_key", CAST("started_at" AS TIMESTAMP) AS "started_at", CAST("option" AS VARCHAR(MAX)) AS "option", CAST("worked" AS DECIMAL(18, 4)) AS "worked", CAST("revenue" AS DECIMAL(18, 8)) AS "revenue", CAST("cost" AS DECIMAL(18, 8)) AS "cost", CAST("margin" AS DOUBLE PRECISION) AS "margin", CAST("loaded_at" AS TIMESTAMP) AS "loaded_at", CAST("batch_id" AS VARCHAR(MAX)) AS "batch_id", CAST("source" AS VARCHAR(MAX)) AS "source"
FROM "gold_fresh";

CREATE TEMPORARY TABLE "replaced__fresh" AS SELECT CAST("entity_key" AS VARCHAR(MAX)) AS "entity_key", CAST("kind" AS VARCHAR(MAX)) AS "kind", CAST("line_id" AS BIGINT) AS "line_id", CAST("company_key" AS BIGINT) AS "company_key", CAST("day_key" AS BIGINT) AS "day_key", CAST("amount" AS DECIMAL(22, 8)) AS "amount", CAST("loaded_at" AS TIMESTAMP) AS "loaded_at", CAST("batch_id" AS VARCHAR(MAX)) AS "batch_id", CAST("source" AS VARCHAR(MAX)) AS "source"
FROM "gold_fresh";

CREATE TEMPORARY TABLE "replaced__fresh" AS SELECT CAST("member_key" AS BIGINT) AS "member_key", CAST("entity_key" AS VARCHAR(MAX)) AS "entity_key", CAST("name" AS VARCHAR(MAX)) AS "name", CAST("cost" AS DECIMAL(18, 4)) AS "cost", CAST("valid_from" AS TIMESTAMP) AS "valid_from", CAST("valid_to" AS TIMESTAMP) AS "valid_to", CAST("is_current" AS BOOLEAN) AS "is_current", CAST("is_inferred" AS BOOLEAN) AS "is_inferred", CAST("loaded_at" AS TIMESTAMP) AS "loaded_at", CAST("batch_id" AS VARCHAR(MAX)) AS "batch_id", CAST("source" AS VARCHAR(MAX)) AS "source"
FROM "gold_fresh";

CREATE TEMPORARY TABLE "replaced__fresh" AS SELECT CAST("option_key" AS BIGINT) AS "option_key", CAST("entity_key" AS VARCHAR(MAX)) AS "entity_key", CAST("value" AS VARCHAR(MAX)) AS "value", CAST("category" AS VARCHAR(MAX)) AS "category", CAST("valid_from" AS TIMESTAMP) AS "valid_from", CAST("valid_to" AS TIMESTAMP) AS "valid_to", CAST("is_current" AS BOOLEAN) AS "is_current", CAST("is_inferred" AS BOOLEAN) AS "is_inferred", CAST("loaded_at" AS TIMESTAMP) AS "loaded_at", CAST("batch_id" AS VARCHAR(MAX)) AS "batch_id", CAST("source" AS VARCHAR(MAX)) AS "source"
FROM "gold_fresh";

CREATE TEMPORARY TABLE "replaced__fresh" AS SELECT CAST("worker_key" AS BIGINT) AS "worker_key", CAST("entity_key" AS VARCHAR(MAX)) AS "entity_key", CAST("name" AS VARCHAR(MAX)) AS "name", CAST("valid_from" AS TIMESTAMP) AS "valid_from", CAST("valid_to" AS TIMESTAMP) AS "valid_to", CAST("is_current" AS BOOLEAN) AS "is_current", CAST("is_inferred" AS BOOLEAN) AS "is_inferred", CAST("loaded_at" AS TIMESTAMP) AS "loaded_at", CAST("batch_id" AS VARCHAR(MAX)) AS "batch_id", CAST("source" AS VARCHAR(MAX)) AS "source"
FROM "gold_numbered";

CREATE TEMPORARY TABLE "replaced__gone" AS SELECT s."company_key", s."entity_key", s."company_id", s."segment", s."name", s."first_segment", s."number", s."city", s."phone", s."valid_from", s."valid_to", s."is_current", s."is_inferred", s."loaded_at", s."batch_id", s."source"
FROM "replaced__stored" AS s
LEFT JOIN (SELECT *, 1 AS _there
FROM "replaced__fresh") AS o ON o."entity_key" = s."entity_key" AND (CASE WHEN o."company_key" = s."company_key" AND FNV_HASH(o."company_key") = FNV_HASH(s."company_key") THEN 0 WHEN o."company_key" IS NULL AND s."company_key" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."company_id" = s."company_id" AND FNV_HASH(o."company_id") = FNV_HASH(s."company_id") THEN 0 WHEN o."company_id" IS NULL AND s."company_id" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."segment" = s."segment" AND FNV_HASH(o."segment") = FNV_HASH(s."segment") THEN 0 WHEN o."segment" IS NULL AND s."segment" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."name" = s."name" AND FNV_HASH(o."name") = FNV_HASH(s."name") THEN 0 WHEN o."name" IS NULL AND s."name" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."first_segment" = s."first_segment" AND FNV_HASH(o."first_segment") = FNV_HASH(s."first_segment") THEN 0 WHEN o."first_segment" IS NULL AND s."first_segment" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."number" = s."number" AND FNV_HASH(o."number") = FNV_HASH(s."number") THEN 0 WHEN o."number" IS NULL AND s."number" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."city" = s."city" AND FNV_HASH(o."city") = FNV_HASH(s."city") THEN 0 WHEN o."city" IS NULL AND s."city" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."phone" = s."phone" AND FNV_HASH(o."phone") = FNV_HASH(s."phone") THEN 0 WHEN o."phone" IS NULL AND s."phone" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."valid_from" = s."valid_from" AND FNV_HASH(o."valid_from") = FNV_HASH(s."valid_from") THEN 0 WHEN o."valid_from" IS NULL AND s."valid_from" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."valid_to" = s."valid_to" AND FNV_HASH(o."valid_to") = FNV_HASH(s."valid_to") THEN 0 WHEN o."valid_to" IS NULL AND s."valid_to" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."is_current" = s."is_current" AND FNV_HASH(o."is_current") = FNV_HASH(s."is_current") THEN 0 WHEN o."is_current" IS NULL AND s."is_current" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."is_inferred" = s."is_inferred" AND FNV_HASH(o."is_inferred") = FNV_HASH(s."is_inferred") THEN 0 WHEN o."is_inferred" IS NULL AND s."is_inferred" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."loaded_at" = s."loaded_at" AND FNV_HASH(o."loaded_at") = FNV_HASH(s."loaded_at") THEN 0 WHEN o."loaded_at" IS NULL AND s."loaded_at" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."batch_id" = s."batch_id" AND FNV_HASH(o."batch_id") = FNV_HASH(s."batch_id") THEN 0 WHEN o."batch_id" IS NULL AND s."batch_id" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."source" = s."source" AND FNV_HASH(o."source") = FNV_HASH(s."source") THEN 0 WHEN o."source" IS NULL AND s."source" IS NULL THEN 0 ELSE 1 END = 0)
WHERE o._there IS NULL;

CREATE TEMPORARY TABLE "replaced__gone" AS SELECT s."entity_key", s."agreement_id", s."period_start", s."period_end", s."company_key", s."month_key", s."amount", s."loaded_at", s."batch_id", s."source"
FROM "replaced__stored" AS s
LEFT JOIN (SELECT *, 1 AS _there
FROM "replaced__fresh") AS o ON o."entity_key" = s."entity_key" AND (CASE WHEN o."agreement_id" = s."agreement_id" AND FNV_HASH(o."agreement_id") = FNV_HASH(s."agreement_id") THEN 0 WHEN o."agreement_id" IS NULL AND s."agreement_id" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."period_start" = s."period_start" AND FNV_HASH(o."period_start") = FNV_HASH(s."period_start") THEN 0 WHEN o."period_start" IS NULL AND s."period_start" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."period_end" = s."period_end" AND FNV_HASH(o."period_end") = FNV_HASH(s."period_end") THEN 0 WHEN o."period_end" IS NULL AND s."period_end" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."company_key" = s."company_key" AND FNV_HASH(o."company_key") = FNV_HASH(s."company_key") THEN 0 WHEN o."company_key" IS NULL AND s."company_key" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."month_key" = s."month_key" AND FNV_HASH(o."month_key") = FNV_HASH(s."month_key") THEN 0 WHEN o."month_key" IS NULL AND s."month_key" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."amount" = s."amount" AND FNV_HASH(o."amount") = FNV_HASH(s."amount") THEN 0 WHEN o."amount" IS NULL AND s."amount" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."loaded_at" = s."loaded_at" AND FNV_HASH(o."loaded_at") = FNV_HASH(s."loaded_at") THEN 0 WHEN o."loaded_at" IS NULL AND s."loaded_at" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."batch_id" = s."batch_id" AND FNV_HASH(o."batch_id") = FNV_HASH(s."batch_id") THEN 0 WHEN o."batch_id" IS NULL AND s."batch_id" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."source" = s."source" AND FNV_HASH(o."source") = FNV_HASH(s."source") THEN 0 WHEN o."source" IS NULL AND s."source" IS NULL THEN 0 ELSE 1 END = 0)
WHERE o._there IS NULL;

CREATE TEMPORARY TABLE "replaced__gone" AS SELECT s."entity_key", s."entry_id", s."member_key", s."worker_key", s."approver_key", s."company_key", s."option_key", s."work_date_key", s."head_key", s."started_at", s."option", s."worked", s."revenue", s."cost", s."margin", s."loaded_at", s."batch_id", s."source"
FROM "replaced__stored" AS s
LEFT JOIN (SELECT *, 1 AS _there
FROM "replaced__fresh") AS o ON o."entity_key" = s."entity_key" AND (CASE WHEN o."entry_id" = s."entry_id" AND FNV_HASH(o."entry_id") = FNV_HASH(s."entry_id") THEN 0 WHEN o."entry_id" IS NULL AND s."entry_id" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."member_key" = s."member_key" AND FNV_HASH(o."member_key") = FNV_HASH(s."member_key") THEN 0 WHEN o."member_key" IS NULL AND s."member_key" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."worker_key" = s."worker_key" AND FNV_HASH(o."worker_key") = FNV_HASH(s."worker_key") THEN 0 WHEN o."worker_key" IS NULL AND s."worker_key" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."approver_key" = s."approver_key" AND FNV_HASH(o."approver_key") = FNV_HASH(s."approver_key") THEN 0 WHEN o."approver_key" IS NULL AND s."approver_key" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."company_key" = s."company_key" AND FNV_HASH(o."company_key") = FNV_HASH(s."company_key") THEN 0 WHEN o."company_key" IS NULL AND s."company_key" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."option_key" = s."option_key" AND FNV_HASH(o."option_key") = FNV_HASH(s."option_key") THEN 0 WHEN o."option_key" IS NULL AND s."option_key" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."work_date_key" = s."work_date_key" AND FNV_HASH(o."work_date_key") = FNV_HASH(s."work_date_key") THEN 0 WHEN o."work_date_key" IS NULL AND s."work_date_key" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."head_key" = s."head_key" AND FNV_HASH(o."head_key") = FNV_HASH(s."head_key") THEN 0 WHEN o."head_key" IS NULL AND s."head_key" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."started_at" = s."started_at" AND FNV_HASH(o."started_at") = FNV_HASH(s."started_at") THEN 0 WHEN o."started_at" IS NULL AND s."started_at" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."option" = s."option" AND FNV_HASH(o."option") = FNV_HASH(s."option") THEN 0 WHEN o."option" IS NULL AND s."option" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."worked" = s."worked" AND FNV_HASH(o."worked") = FNV_HASH(s."worked") THEN 0 WHEN o."worked" IS NULL AND s."worked" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."revenue" = s."revenue" AND FNV_HASH(o."revenue") = FNV_HASH(s."revenue") THEN 0 WHEN o."revenue" IS NULL AND s."revenue" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."cost" = s."cost" AND FNV_HASH(o."cost") = FNV_HASH(s."cost") THEN 0 WHEN o."cost" IS NULL AND s."cost" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."margin" = s."margin" AND FNV_HASH(o."margin") = FNV_HASH(s."margin") THEN 0 WHEN o."margin" IS NULL AND s."margin" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."loaded_at" = s."loaded_at" AND FNV_HASH(o."loaded_at") = FNV_HASH(s."loaded_at") THEN 0 WHEN o."loaded_at" IS NULL AND s."loaded_at" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."batch_id" = s."batch_id" AND FNV_HASH(o."batch_id") = FNV_HASH(s."batch_id") THEN 0 WHEN o."batch_id" IS NULL AND s."batch_id" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."source" = s."source" AND FNV_HASH(o."source") = FNV_HASH(s."source") THEN 0 WHEN o."source" IS NULL AND s."source" IS NULL THEN 0 ELSE 1 END = 0)
WHERE o._there IS NULL;

CREATE TEMPORARY TABLE "replaced__gone" AS SELECT s."entity_key", s."kind", s."line_id", s."company_key", s."day_key", s."amount", s."loaded_at", s."batch_id", s."source"
FROM "replaced__stored" AS s
LEFT JOIN (SELECT *, 1 AS _there
FROM "replaced__fresh") AS o ON o."entity_key" = s."entity_key" AND (CASE WHEN o."kind" = s."kind" AND FNV_HASH(o."kind") = FNV_HASH(s."kind") THEN 0 WHEN o."kind" IS NULL AND s."kind" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."line_id" = s."line_id" AND FNV_HASH(o."line_id") = FNV_HASH(s."line_id") THEN 0 WHEN o."line_id" IS NULL AND s."line_id" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."company_key" = s."company_key" AND FNV_HASH(o."company_key") = FNV_HASH(s."company_key") THEN 0 WHEN o."company_key" IS NULL AND s."company_key" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."day_key" = s."day_key" AND FNV_HASH(o."day_key") = FNV_HASH(s."day_key") THEN 0 WHEN o."day_key" IS NULL AND s."day_key" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."amount" = s."amount" AND FNV_HASH(o."amount") = FNV_HASH(s."amount") THEN 0 WHEN o."amount" IS NULL AND s."amount" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."loaded_at" = s."loaded_at" AND FNV_HASH(o."loaded_at") = FNV_HASH(s."loaded_at") THEN 0 WHEN o."loaded_at" IS NULL AND s."loaded_at" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."batch_id" = s."batch_id" AND FNV_HASH(o."batch_id") = FNV_HASH(s."batch_id") THEN 0 WHEN o."batch_id" IS NULL AND s."batch_id" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."source" = s."source" AND FNV_HASH(o."source") = FNV_HASH(s."source") THEN 0 WHEN o."source" IS NULL AND s."source" IS NULL THEN 0 ELSE 1 END = 0)
WHERE o._there IS NULL;

CREATE TEMPORARY TABLE "replaced__gone" AS SELECT s."member_key", s."entity_key", s."name", s."cost", s."valid_from", s."valid_to", s."is_current", s."is_inferred", s."loaded_at", s."batch_id", s."source"
FROM "replaced__stored" AS s
LEFT JOIN (SELECT *, 1 AS _there
FROM "replaced__fresh") AS o ON o."entity_key" = s."entity_key" AND (CASE WHEN o."member_key" = s."member_key" AND FNV_HASH(o."member_key") = FNV_HASH(s."member_key") THEN 0 WHEN o."member_key" IS NULL AND s."member_key" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."name" = s."name" AND FNV_HASH(o."name") = FNV_HASH(s."name") THEN 0 WHEN o."name" IS NULL AND s."name" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."cost" = s."cost" AND FNV_HASH(o."cost") = FNV_HASH(s."cost") THEN 0 WHEN o."cost" IS NULL AND s."cost" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."valid_from" = s."valid_from" AND FNV_HASH(o."valid_from") = FNV_HASH(s."valid_from") THEN 0 WHEN o."valid_from" IS NULL AND s."valid_from" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."valid_to" = s."valid_to" AND FNV_HASH(o."valid_to") = FNV_HASH(s."valid_to") THEN 0 WHEN o."valid_to" IS NULL AND s."valid_to" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."is_current" = s."is_current" AND FNV_HASH(o."is_current") = FNV_HASH(s."is_current") THEN 0 WHEN o."is_current" IS NULL AND s."is_current" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."is_inferred" = s."is_inferred" AND FNV_HASH(o."is_inferred") = FNV_HASH(s."is_inferred") THEN 0 WHEN o."is_inferred" IS NULL AND s."is_inferred" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."loaded_at" = s."loaded_at" AND FNV_HASH(o."loaded_at") = FNV_HASH(s."loaded_at") THEN 0 WHEN o."loaded_at" IS NULL AND s."loaded_at" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."batch_id" = s."batch_id" AND FNV_HASH(o."batch_id") = FNV_HASH(s."batch_id") THEN 0 WHEN o."batch_id" IS NULL AND s."batch_id" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."source" = s."source" AND FNV_HASH(o."source") = FNV_HASH(s."source") THEN 0 WHEN o."source" IS NULL AND s."source" IS NULL THEN 0 ELSE 1 END = 0)
WHERE o._there IS NULL;

CREATE TEMPORARY TABLE "replaced__gone" AS SELECT s."worker_key", s."entity_key", s."name", s."valid_from", s."valid_to", s."is_current", s."is_inferred", s."loaded_at", s."batch_id", s."source"
FROM "replaced__stored" AS s
LEFT JOIN (SELECT *, 1 AS _there
FROM "replaced__fresh") AS o ON o."entity_key" = s."entity_key" AND (CASE WHEN o."worker_key" = s."worker_key" AND FNV_HASH(o."worker_key") = FNV_HASH(s."worker_key") THEN 0 WHEN o."worker_key" IS NULL AND s."worker_key" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."name" = s."name" AND FNV_HASH(o."name") = FNV_HASH(s."name") THEN 0 WHEN o."name" IS NULL AND s."name" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."valid_from" = s."valid_from" AND FNV_HASH(o."valid_from") = FNV_HASH(s."valid_from") THEN 0 WHEN o."valid_from" IS NULL AND s."valid_from" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."valid_to" = s."valid_to" AND FNV_HASH(o."valid_to") = FNV_HASH(s."valid_to") THEN 0 WHEN o."valid_to" IS NULL AND s."valid_to" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."is_current" = s."is_current" AND FNV_HASH(o."is_current") = FNV_HASH(s."is_current") THEN 0 WHEN o."is_current" IS NULL AND s."is_current" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."is_inferred" = s."is_inferred" AND FNV_HASH(o."is_inferred") = FNV_HASH(s."is_inferred") THEN 0 WHEN o."is_inferred" IS NULL AND s."is_inferred" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."loaded_at" = s."loaded_at" AND FNV_HASH(o."loaded_at") = FNV_HASH(s."loaded_at") THEN 0 WHEN o."loaded_at" IS NULL AND s."loaded_at" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."batch_id" = s."batch_id" AND FNV_HASH(o."batch_id") = FNV_HASH(s."batch_id") THEN 0 WHEN o."batch_id" IS NULL AND s."batch_id" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN o."source" = s."source" AND FNV_HASH(o."source") = FNV_HASH(s."source") THEN 0 WHEN o."source" IS NULL AND s."source" IS NULL THEN 0 ELSE 1 END = 0)
WHERE o._there IS NULL;

CREATE TEMPORARY TABLE "replaced__stored" AS SELECT s."company_key", s."entity_key", s."company_id", s."segment", s."name", s."first_segment", s."number", s."city", s."phone", s."valid_from", s."valid_to", s."is_current", s."is_inferred", s."loaded_at", s."batch_id", s."source"
FROM "acme_gold"."dim_company" AS s
JOIN (SELECT DISTINCT "entity_key"
FROM "gold_keys") AS k ON k."entity_key" = s."entity_key";

CREATE TEMPORARY TABLE "replaced__stored" AS SELECT s."entity_key", s."agreement_id", s."period_start", s."period_end", s."company_key", s."month_key", s."amount", s."loaded_at", s."batch_id", s."source"
FROM "acme_gold"."fact_agreement_period" AS s
JOIN (SELECT DISTINCT "entity_key"
FROM "gold_keys") AS k ON k."entity_key" = s."entity_key";

CREATE TEMPORARY TABLE "replaced__stored" AS SELECT s."entity_key", s."entry_id", s."member_key", s."worker_key", s."approver_key", s."company_key", s."option_key", s."work_date_key", s."head_key", s."started_at", s."option", s."worked", s."revenue", s."cost", s."margin", s."loaded_at", s."batch_id", s."source"
FROM "acme_gold"."fact_entry" AS s
JOIN (SELECT DISTINCT "entity_key"
FROM "gold_keys") AS k ON k."entity_key" = s."entity_key";

CREATE TEMPORARY TABLE "replaced__stored" AS SELECT s."entity_key", s."kind", s."line_id", s."company_key", s."day_key", s."amount", s."loaded_at", s."batch_id", s."source"
FROM "acme_gold"."fact_line" AS s
JOIN (SELECT DISTINCT "entity_key"
FROM "gold_keys") AS k ON k."entity_key" = s."entity_key";

CREATE TEMPORARY TABLE "replaced__stored" AS SELECT s."member_key", s."entity_key", s."name", s."cost", s."valid_from", s."valid_to", s."is_current", s."is_inferred", s."loaded_at", s."batch_id", s."source"
FROM "acme_gold"."dim_member" AS s
JOIN (SELECT DISTINCT "entity_key"
FROM "gold_keys") AS k ON k."entity_key" = s."entity_key";

CREATE TEMPORARY TABLE "replaced__stored" AS SELECT s."option_key", s."entity_key", s."value", s."category", s."valid_from", s."valid_to", s."is_current", s."is_inferred", s."loaded_at", s."batch_id", s."source"
FROM "acme_gold"."dim_option" AS s
JOIN (SELECT DISTINCT "entity_key"
FROM "gold_keys") AS k ON k."entity_key" = s."entity_key";

CREATE TEMPORARY TABLE "replaced__stored" AS SELECT s."worker_key", s."entity_key", s."name", s."valid_from", s."valid_to", s."is_current", s."is_inferred", s."loaded_at", s."batch_id", s."source"
FROM "acme_gold"."dim_worker" AS s
JOIN (SELECT DISTINCT "entity_key"
FROM "gold_keys") AS k ON k."entity_key" = s."entity_key";

CREATE TEMPORARY TABLE "silver__logged" AS SELECT x."entity_key", x."sequence", x."operation", x."source", x."member_id", x."name", x."cost", x."known_columns", x."hash", x."stamp", x."observed", x."place", x."first_observed", x."batch_id", x."key_hash"
FROM "acme_silver"."member_log" AS x
WHERE x."key_hash" IN (SELECT k."key_hash"
FROM (SELECT key_hash
FROM "silver__late") AS k) AND TRUE;

CREATE TEMPORARY TABLE "silver__moved" AS WITH met AS (SELECT s.entity_key, s.valid_from, s.valid_to, s.is_current, s.version_number, s.batch_id AS _was_batch_id, n.sequence, n.batch_id, n."member_id" AS "member_id", n."name" AS "name", n."cost" AS "cost", s."member_id" AS "_was_member_id", s."name" AS "_was_name", s."cost" AS "_was_cost", s.is_current AND (n.operation <> 'U' OR ((CASE WHEN n."member_id" = s."member_id" AND FNV_HASH(n."member_id") = FNV_HASH(s."member_id") THEN 0 WHEN n."member_id" IS NULL AND s."member_id" IS NULL THEN 0 ELSE 1 END = 1) OR (CASE WHEN n."name" = s."name" AND FNV_HASH(n."name") = FNV_HASH(s."name") THEN 0 WHEN n."name" IS NULL AND s."name" IS NULL THEN 0 ELSE 1 END = 1) OR (CASE WHEN n."cost" = s."cost" AND FNV_HASH(n."cost") = FNV_HASH(s."cost") THEN 0 WHEN n."cost" IS NULL AND s."cost" IS NULL THEN 0 ELSE 1 END = 1))) AS _closes, n.operation = 'U' AND (NOT s.is_current OR ((CASE WHEN n."member_id" = s."member_id" AND FNV_HASH(n."member_id") = FNV_HASH(s."member_id") THEN 0 WHEN n."member_id" IS NULL AND s."member_id" IS NULL THEN 0 ELSE 1 END = 1) OR (CASE WHEN n."name" = s."name" AND FNV_HASH(n."name") = FNV_HASH(s."name") THEN 0 WHEN n."name" IS NULL AND s."name" IS NULL THEN 0 ELSE 1 END = 1) OR (CASE WHEN n."cost" = s."cost" AND FNV_HASH(n."cost") = FNV_HASH(s."cost") THEN 0 WHEN n."cost" IS NULL AND s."cost" IS NULL THEN 0 ELSE 1 END = 1))) AS _opens
FROM (SELECT *
FROM "silver__stored"
WHERE _last AND NOT entity_key IN (SELECT entity_key
FROM "silver__many")) AS s
JOIN "silver__news" AS n ON n.entity_key = s.entity_key) SELECT entity_key AS _key, version_number AS _number, entity_key, "_was_member_id" AS "member_id", "_was_name" AS "name", "_was_cost" AS "cost", valid_from, CASE WHEN _closes THEN DATEADD(MICROSECOND, CAST((sequence) % 1000000 AS INTEGER), DATEADD(SECOND, CAST((sequence) / 1000000 % 86400 AS INTEGER), DATEADD(DAY, CAST((sequence) / 86400000000 AS INTEGER), CAST('1970-01-01 00:00:00' AS TIMESTAMP)))) ELSE valid_to END AS valid_to, is_current AND NOT _closes AS is_current, version_number, _was_batch_id AS batch_id
FROM met
WHERE _closes OR (FALSE)
UNION ALL SELECT NULL AS _key, NULL AS _number, entity_key, "member_id", "name", "cost", DATEADD(MICROSECOND, CAST((sequence) % 1000000 AS INTEGER), DATEADD(SECOND, CAST((sequence) / 1000000 % 86400 AS INTEGER), DATEADD(DAY, CAST((sequence) / 86400000000 AS INTEGER), CAST('1970-01-01 00:00:00' AS TIMESTAMP)))) AS valid_from, CAST('9999-12-31 00:00:00' AS TIMESTAMP) AS valid_to, TRUE AS is_current, version_number + 1 AS version_number, batch_id
FROM met
WHERE _opens
UNION ALL SELECT s.entity_key AS _key, s.version_number AS _number, f."entity_key", f."member_id", f."name", f."cost", f."valid_from", f."valid_to", f."is_current", f."version_number", f."batch_id"
FROM (SELECT *
FROM "silver__stored"
WHERE (_last OR _late) AND entity_key IN (SELECT entity_key
FROM "silver__many")) AS s
FULL OUTER JOIN (SELECT v.entity_key, v."member_id", v."name", v."cost", v."valid_from", v."valid_to", v."is_current", CAST(v.version_number + COALESCE(b.version_number - 1, 0) AS INTEGER) AS version_number, v.batch_id
FROM "silver__folded" AS v
LEFT JOIN "silver__stored" AS b ON b.entity_key = v.entity_key AND b._last AND NOT b._late) AS f ON f.entity_key = s.entity_key AND f.version_number = s.version_number
WHERE s.entity_key IS NULL OR f.entity_key IS NULL OR ((CASE WHEN f."member_id" = s."member_id" AND FNV_HASH(f."member_id") = FNV_HASH(s."member_id") THEN 0 WHEN f."member_id" IS NULL AND s."member_id" IS NULL THEN 0 ELSE 1 END = 1) OR (CASE WHEN f."name" = s."name" AND FNV_HASH(f."name") = FNV_HASH(s."name") THEN 0 WHEN f."name" IS NULL AND s."name" IS NULL THEN 0 ELSE 1 END = 1) OR (CASE WHEN f."cost" = s."cost" AND FNV_HASH(f."cost") = FNV_HASH(s."cost") THEN 0 WHEN f."cost" IS NULL AND s."cost" IS NULL THEN 0 ELSE 1 END = 1) OR (CASE WHEN f."valid_from" = s."valid_from" AND FNV_HASH(f."valid_from") = FNV_HASH(s."valid_from") THEN 0 WHEN f."valid_from" IS NULL AND s."valid_from" IS NULL THEN 0 ELSE 1 END = 1) OR (CASE WHEN f."valid_to" = s."valid_to" AND FNV_HASH(f."valid_to") = FNV_HASH(s."valid_to") THEN 0 WHEN f."valid_to" IS NULL AND s."valid_to" IS NULL THEN 0 ELSE 1 END = 1) OR (CASE WHEN f."is_current" = s."is_current" AND FNV_HASH(f."is_current") = FNV_HASH(s."is_current") THEN 0 WHEN f."is_current" IS NULL AND s."is_current" IS NULL THEN 0 ELSE 1 END = 1) OR (CASE WHEN f."version_number" = s."version_number" AND FNV_HASH(f."version_number") = FNV_HASH(s."version_number") THEN 0 WHEN f."version_number" IS NULL AND s."version_number" IS NULL THEN 0 ELSE 1 END = 1) OR (CASE WHEN f."batch_id" = s."batch_id" AND FNV_HASH(f."batch_id") = FNV_HASH(s."batch_id") THEN 0 WHEN f."batch_id" IS NULL AND s."batch_id" IS NULL THEN 0 ELSE 1 END = 1));

CREATE TEMPORARY TABLE "silver__stored" AS SELECT *
FROM (SELECT x."entity_key", x."member_id", x."name", x."cost", x."valid_from", x."valid_to", x."is_current", x."version_number", x."batch_id", ROW_NUMBER() OVER (PARTITION BY x.entity_key ORDER BY x.version_number DESC NULLS LAST) = 1 AS _last, (NOT _in_0.among IS NULL) AS _late
FROM (SELECT *
FROM "acme_silver"."member" AS v
WHERE v.entity_key IN (SELECT entity_key
FROM "silver__news"
UNION SELECT entity_key
FROM "silver__known")) AS x
LEFT JOIN (SELECT DISTINCT entity_key AS among
FROM (SELECT entity_key
FROM "silver__known") AS asked) AS _in_0 ON _in_0.among = x.entity_key) AS marked
WHERE _last OR _late;

CREATE TEMPORARY TABLE "silver__story" AS SELECT x."entity_key", x."sequence", x."operation", x."source", x."member_id", x."name", x."cost", x."known_columns", x."hash", x."observed", x."place", x."batch_id"
FROM "silver__news" AS x
WHERE x.entity_key IN (SELECT entity_key
FROM "silver__many")
UNION ALL SELECT x.entity_key, DATEDIFF(MICROSECOND, CAST('1970-01-01 00:00:00' AS TIMESTAMP), x.valid_from), CAST('U' AS VARCHAR(65535)), CAST('' AS VARCHAR(65535)), x."member_id", x."name", x."cost", NULL, CAST('' AS VARCHAR(65535)), 0, 0, x.batch_id
FROM "silver__stored" AS x
WHERE x._last AND NOT x._late AND x.entity_key IN (SELECT entity_key
FROM "silver__many")
UNION ALL SELECT x.entity_key, DATEDIFF(MICROSECOND, CAST('1970-01-01 00:00:00' AS TIMESTAMP), x.valid_to), CAST('D' AS VARCHAR(65535)), CAST('' AS VARCHAR(65535)), x."member_id", x."name", x."cost", NULL, CAST('' AS VARCHAR(65535)), 0, 0, x.batch_id
FROM "silver__stored" AS x
WHERE x._last AND NOT x._late AND x.entity_key IN (SELECT entity_key
FROM "silver__many") AND NOT x.is_current
UNION ALL SELECT x."entity_key", x."sequence", x."operation", x."source", x."member_id", x."name", x."cost", x."known_columns", x."hash", x."observed", x."place", x."batch_id"
FROM "silver__logged" AS x
WHERE x.entity_key IN (SELECT entity_key
FROM "silver__known");

DELETE
FROM "acme_gold"."dim_company" USING "replaced__gone" AS m
WHERE m."entity_key" = "dim_company"."entity_key" AND (CASE WHEN m."company_key" = "dim_company"."company_key" AND FNV_HASH(m."company_key") = FNV_HASH("dim_company"."company_key") THEN 0 WHEN m."company_key" IS NULL AND "dim_company"."company_key" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN m."company_id" = "dim_company"."company_id" AND FNV_HASH(m."company_id") = FNV_HASH("dim_company"."company_id") THEN 0 WHEN m."company_id" IS NULL AND "dim_company"."company_id" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN m."segment" = "dim_company"."segment" AND FNV_HASH(m."segment") = FNV_HASH("dim_company"."segment") THEN 0 WHEN m."segment" IS NULL AND "dim_company"."segment" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN m."name" = "dim_company"."name" AND FNV_HASH(m."name") = FNV_HASH("dim_company"."name") THEN 0 WHEN m."name" IS NULL AND "dim_company"."name" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN m."first_segment" = "dim_company"."first_segment" AND FNV_HASH(m."first_segment") = FNV_HASH("dim_company"."first_segment") THEN 0 WHEN m."first_segment" IS NULL AND "dim_company"."first_segment" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN m."number" = "dim_company"."number" AND FNV_HASH(m."number") = FNV_HASH("dim_company"."number") THEN 0 WHEN m."number" IS NULL AND "dim_company"."number" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN m."city" = "dim_company"."city" AND FNV_HASH(m."city") = FNV_HASH("dim_company"."city") THEN 0 WHEN m."city" IS NULL AND "dim_company"."city" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN m."phone" = "dim_company"."phone" AND FNV_HASH(m."phone") = FNV_HASH("dim_company"."phone") THEN 0 WHEN m."phone" IS NULL AND "dim_company"."phone" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN m."valid_from" = "dim_company"."valid_from" AND FNV_HASH(m."valid_from") = FNV_HASH("dim_company"."valid_from") THEN 0 WHEN m."valid_from" IS NULL AND "dim_company"."valid_from" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN m."valid_to" = "dim_company"."valid_to" AND FNV_HASH(m."valid_to") = FNV_HASH("dim_company"."valid_to") THEN 0 WHEN m."valid_to" IS NULL AND "dim_company"."valid_to" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN m."is_current" = "dim_company"."is_current" AND FNV_HASH(m."is_current") = FNV_HASH("dim_company"."is_current") THEN 0 WHEN m."is_current" IS NULL AND "dim_company"."is_current" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN m."is_inferred" = "dim_company"."is_inferred" AND FNV_HASH(m."is_inferred") = FNV_HASH("dim_company"."is_inferred") THEN 0 WHEN m."is_inferred" IS NULL AND "dim_company"."is_inferred" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN m."loaded_at" = "dim_company"."loaded_at" AND FNV_HASH(m."loaded_at") = FNV_HASH("dim_company"."loaded_at") THEN 0 WHEN m."loaded_at" IS NULL AND "dim_company"."loaded_at" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN m."batch_id" = "dim_company"."batch_id" AND FNV_HASH(m."batch_id") = FNV_HASH("dim_company"."batch_id") THEN 0 WHEN m."batch_id" IS NULL AND "dim_company"."batch_id" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN m."source" = "dim_company"."source" AND FNV_HASH(m."source") = FNV_HASH("dim_company"."source") THEN 0 WHEN m."source" IS NULL AND "dim_company"."source" IS NULL THEN 0 ELSE 1 END = 0);

DELETE
FROM "acme_gold"."dim_member" USING "replaced__gone" AS m
WHERE m."entity_key" = "dim_member"."entity_key" AND (CASE WHEN m."member_key" = "dim_member"."member_key" AND FNV_HASH(m."member_key") = FNV_HASH("dim_member"."member_key") THEN 0 WHEN m."member_key" IS NULL AND "dim_member"."member_key" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN m."name" = "dim_member"."name" AND FNV_HASH(m."name") = FNV_HASH("dim_member"."name") THEN 0 WHEN m."name" IS NULL AND "dim_member"."name" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN m."cost" = "dim_member"."cost" AND FNV_HASH(m."cost") = FNV_HASH("dim_member"."cost") THEN 0 WHEN m."cost" IS NULL AND "dim_member"."cost" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN m."valid_from" = "dim_member"."valid_from" AND FNV_HASH(m."valid_from") = FNV_HASH("dim_member"."valid_from") THEN 0 WHEN m."valid_from" IS NULL AND "dim_member"."valid_from" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN m."valid_to" = "dim_member"."valid_to" AND FNV_HASH(m."valid_to") = FNV_HASH("dim_member"."valid_to") THEN 0 WHEN m."valid_to" IS NULL AND "dim_member"."valid_to" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN m."is_current" = "dim_member"."is_current" AND FNV_HASH(m."is_current") = FNV_HASH("dim_member"."is_current") THEN 0 WHEN m."is_current" IS NULL AND "dim_member"."is_current" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN m."is_inferred" = "dim_member"."is_inferred" AND FNV_HASH(m."is_inferred") = FNV_HASH("dim_member"."is_inferred") THEN 0 WHEN m."is_inferred" IS NULL AND "dim_member"."is_inferred" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN m."loaded_at" = "dim_member"."loaded_at" AND FNV_HASH(m."loaded_at") = FNV_HASH("dim_member"."loaded_at") THEN 0 WHEN m."loaded_at" IS NULL AND "dim_member"."loaded_at" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN m."batch_id" = "dim_member"."batch_id" AND FNV_HASH(m."batch_id") = FNV_HASH("dim_member"."batch_id") THEN 0 WHEN m."batch_id" IS NULL AND "dim_member"."batch_id" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN m."source" = "dim_member"."source" AND FNV_HASH(m."source") = FNV_HASH("dim_member"."source") THEN 0 WHEN m."source" IS NULL AND "dim_member"."source" IS NULL THEN 0 ELSE 1 END = 0);

DELETE
FROM "acme_gold"."dim_worker" USING "replaced__gone" AS m
WHERE m."entity_key" = "dim_worker"."entity_key" AND (CASE WHEN m."worker_key" = "dim_worker"."worker_key" AND FNV_HASH(m."worker_key") = FNV_HASH("dim_worker"."worker_key") THEN 0 WHEN m."worker_key" IS NULL AND "dim_worker"."worker_key" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN m."name" = "dim_worker"."name" AND FNV_HASH(m."name") = FNV_HASH("dim_worker"."name") THEN 0 WHEN m."name" IS NULL AND "dim_worker"."name" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN m."valid_from" = "dim_worker"."valid_from" AND FNV_HASH(m."valid_from") = FNV_HASH("dim_worker"."valid_from") THEN 0 WHEN m."valid_from" IS NULL AND "dim_worker"."valid_from" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN m."valid_to" = "dim_worker"."valid_to" AND FNV_HASH(m."valid_to") = FNV_HASH("dim_worker"."valid_to") THEN 0 WHEN m."valid_to" IS NULL AND "dim_worker"."valid_to" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN m."is_current" = "dim_worker"."is_current" AND FNV_HASH(m."is_current") = FNV_HASH("dim_worker"."is_current") THEN 0 WHEN m."is_current" IS NULL AND "dim_worker"."is_current" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN m."is_inferred" = "dim_worker"."is_inferred" AND FNV_HASH(m."is_inferred") = FNV_HASH("dim_worker"."is_inferred") THEN 0 WHEN m."is_inferred" IS NULL AND "dim_worker"."is_inferred" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN m."loaded_at" = "dim_worker"."loaded_at" AND FNV_HASH(m."loaded_at") = FNV_HASH("dim_worker"."loaded_at") THEN 0 WHEN m."loaded_at" IS NULL AND "dim_worker"."loaded_at" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN m."batch_id" = "dim_worker"."batch_id" AND FNV_HASH(m."batch_id") = FNV_HASH("dim_worker"."batch_id") THEN 0 WHEN m."batch_id" IS NULL AND "dim_worker"."batch_id" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN m."source" = "dim_worker"."source" AND FNV_HASH(m."source") = FNV_HASH("dim_worker"."source") THEN 0 WHEN m."source" IS NULL AND "dim_worker"."source" IS NULL THEN 0 ELSE 1 END = 0);

DELETE
FROM "acme_gold"."fact_agreement_period" USING "replaced__gone" AS m
WHERE m."entity_key" = "fact_agreement_period"."entity_key" AND (CASE WHEN m."agreement_id" = "fact_agreement_period"."agreement_id" AND FNV_HASH(m."agreement_id") = FNV_HASH("fact_agreement_period"."agreement_id") THEN 0 WHEN m."agreement_id" IS NULL AND "fact_agreement_period"."agreement_id" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN m."period_start" = "fact_agreement_period"."period_start" AND FNV_HASH(m."period_start") = FNV_HASH("fact_agreement_period"."period_start") THEN 0 WHEN m."period_start" IS NULL AND "fact_agreement_period"."period_start" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN m."period_end" = "fact_agreement_period"."period_end" AND FNV_HASH(m."period_end") = FNV_HASH("fact_agreement_period"."period_end") THEN 0 WHEN m."period_end" IS NULL AND "fact_agreement_period"."period_end" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN m."company_key" = "fact_agreement_period"."company_key" AND FNV_HASH(m."company_key") = FNV_HASH("fact_agreement_period"."company_key") THEN 0 WHEN m."company_key" IS NULL AND "fact_agreement_period"."company_key" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN m."month_key" = "fact_agreement_period"."month_key" AND FNV_HASH(m."month_key") = FNV_HASH("fact_agreement_period"."month_key") THEN 0 WHEN m."month_key" IS NULL AND "fact_agreement_period"."month_key" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN m."amount" = "fact_agreement_period"."amount" AND FNV_HASH(m."amount") = FNV_HASH("fact_agreement_period"."amount") THEN 0 WHEN m."amount" IS NULL AND "fact_agreement_period"."amount" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN m."loaded_at" = "fact_agreement_period"."loaded_at" AND FNV_HASH(m."loaded_at") = FNV_HASH("fact_agreement_period"."loaded_at") THEN 0 WHEN m."loaded_at" IS NULL AND "fact_agreement_period"."loaded_at" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN m."batch_id" = "fact_agreement_period"."batch_id" AND FNV_HASH(m."batch_id") = FNV_HASH("fact_agreement_period"."batch_id") THEN 0 WHEN m."batch_id" IS NULL AND "fact_agreement_period"."batch_id" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN m."source" = "fact_agreement_period"."source" AND FNV_HASH(m."source") = FNV_HASH("fact_agreement_period"."source") THEN 0 WHEN m."source" IS NULL AND "fact_agreement_period"."source" IS NULL THEN 0 ELSE 1 END = 0);

DELETE
FROM "acme_gold"."fact_entry" USING "replaced__gone" AS m
WHERE m."entity_key" = "fact_entry"."entity_key" AND (CASE WHEN m."entry_id" = "fact_entry"."entry_id" AND FNV_HASH(m."entry_id") = FNV_HASH("fact_entry"."entry_id") THEN 0 WHEN m."entry_id" IS NULL AND "fact_entry"."entry_id" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN m."member_key" = "fact_entry"."member_key" AND FNV_HASH(m."member_key") = FNV_HASH("fact_entry"."member_key") THEN 0 WHEN m."member_key" IS NULL AND "fact_entry"."member_key" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN m."worker_key" = "fact_entry"."worker_key" AND FNV_HASH(m."worker_key") = FNV_HASH("fact_entry"."worker_key") THEN 0 WHEN m."worker_key" IS NULL AND "fact_entry"."worker_key" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN m."approver_key" = "fact_entry"."approver_key" AND FNV_HASH(m."approver_key") = FNV_HASH("fact_entry"."approver_key") THEN 0 WHEN m."approver_key" IS NULL AND "fact_entry"."approver_key" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN m."company_key" = "fact_entry"."company_key" AND FNV_HASH(m."company_key") = FNV_HASH("fact_entry"."company_key") THEN 0 WHEN m."company_key" IS NULL AND "fact_entry"."company_key" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN m."option_key" = "fact_entry"."option_key" AND FNV_HASH(m."option_key") = FNV_HASH("fact_entry"."option_key") THEN 0 WHEN m."option_key" IS NULL AND "fact_entry"."option_key" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN m."work_date_key" = "fact_entry"."work_date_key" AND FNV_HASH(m."work_date_key") = FNV_HASH("fact_entry"."work_date_key") THEN 0 WHEN m."work_date_key" IS NULL AND "fact_entry"."work_date_key" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN m."head_key" = "fact_entry"."head_key" AND FNV_HASH(m."head_key") = FNV_HASH("fact_entry"."head_key") THEN 0 WHEN m."head_key" IS NULL AND "fact_entry"."head_key" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN m."started_at" = "fact_entry"."started_at" AND FNV_HASH(m."started_at") = FNV_HASH("fact_entry"."started_at") THEN 0 WHEN m."started_at" IS NULL AND "fact_entry"."started_at" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN m."option" = "fact_entry"."option" AND FNV_HASH(m."option") = FNV_HASH("fact_entry"."option") THEN 0 WHEN m."option" IS NULL AND "fact_entry"."option" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN m."worked" = "fact_entry"."worked" AND FNV_HASH(m."worked") = FNV_HASH("fact_entry"."worked") THEN 0 WHEN m."worked" IS NULL AND "fact_entry"."worked" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN m."revenue" = "fact_entry"."revenue" AND FNV_HASH(m."revenue") = FNV_HASH("fact_entry"."revenue") THEN 0 WHEN m."revenue" IS NULL AND "fact_entry"."revenue" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN m."cost" = "fact_entry"."cost" AND FNV_HASH(m."cost") = FNV_HASH("fact_entry"."cost") THEN 0 WHEN m."cost" IS NULL AND "fact_entry"."cost" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN m."margin" = "fact_entry"."margin" AND FNV_HASH(m."margin") = FNV_HASH("fact_entry"."margin") THEN 0 WHEN m."margin" IS NULL AND "fact_entry"."margin" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN m."loaded_at" = "fact_entry"."loaded_at" AND FNV_HASH(m."loaded_at") = FNV_HASH("fact_entry"."loaded_at") THEN 0 WHEN m."loaded_at" IS NULL AND "fact_entry"."loaded_at" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN m."batch_id" = "fact_entry"."batch_id" AND FNV_HASH(m."batch_id") = FNV_HASH("fact_entry"."batch_id") THEN 0 WHEN m."batch_id" IS NULL AND "fact_entry"."batch_id" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN m."source" = "fact_entry"."source" AND FNV_HASH(m."source") = FNV_HASH("fact_entry"."source") THEN 0 WHEN m."source" IS NULL AND "fact_entry"."source" IS NULL THEN 0 ELSE 1 END = 0);

DELETE
FROM "acme_gold"."fact_line" USING "replaced__gone" AS m
WHERE m."entity_key" = "fact_line"."entity_key" AND (CASE WHEN m."kind" = "fact_line"."kind" AND FNV_HASH(m."kind") = FNV_HASH("fact_line"."kind") THEN 0 WHEN m."kind" IS NULL AND "fact_line"."kind" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN m."line_id" = "fact_line"."line_id" AND FNV_HASH(m."line_id") = FNV_HASH("fact_line"."line_id") THEN 0 WHEN m."line_id" IS NULL AND "fact_line"."line_id" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN m."company_key" = "fact_line"."company_key" AND FNV_HASH(m."company_key") = FNV_HASH("fact_line"."company_key") THEN 0 WHEN m."company_key" IS NULL AND "fact_line"."company_key" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN m."day_key" = "fact_line"."day_key" AND FNV_HASH(m."day_key") = FNV_HASH("fact_line"."day_key") THEN 0 WHEN m."day_key" IS NULL AND "fact_line"."day_key" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN m."amount" = "fact_line"."amount" AND FNV_HASH(m."amount") = FNV_HASH("fact_line"."amount") THEN 0 WHEN m."amount" IS NULL AND "fact_line"."amount" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN m."loaded_at" = "fact_line"."loaded_at" AND FNV_HASH(m."loaded_at") = FNV_HASH("fact_line"."loaded_at") THEN 0 WHEN m."loaded_at" IS NULL AND "fact_line"."loaded_at" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN m."batch_id" = "fact_line"."batch_id" AND FNV_HASH(m."batch_id") = FNV_HASH("fact_line"."batch_id") THEN 0 WHEN m."batch_id" IS NULL AND "fact_line"."batch_id" IS NULL THEN 0 ELSE 1 END = 0) AND (CASE WHEN m."source" = "fact_line"."source" AND FNV_HASH(m."source") = FNV_HASH("fact_line"."source") THEN 0 WHEN m."source" IS NULL AND "fact_line"."source" IS NULL THEN 0 ELSE 1 END = 0);

DELETE
FROM "acme_meta"."consumer_offset"
WHERE consumer = 'dim_worker' AND entity = '@last';

DROP TABLE IF EXISTS "gold_below";

DROP TABLE IF EXISTS "gold_forsaken";

DROP TABLE IF EXISTS "gold_held";

DROP TABLE IF EXISTS "gold_members_0";

DROP TABLE IF EXISTS "gold_members_1";

DROP TABLE IF EXISTS "gold_members_2";

DROP TABLE IF EXISTS "gold_members_3";

DROP TABLE IF EXISTS "gold_numbered";

DROP TABLE IF EXISTS "gold_part_0";

DROP TABLE IF EXISTS "gold_part_1";

DROP TABLE IF EXISTS "gold_referred_0";

DROP TABLE IF EXISTS "gold_versions";

INSERT INTO "acme_gold"."dim_company" ("company_key", "entity_key", "company_id", "segment", "name", "first_segment", "number", "city", "phone", "valid_from", "valid_to", "is_current", "is_inferred", "loaded_at", "batch_id", "source") SELECT "company_key", "entity_key", "company_id", "segment", "name", "first_segment", "number", "city", "phone", "valid_from", "valid_to", "is_current", "is_inferred", "loaded_at", "batch_id", "source"
FROM "replaced__added";

INSERT INTO "acme_gold"."dim_member" ("member_key", "entity_key", "name", "cost", "valid_from", "valid_to", "is_current", "is_inferred", "loaded_at", "batch_id", "source") SELECT "member_key", "entity_key", "name", "cost", "valid_from", "valid_to", "is_current", "is_inferred", "loaded_at", "batch_id", "source"
FROM "replaced__added";

INSERT INTO "acme_gold"."dim_worker" ("worker_key", "entity_key", "name", "valid_from", "valid_to", "is_current", "is_inferred", "loaded_at", "batch_id", "source") SELECT "worker_key", "entity_key", "name", "valid_from", "valid_to", "is_current", "is_inferred", "loaded_at", "batch_id", "source"
FROM "replaced__added";

INSERT INTO "acme_gold"."fact_agreement_period" ("entity_key", "agreement_id", "period_start", "period_end", "company_key", "month_key", "amount", "loaded_at", "batch_id", "source") SELECT "entity_key", "agreement_id", "period_start", "period_end", "company_key", "month_key", "amount", "loaded_at", "batch_id", "source"
FROM "replaced__added";

INSERT INTO "acme_gold"."fact_entry" ("entity_key", "entry_id", "member_key", "worker_key", "approver_key", "company_key", "option_key", "work_date_key", "head_key", "started_at", "option", "worked", "revenue", "cost", "margin", "loaded_at", "batch_id", "source") SELECT "entity_key", "entry_id", "member_key", "worker_key", "approver_key", "company_key", "option_key", "work_date_key", "head_key", "started_at", "option", "worked", "revenue", "cost", "margin", "loaded_at", "batch_id", "source"
FROM "replaced__added";

INSERT INTO "acme_gold"."fact_line" ("entity_key", "kind", "line_id", "company_key", "day_key", "amount", "loaded_at", "batch_id", "source") SELECT "entity_key", "kind", "line_id", "company_key", "day_key", "amount", "loaded_at", "batch_id", "source"
FROM "replaced__added";

INSERT INTO "acme_meta"."batch" ("batch_id", "connection", "resource", "source", "read_at") SELECT *
FROM (SELECT 'b3-address' AS c0, 'desk' AS c1, 'addresss' AS c2, 'shop.addresss' AS c3, CAST('2024-03-01 00:00:00' AS TIMESTAMP) AS c4) AS fresh;

INSERT INTO "acme_meta"."batch" ("batch_id", "connection", "resource", "source", "read_at") SELECT *
FROM (SELECT 'b3-entry' AS c0, 'desk' AS c1, 'entrys' AS c2, 'shop.entrys' AS c3, CAST('2024-03-01 00:00:00' AS TIMESTAMP) AS c4) AS fresh;

INSERT INTO "acme_meta"."batch" ("batch_id", "connection", "resource", "source", "read_at") SELECT *
FROM (SELECT 'b3-member' AS c0, 'desk' AS c1, 'members' AS c2, 'shop.members' AS c3, CAST('2024-03-01 00:00:00' AS TIMESTAMP) AS c4) AS fresh;

INSERT INTO "acme_meta"."change_feed" ("change_id", "entity", "entity_key") SELECT 0, CAST('dim_company' AS VARCHAR(65535)), entity_key
FROM "gold_changed";

INSERT INTO "acme_meta"."change_feed" ("change_id", "entity", "entity_key") SELECT 0, CAST('dim_member' AS VARCHAR(65535)), entity_key
FROM "gold_changed";

INSERT INTO "acme_meta"."change_feed" ("change_id", "entity", "entity_key") SELECT 0, CAST('dim_worker' AS VARCHAR(65535)), entity_key
FROM "gold_changed";

INSERT INTO "acme_meta"."change_feed" ("change_id", "entity", "entity_key") SELECT 0, CAST('member' AS VARCHAR(65535)), entity_key
FROM (SELECT DISTINCT COALESCE(entity_key, _key) AS entity_key
FROM "silver__moved") AS changed
UNION ALL SELECT 0, CAST('member' AS VARCHAR(65535)), entity_key
FROM (SELECT entity_key
FROM (SELECT n.entity_key, n."member_id", n."name", n."cost", DATEADD(MICROSECOND, CAST((n.sequence) % 1000000 AS INTEGER), DATEADD(SECOND, CAST((n.sequence) / 1000000 % 86400 AS INTEGER), DATEADD(DAY, CAST((n.sequence) / 86400000000 AS INTEGER), CAST('1970-01-01 00:00:00' AS TIMESTAMP)))) AS valid_from, CAST('9999-12-31 00:00:00' AS TIMESTAMP) AS valid_to, TRUE AS is_current, 1 AS version_number, n.batch_id
FROM "silver__news" AS n
WHERE n.operation = 'U' AND NOT (n.entity_key IN (SELECT entity_key
FROM "silver__stored"
UNION ALL SELECT entity_key
FROM "silver__many"))) AS inserts) AS changed;

INSERT INTO "acme_meta"."consumer_offset" ("consumer", "entity", "change_id") SELECT CAST('dim_worker' AS VARCHAR(65535)), CAST('@last' AS VARCHAR(65535)), CAST(2 AS BIGINT);

INSERT INTO "acme_silver"."member" ("entity_key", "member_id", "name", "cost", "valid_from", "valid_to", "is_current", "version_number", "batch_id") SELECT n.entity_key, n."member_id", n."name", n."cost", DATEADD(MICROSECOND, CAST((n.sequence) % 1000000 AS INTEGER), DATEADD(SECOND, CAST((n.sequence) / 1000000 % 86400 AS INTEGER), DATEADD(DAY, CAST((n.sequence) / 86400000000 AS INTEGER), CAST('1970-01-01 00:00:00' AS TIMESTAMP)))) AS valid_from, CAST('9999-12-31 00:00:00' AS TIMESTAMP) AS valid_to, TRUE AS is_current, 1 AS version_number, n.batch_id
FROM "silver__news" AS n
WHERE n.operation = 'U' AND NOT (n.entity_key IN (SELECT entity_key
FROM "silver__stored"
UNION ALL SELECT entity_key
FROM "silver__many"));

INSERT INTO "acme_silver"."member_log" ("entity_key", "sequence", "operation", "source", "member_id", "name", "cost", "known_columns", "hash", "stamp", "observed", "place", "first_observed", "batch_id", "key_hash") SELECT "entity_key", "sequence", "operation", "source", "member_id", "name", "cost", "known_columns", "hash", "stamp", "observed", "place", "first_observed", "batch_id", "key_hash"
FROM "silver__news";

SELECT "company_key"
FROM "acme_gold"."dim_company"
WHERE "company_key" IN (SELECT "company_key"
FROM "gold_fresh")
GROUP BY "company_key" HAVING COUNT(*) > 1;

SELECT "member_key"
FROM "acme_gold"."dim_member"
WHERE "member_key" IN (SELECT "member_key"
FROM "gold_fresh")
GROUP BY "member_key" HAVING COUNT(*) > 1;

SELECT "worker_key"
FROM "acme_gold"."dim_worker"
WHERE "worker_key" IN (SELECT "worker_key"
FROM "gold_numbered")
GROUP BY "worker_key" HAVING COUNT(*) > 1;

SELECT (SELECT GREATEST(COALESCE(MAX(given.number), 0), 0)
FROM (SELECT "worker_key" AS number
FROM "acme_gold"."dim_worker"
UNION ALL SELECT change_id
FROM (SELECT change_id
FROM "acme_meta"."consumer_offset"
WHERE consumer = 'dim_worker' AND entity = '@last') AS noted) AS given);

SELECT 1
FROM "gold_keys"
WHERE "entity_key" IS NULL LIMIT 1;

SELECT COALESCE(MAX(change_id), 0) + 1
FROM (SELECT change_id
FROM "acme_meta"."change_feed"
UNION ALL SELECT change_id
FROM "acme_meta"."consumer_offset"
WHERE entity NOT LIKE '@%') AS known;

SELECT COALESCE(MAX(change_id), 0)
FROM (SELECT change_id
FROM "acme_meta"."consumer_offset"
WHERE consumer = 'dim_worker' AND entity = '@last') AS noted;

SELECT COUNT(*)
FROM "gold_forsaken";

SELECT COUNT(*)
FROM "gold_referred_0";

SELECT COUNT(*), MIN(entity_key)
FROM (SELECT _row.entity_key
FROM "gold_part_0" AS _row
WHERE _row.is_current AND (CAST(_row."starts_on" AS DATE) IS NULL OR CAST(_row."ends_on" AS DATE) < CAST(_row."starts_on" AS DATE))) AS found;

SELECT DISTINCT 0 AS number
FROM "acme_gold"."dim_company"
WHERE is_inferred;

SELECT DISTINCT 0 AS number
FROM "acme_gold"."dim_member"
WHERE is_inferred
UNION ALL SELECT DISTINCT 1 AS number
FROM "acme_gold"."dim_worker"
WHERE is_inferred
UNION ALL SELECT DISTINCT 2 AS number
FROM "acme_gold"."dim_company"
WHERE is_inferred
UNION ALL SELECT DISTINCT 3 AS number
FROM "acme_gold"."dim_option"
WHERE is_inferred;

SELECT batch_id
FROM "acme_meta"."batch"
WHERE batch_id IN ('b3-address');

SELECT batch_id
FROM "acme_meta"."batch"
WHERE batch_id IN ('b3-entry');

SELECT batch_id
FROM "acme_meta"."batch"
WHERE batch_id IN ('b3-member');

UPDATE "acme_meta"."consumer_offset" SET "change_id" = CASE entity WHEN 'address' THEN CAST(14 AS BIGINT) END
WHERE consumer = 'dim_company' AND entity IN ('address');

UPDATE "acme_meta"."consumer_offset" SET "change_id" = CASE entity WHEN 'dim_company' THEN CAST(16 AS BIGINT) WHEN '@period' THEN CAST(202403 AS BIGINT) END
WHERE consumer = 'fact_agreement_period' AND entity IN ('dim_company', '@period');

UPDATE "acme_meta"."consumer_offset" SET "change_id" = CASE entity WHEN 'dim_company' THEN CAST(16 AS BIGINT) WHEN 'dim_member' THEN CAST(17 AS BIGINT) WHEN 'dim_worker' THEN CAST(18 AS BIGINT) WHEN 'entry' THEN CAST(15 AS BIGINT) END
WHERE consumer = 'fact_entry' AND entity IN ('dim_company', 'dim_member', 'dim_worker', 'entry');

UPDATE "acme_meta"."consumer_offset" SET "change_id" = CASE entity WHEN 'dim_company' THEN CAST(16 AS BIGINT) WHEN 'entry' THEN CAST(15 AS BIGINT) END
WHERE consumer = 'fact_line' AND entity IN ('dim_company', 'entry');

UPDATE "acme_meta"."consumer_offset" SET "change_id" = CASE entity WHEN 'entry' THEN CAST(15 AS BIGINT) END
WHERE consumer = 'dim_option' AND entity IN ('entry');

UPDATE "acme_meta"."consumer_offset" SET "change_id" = CASE entity WHEN 'member' THEN CAST(13 AS BIGINT) END
WHERE consumer = 'dim_member' AND entity IN ('member');

UPDATE "acme_meta"."consumer_offset" SET "change_id" = CASE entity WHEN 'member' THEN CAST(13 AS BIGINT) END
WHERE consumer = 'dim_worker' AND entity IN ('member');

WITH line_number AS (SELECT entity_key, parent, value, is_current
FROM (SELECT _row.entity_key, SPLIT_PART(_row.entity_key, ':', 1) || ':' || CAST(_row."parent_id" AS VARCHAR(MAX)) AS parent, _row."number" AS value, _row.is_current, ROW_NUMBER() OVER (PARTITION BY _row.entity_key ORDER BY _row.valid_from DESC NULLS LAST) AS place
FROM "acme_silver"."company" AS _row
LEFT JOIN (SELECT DISTINCT entity_key AS among
FROM (SELECT entity_key
FROM "gold_keys") AS asked) AS _in_0 ON _in_0.among = _row.entity_key
WHERE _row.is_current OR (NOT _in_0.among IS NULL)) AS placed
WHERE place = 1), chain_number AS (SELECT *
FROM "recursion__found_1"), inherited_number AS (SELECT entity_key, MAX(value) AS value
FROM chain_number
WHERE NOT value IS NULL
GROUP BY entity_key) SELECT asked.entity_key
FROM chain_number AS asked
LEFT JOIN line_number AS above ON above.entity_key = asked.parent AND above.is_current
GROUP BY asked.entity_key HAVING COUNT(asked.value) = 0 AND COUNT(above.entity_key) = COUNT(*);
