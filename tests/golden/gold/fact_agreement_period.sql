-- gold_months: the months up to that of the newest batch
SELECT _row.entity_key,
  _row."agreement_id" AS "agreement_id",
  _month."period_start" AS "period_start",
  _month."period_end" AS "period_end",
  _row."amount" AS "amount",
  CASE WHEN (SPLIT_PART(_row.entity_key, ':', 1) || ':' || CAST(_row."company_id" AS VARCHAR)) IS NULL THEN -1 ELSE "company"."company_key" END AS "company_key",
  (SPLIT_PART(_row.entity_key, ':', 1) || ':' || CAST(_row."company_id" AS VARCHAR)) AS "_on_company",
  CASE WHEN CAST(_month."period_start" AS DATE) IS NULL THEN -1 WHEN CAST(_month."period_start" AS DATE) NOT BETWEEN DATE '2024-01-01' AND DATE '2024-12-31' THEN -3 ELSE CAST(YEAR(CAST(_month."period_start" AS DATE)) * 10000 + MONTH(CAST(_month."period_start" AS DATE)) * 100 + DAY(CAST(_month."period_start" AS DATE)) AS BIGINT) END AS "month_key",
  _load.read_at AS loaded_at, _row.batch_id, _load.source
FROM "silver"."agreement" AS _row
JOIN gold_months AS _month ON _month.period_end >= CAST(_row."starts_on" AS DATE) AND (CAST(_row."ends_on" AS DATE) IS NULL OR _month.period_start <= CAST(_row."ends_on" AS DATE))
LEFT JOIN (SELECT * FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY entity_key ORDER BY valid_from DESC) AS _place FROM (SELECT * FROM "gold"."dim_company" WHERE entity_key IS NOT NULL) AS members) AS placed WHERE _place = 1) AS "company" ON "company".entity_key = (SPLIT_PART(_row.entity_key, ':', 1) || ':' || CAST(_row."company_id" AS VARCHAR))
LEFT JOIN "meta"."batch" AS _load ON _load.batch_id = _row.batch_id
WHERE _row.is_current
