-- The company with the most names and versions.
SELECT entity_key FROM gold.dim_company WHERE entity_key IS NOT NULL AND NOT is_inferred
GROUP BY entity_key ORDER BY count(DISTINCT name) DESC, count(*) DESC, entity_key LIMIT 1
