SELECT _row.entity_key,
  _row."entry_id" AS "entry_id",
  _row."started_at" AS "started_at",
  _row."option" AS "option",
  _row."hours" AS "worked",
  _row."hours" * _row."rate" AS "revenue",
  _row."hours" * COALESCE("member"."cost", 0) AS "cost",
  CAST((_row."hours" * _row."rate") - (_row."hours" * COALESCE("member"."cost", 0)) AS DOUBLE) AS "margin",
  CASE WHEN (SPLIT_PART(_row.entity_key, ':', 1) || ':' || CAST(_row."member_id" AS VARCHAR)) IS NULL THEN -1 ELSE "member"."member_key" END AS "member_key",
  (SPLIT_PART(_row.entity_key, ':', 1) || ':' || CAST(_row."member_id" AS VARCHAR)) AS "_on_member",
  CASE WHEN (SPLIT_PART(_row.entity_key, ':', 1) || ':' || CAST(_row."member_id" AS VARCHAR)) IS NULL THEN -1 ELSE "worker"."worker_key" END AS "worker_key",
  (SPLIT_PART(_row.entity_key, ':', 1) || ':' || CAST(_row."member_id" AS VARCHAR)) AS "_on_worker",
  CASE WHEN (SPLIT_PART(_row.entity_key, ':', 1) || ':' || CAST(_row."approver_id" AS VARCHAR)) IS NULL THEN CASE WHEN (_row."option" = 'NoCharge') THEN -2 ELSE -1 END ELSE "approver"."member_key" END AS "approver_key",
  (SPLIT_PART(_row.entity_key, ':', 1) || ':' || CAST(_row."approver_id" AS VARCHAR)) AS "_on_approver",
  CASE WHEN (SPLIT_PART(_row.entity_key, ':', 1) || ':' || CAST(_row."company_id" AS VARCHAR)) IS NULL THEN -1 ELSE "company"."company_key" END AS "company_key",
  (SPLIT_PART(_row.entity_key, ':', 1) || ':' || CAST(_row."company_id" AS VARCHAR)) AS "_on_company",
  CASE WHEN CAST(_row."option" AS VARCHAR) IS NULL THEN -1 ELSE "option"."option_key" END AS "option_key",
  CAST(_row."option" AS VARCHAR) AS "_on_option",
  CASE WHEN CAST(_row."started_at" AS DATE) IS NULL THEN -1 WHEN CAST(_row."started_at" AS DATE) NOT BETWEEN DATE '2024-01-01' AND DATE '2024-12-31' THEN -3 ELSE CAST(YEAR(CAST(_row."started_at" AS DATE)) * 10000 + MONTH(CAST(_row."started_at" AS DATE)) * 100 + DAY(CAST(_row."started_at" AS DATE)) AS BIGINT) END AS "work_date_key",
  CASE WHEN (SPLIT_PART(_row.entity_key, ':', 1) || ':' || CAST("company"."number" AS VARCHAR)) IS NULL THEN -1 ELSE "head"."company_key" END AS "head_key",
  (SPLIT_PART(_row.entity_key, ':', 1) || ':' || CAST("company"."number" AS VARCHAR)) AS "_on_head",
  _load.read_at AS loaded_at, _row.batch_id, _load.source
FROM "silver"."entry" AS _row
LEFT JOIN (
SELECT "entity_key", "member_key", "name", "cost", "is_current", "is_inferred", valid_from, valid_to,
  CASE WHEN ROW_NUMBER() OVER (PARTITION BY "entity_key" ORDER BY valid_from) = 1 THEN TIMESTAMP '0001-01-01 00:00:00' ELSE valid_from END AS covers_from,
  COALESCE(LEAD(valid_from) OVER (PARTITION BY "entity_key" ORDER BY valid_from), TIMESTAMP '9999-12-31 00:00:00') AS covers_to
FROM (SELECT * FROM "gold"."dim_member" WHERE entity_key IS NOT NULL) AS members
) AS "member" ON "member".entity_key = (SPLIT_PART(_row.entity_key, ':', 1) || ':' || CAST(_row."member_id" AS VARCHAR)) AND ("member".covers_from <= LEAST(COALESCE(CAST(_row."started_at" AS TIMESTAMP), TIMESTAMP '9999-12-30 00:00:00'), TIMESTAMP '9999-12-30 00:00:00') AND "member".covers_to > LEAST(COALESCE(CAST(_row."started_at" AS TIMESTAMP), TIMESTAMP '9999-12-30 00:00:00'), TIMESTAMP '9999-12-30 00:00:00'))
LEFT JOIN (SELECT * FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY entity_key ORDER BY valid_from DESC) AS _place FROM (SELECT * FROM "gold"."dim_worker" WHERE entity_key IS NOT NULL) AS members) AS placed WHERE _place = 1) AS "worker" ON "worker".entity_key = (SPLIT_PART(_row.entity_key, ':', 1) || ':' || CAST(_row."member_id" AS VARCHAR))
LEFT JOIN (SELECT * FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY entity_key ORDER BY valid_from DESC) AS _place FROM (SELECT * FROM "gold"."dim_member" WHERE entity_key IS NOT NULL) AS members) AS placed WHERE _place = 1) AS "approver" ON "approver".entity_key = (SPLIT_PART(_row.entity_key, ':', 1) || ':' || CAST(_row."approver_id" AS VARCHAR))
LEFT JOIN (SELECT * FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY entity_key ORDER BY valid_from DESC) AS _place FROM (SELECT * FROM "gold"."dim_company" WHERE entity_key IS NOT NULL) AS members) AS placed WHERE _place = 1) AS "company" ON "company".entity_key = (SPLIT_PART(_row.entity_key, ':', 1) || ':' || CAST(_row."company_id" AS VARCHAR))
LEFT JOIN "gold"."dim_option" AS "option" ON "option".entity_key = CAST(_row."option" AS VARCHAR)
LEFT JOIN (SELECT * FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY entity_key ORDER BY valid_from DESC) AS _place FROM (SELECT * FROM "gold"."dim_company" WHERE entity_key IS NOT NULL) AS members) AS placed WHERE _place = 1) AS "head" ON "head".entity_key = (SPLIT_PART(_row.entity_key, ':', 1) || ':' || CAST("company"."number" AS VARCHAR))
LEFT JOIN "meta"."batch" AS _load ON _load.batch_id = _row.batch_id
WHERE _row.is_current
