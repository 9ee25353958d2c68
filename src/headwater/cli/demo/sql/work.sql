-- Hours and amounts by class of agreement, for all work, billed or not.
SELECT
  agreement.class AS class,
  count(*) AS entries,
  sum(work.hours) AS hours,
  sum(work.potential_revenue) AS revenue,
  sum(work.actual_cost) AS cost,
  sum(work.margin) AS margin
FROM gold.fact_time_entry AS work
JOIN gold.dim_agreement AS agreement ON agreement.agreement_key = work.agreement_key
GROUP BY 1 ORDER BY hours DESC
