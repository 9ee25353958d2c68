-- Hours and revenue by billing status.
SELECT effective_billing_status AS status, sum(hours) AS hours, sum(potential_revenue) AS revenue
FROM gold.fact_time_entry GROUP BY 1 ORDER BY hours DESC
