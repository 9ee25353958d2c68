SELECT "entity_key", "status", valid_from, valid_to,
  CASE WHEN ROW_NUMBER() OVER (PARTITION BY "entity_key" ORDER BY valid_from) = 1 THEN TIMESTAMP '0001-01-01 00:00:00' ELSE valid_from END AS covers_from,
  COALESCE(LEAD(valid_from) OVER (PARTITION BY "entity_key" ORDER BY valid_from), TIMESTAMP '9999-12-31 00:00:00') AS covers_to
FROM versions
