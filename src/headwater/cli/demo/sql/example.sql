  SELECT company.name, company.valid_from::date AS since,
         round(sum(work.hours), 1) AS hours
  FROM gold.fact_time_entry AS work
  JOIN gold.dim_company AS company USING (company_key)
  GROUP BY ALL ORDER BY hours DESC LIMIT 10
