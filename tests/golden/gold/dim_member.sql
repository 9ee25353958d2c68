WITH versions AS (
  SELECT _row.* FROM "silver"."member" AS _row
),
valued AS (
  SELECT _row.entity_key, _row.valid_from, _row.valid_to, _row.batch_id AS _batch,
    _row."name" AS "name",
    _row."cost" AS "cost"
  FROM versions AS _row
),
settled AS (
  SELECT entity_key,
    valid_from,
    valid_to,
    _batch,
    LAST_VALUE("name") OVER (PARTITION BY entity_key ORDER BY valid_from ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS "name",
    "cost"
  FROM valued
),
members AS (
  WITH looked AS (
    SELECT "entity_key", "cost", "name", "_batch", valid_from, valid_to,
      LAG("cost") OVER (PARTITION BY "entity_key" ORDER BY valid_from) AS "_was_cost",
      LAG(valid_to) OVER (PARTITION BY "entity_key" ORDER BY valid_from) AS _was_valid_to
    FROM settled
  ),
  ranked AS (
    SELECT "entity_key", "cost", "name", "_batch", valid_from, valid_to,
      CASE WHEN _was_valid_to IS NULL OR _was_valid_to < valid_from OR ("cost" IS DISTINCT FROM "_was_cost") THEN 1 ELSE 0 END AS _opens,
      _was_valid_to
    FROM looked
  ),
  ends AS (
    SELECT "entity_key", "cost", "name", "_batch", valid_from,
      LEAD(_was_valid_to) OVER (PARTITION BY "entity_key" ORDER BY valid_from) AS _next_was_valid_to
    FROM ranked
    WHERE _opens = 1
  ),
  lasts AS (
    SELECT "entity_key" AS _last_key, MAX(valid_to) AS _last_valid_to
    FROM ranked
    GROUP BY "entity_key"
  )
  SELECT "entity_key", "cost", "name", "_batch", valid_from,
    COALESCE(_next_was_valid_to, _last_valid_to) AS valid_to
  FROM ends
  JOIN lasts ON lasts._last_key = ends."entity_key"
)
SELECT (CAST('0x' || SUBSTRING(MD5(CASE WHEN _row._place = 1 THEN 'first' ELSE CAST(EPOCH_US(_row.valid_from) AS VARCHAR) END || '|' || _row.entity_key), 1, 15) AS BIGINT) % 9007199254740992) AS "member_key", _row.entity_key, _row."name", _row."cost",
  _row.valid_from, _row.valid_to, _row.valid_to = TIMESTAMP '9999-12-31 00:00:00' AS is_current, FALSE AS is_inferred,
  _load.read_at AS loaded_at, _row._batch AS batch_id, _load.source
FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY entity_key ORDER BY valid_from) AS _place FROM members) AS _row
LEFT JOIN "meta"."batch" AS _load ON _load.batch_id = _row._batch
