SELECT _row.entity_key,
  ('SERVICE') AS "kind",
  _row."entry_id" AS "line_id",
  (_row."hours" * _row."rate") AS "amount",
  CASE WHEN (SPLIT_PART(_row.entity_key, ':', 1) || ':' || CAST(_row."company_id" AS VARCHAR)) IS NULL THEN -1 ELSE "company"."company_key" END AS "company_key",
  (SPLIT_PART(_row.entity_key, ':', 1) || ':' || CAST(_row."company_id" AS VARCHAR)) AS "_on_company",
  CASE WHEN CAST((CAST(_row."started_at" AS DATE)) AS DATE) IS NULL THEN -1 WHEN CAST((CAST(_row."started_at" AS DATE)) AS DATE) NOT BETWEEN DATE '2024-01-01' AND DATE '2024-12-31' THEN -3 ELSE CAST(YEAR(CAST((CAST(_row."started_at" AS DATE)) AS DATE)) * 10000 + MONTH(CAST((CAST(_row."started_at" AS DATE)) AS DATE)) * 100 + DAY(CAST((CAST(_row."started_at" AS DATE)) AS DATE)) AS BIGINT) END AS "day_key",
  _load.read_at AS loaded_at, _row.batch_id, _load.source
FROM "silver"."entry" AS _row
LEFT JOIN (
SELECT "entity_key", "company_key", "company_id", "segment", "name", "first_segment", "number", "city", "phone", "is_current", "is_inferred", valid_from, valid_to,
  CASE WHEN ROW_NUMBER() OVER (PARTITION BY "entity_key" ORDER BY valid_from) = 1 THEN TIMESTAMP '0001-01-01 00:00:00' ELSE valid_from END AS covers_from,
  COALESCE(LEAD(valid_from) OVER (PARTITION BY "entity_key" ORDER BY valid_from), TIMESTAMP '9999-12-31 00:00:00') AS covers_to
FROM (SELECT * FROM "gold"."dim_company" WHERE entity_key IS NOT NULL) AS members
) AS "company" ON "company".entity_key = (SPLIT_PART(_row.entity_key, ':', 1) || ':' || CAST(_row."company_id" AS VARCHAR)) AND ("company".covers_from <= LEAST(COALESCE(CAST((CAST(_row."started_at" AS DATE)) AS TIMESTAMP), TIMESTAMP '9999-12-30 00:00:00'), TIMESTAMP '9999-12-30 00:00:00') AND "company".covers_to > LEAST(COALESCE(CAST((CAST(_row."started_at" AS DATE)) AS TIMESTAMP), TIMESTAMP '9999-12-30 00:00:00'), TIMESTAMP '9999-12-30 00:00:00'))
LEFT JOIN "meta"."batch" AS _load ON _load.batch_id = _row.batch_id
WHERE _row.is_current AND ("company"."segment" IS NULL OR "company"."segment" <> 'internal')
UNION ALL
SELECT _row.entity_key,
  ('PRODUCT') AS "kind",
  _row."product_id" AS "line_id",
  _row."amount" AS "amount",
  CASE WHEN (SPLIT_PART(_row.entity_key, ':', 1) || ':' || CAST(_row."company_id" AS VARCHAR)) IS NULL THEN -1 ELSE "company"."company_key" END AS "company_key",
  (SPLIT_PART(_row.entity_key, ':', 1) || ':' || CAST(_row."company_id" AS VARCHAR)) AS "_on_company",
  CASE WHEN CAST(_row."sold_on" AS DATE) IS NULL THEN -1 WHEN CAST(_row."sold_on" AS DATE) NOT BETWEEN DATE '2024-01-01' AND DATE '2024-12-31' THEN -3 ELSE CAST(YEAR(CAST(_row."sold_on" AS DATE)) * 10000 + MONTH(CAST(_row."sold_on" AS DATE)) * 100 + DAY(CAST(_row."sold_on" AS DATE)) AS BIGINT) END AS "day_key",
  _load.read_at AS loaded_at, _row.batch_id, _load.source
FROM "silver"."product" AS _row
LEFT JOIN (
SELECT "entity_key", "company_key", valid_from, valid_to,
  CASE WHEN ROW_NUMBER() OVER (PARTITION BY "entity_key" ORDER BY valid_from) = 1 THEN TIMESTAMP '0001-01-01 00:00:00' ELSE valid_from END AS covers_from,
  COALESCE(LEAD(valid_from) OVER (PARTITION BY "entity_key" ORDER BY valid_from), TIMESTAMP '9999-12-31 00:00:00') AS covers_to
FROM (SELECT * FROM "gold"."dim_company" WHERE entity_key IS NOT NULL) AS members
) AS "company" ON "company".entity_key = (SPLIT_PART(_row.entity_key, ':', 1) || ':' || CAST(_row."company_id" AS VARCHAR)) AND ("company".covers_from <= LEAST(COALESCE(CAST(_row."sold_on" AS TIMESTAMP), TIMESTAMP '9999-12-30 00:00:00'), TIMESTAMP '9999-12-30 00:00:00') AND "company".covers_to > LEAST(COALESCE(CAST(_row."sold_on" AS TIMESTAMP), TIMESTAMP '9999-12-30 00:00:00'), TIMESTAMP '9999-12-30 00:00:00'))
LEFT JOIN "meta"."batch" AS _load ON _load.batch_id = _row.batch_id
WHERE _row.is_current
