-- The versions of a company, each with the hours worked while it was valid.
SELECT
  company.name, company.status, company.territory, company.valid_from, company.valid_to,
  coalesce(sum(work.hours), 0) AS hours
FROM gold.dim_company AS company
LEFT JOIN gold.fact_time_entry AS work ON work.company_key = company.company_key
WHERE company.entity_key = '{key}'
GROUP BY ALL ORDER BY company.valid_from
