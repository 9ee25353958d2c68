WITH looked AS (
  SELECT "entity_key", "status", "batch_id", valid_from, valid_to,
    LAG("status") OVER (PARTITION BY "entity_key" ORDER BY valid_from) AS "_was_status",
    LAG(valid_to) OVER (PARTITION BY "entity_key" ORDER BY valid_from) AS _was_valid_to
  FROM versions
),
ranked AS (
  SELECT "entity_key", "status", "batch_id", valid_from, valid_to,
    CASE WHEN _was_valid_to IS NULL OR _was_valid_to < valid_from OR ("status" IS DISTINCT FROM "_was_status") THEN 1 ELSE 0 END AS _opens,
    _was_valid_to
  FROM looked
),
ends AS (
  SELECT "entity_key", "status", "batch_id", valid_from,
    LEAD(_was_valid_to) OVER (PARTITION BY "entity_key" ORDER BY valid_from) AS _next_was_valid_to
  FROM ranked
  WHERE _opens = 1
),
lasts AS (
  SELECT "entity_key" AS _last_key, MAX(valid_to) AS _last_valid_to
  FROM ranked
  GROUP BY "entity_key"
)
SELECT "entity_key", "status", "batch_id", valid_from,
  COALESCE(_next_was_valid_to, _last_valid_to) AS valid_to
FROM ends
JOIN lasts ON lasts._last_key = ends."entity_key"
