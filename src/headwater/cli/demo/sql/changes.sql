-- Counts of changes since an instant, rare ones first.
WITH
  deleted AS (
    SELECT max(valid_to) AS deleted_at FROM silver.contact GROUP BY entity_key HAVING NOT bool_or(is_current)
  ),
  renamed AS (
    SELECT later.name FROM silver.company AS later JOIN silver.company AS earlier
      ON earlier.entity_key = later.entity_key AND earlier.version_number = later.version_number - 1
    WHERE later.valid_from >= {since} AND later.name <> earlier.name
  )
SELECT
  (SELECT count(*) FROM renamed),
  (SELECT count(*) FROM deleted WHERE deleted_at >= {since}),
  (SELECT count(DISTINCT entity_key) FROM silver.agreement WHERE valid_from >= {since} AND version_number > 1),
  (SELECT count(DISTINCT entity_key) FROM silver.invoice WHERE valid_from >= {since} AND version_number = 1),
  (SELECT count(DISTINCT entity_key) FROM silver.ticket WHERE valid_from >= {since}),
  (SELECT count(DISTINCT entity_key) FROM silver.time_entry WHERE valid_from >= {since} AND version_number = 1)
