WITH RECURSIVE versions AS (
  SELECT _row.* FROM "silver"."company" AS _row
),
cuts AS (
  SELECT entity_key, valid_from AS _cut FROM versions
  UNION
  SELECT _row.entity_key, _other.valid_from FROM versions AS _row
  JOIN "silver"."address" AS _other ON SPLIT_PART(_other.entity_key, ':', 1) = SPLIT_PART(_row.entity_key, ':', 1) AND _other."company_id" = _row."company_id" AND _other.valid_from > _row.valid_from AND _other.valid_from < _row.valid_to
  UNION
  SELECT _row.entity_key, _other.valid_to FROM versions AS _row
  JOIN "silver"."address" AS _other ON SPLIT_PART(_other.entity_key, ':', 1) = SPLIT_PART(_row.entity_key, ':', 1) AND _other."company_id" = _row."company_id" AND _other.valid_to > _row.valid_from AND _other.valid_to < _row.valid_to
),
segments AS (
  SELECT _row.*, cuts._cut AS _seg_from,
    COALESCE(LEAD(cuts._cut) OVER (PARTITION BY _row.entity_key, _row.valid_from ORDER BY cuts._cut), _row.valid_to) AS _seg_to
  FROM versions AS _row
  JOIN cuts ON cuts.entity_key = _row.entity_key AND cuts._cut >= _row.valid_from AND cuts._cut < _row.valid_to
),
joined_0 AS (
  SELECT * FROM (
    SELECT _row.entity_key AS _owner, _row._seg_from AS _owner_from, _other.*,
      ROW_NUMBER() OVER (PARTITION BY _row.entity_key, _row._seg_from ORDER BY _other.valid_from DESC, _other.entity_key DESC) AS _place
    FROM segments AS _row
    JOIN "silver"."address" AS _other ON SPLIT_PART(_other.entity_key, ':', 1) = SPLIT_PART(_row.entity_key, ':', 1) AND _other."company_id" = _row."company_id"
      AND _other.valid_from <= _row._seg_from AND _other.valid_to > _row._seg_from
  ) AS placed WHERE _place = 1
),
valued AS (
  SELECT _row.entity_key, _row._seg_from AS valid_from, _row._seg_to AS valid_to, _row.batch_id AS _batch,
    _row."company_id" AS "company_id",
    _row."segment" AS "segment",
    _row."name" AS "name",
    _row."segment" AS "first_segment",
    _row."number" AS "number",
    _join_0."city" AS "city",
    _join_0."phone" AS "phone"
  FROM segments AS _row
  LEFT JOIN joined_0 AS _join_0 ON _join_0._owner = _row.entity_key AND _join_0._owner_from = _row._seg_from
),
settled AS (
  SELECT entity_key,
    valid_from,
    valid_to,
    _batch,
    LAST_VALUE("company_id") OVER (PARTITION BY entity_key ORDER BY valid_from ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS "company_id",
    "segment",
    LAST_VALUE("name") OVER (PARTITION BY entity_key ORDER BY valid_from ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS "name",
    FIRST_VALUE("first_segment") OVER (PARTITION BY entity_key ORDER BY valid_from ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS "first_segment",
    LAST_VALUE("number") OVER (PARTITION BY entity_key ORDER BY valid_from ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS "number",
    "city",
    LAST_VALUE("phone") OVER (PARTITION BY entity_key ORDER BY valid_from ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS "phone"
  FROM valued
),
members AS (
  WITH looked AS (
    SELECT "entity_key", "segment", "city", "first_segment", "company_id", "name", "number", "phone", "_batch", valid_from, valid_to,
      LAG("segment") OVER (PARTITION BY "entity_key" ORDER BY valid_from) AS "_was_segment",
      LAG("city") OVER (PARTITION BY "entity_key" ORDER BY valid_from) AS "_was_city",
      LAG(valid_to) OVER (PARTITION BY "entity_key" ORDER BY valid_from) AS _was_valid_to
    FROM settled
  ),
  ranked AS (
    SELECT "entity_key", "segment", "city", "first_segment", "company_id", "name", "number", "phone", "_batch", valid_from, valid_to,
      CASE WHEN _was_valid_to IS NULL OR _was_valid_to < valid_from OR ("segment" IS DISTINCT FROM "_was_segment" OR "city" IS DISTINCT FROM "_was_city") THEN 1 ELSE 0 END AS _opens,
      _was_valid_to
    FROM looked
  ),
  ends AS (
    SELECT "entity_key", "segment", "city", "first_segment", "company_id", "name", "number", "phone", "_batch", valid_from,
      LEAD(_was_valid_to) OVER (PARTITION BY "entity_key" ORDER BY valid_from) AS _next_was_valid_to
    FROM ranked
    WHERE _opens = 1
  ),
  lasts AS (
    SELECT "entity_key" AS _last_key, MAX(valid_to) AS _last_valid_to
    FROM ranked
    GROUP BY "entity_key"
  )
  SELECT "entity_key", "segment", "city", "first_segment", "company_id", "name", "number", "phone", "_batch", valid_from,
    COALESCE(_next_was_valid_to, _last_valid_to) AS valid_to
  FROM ends
  JOIN lasts ON lasts._last_key = ends."entity_key"
),
line_number AS (
  SELECT entity_key, parent, value, is_current FROM (
    SELECT _row.entity_key, SPLIT_PART(_row.entity_key, ':', 1) || ':' || CAST(_row."parent_id" AS VARCHAR) AS parent, _row."number" AS value, _row.is_current,
      ROW_NUMBER() OVER (PARTITION BY _row.entity_key ORDER BY _row.valid_from DESC) AS place
    FROM "silver"."company" AS _row
  ) AS placed WHERE place = 1
),
chain_number AS (
  SELECT entity_key, parent, value FROM line_number WHERE value IS NULL AND parent IS NOT NULL
  UNION
  SELECT chain_number.entity_key, above.parent, above.value FROM chain_number
  JOIN line_number AS above ON above.entity_key = chain_number.parent
  WHERE chain_number.value IS NULL AND above.is_current
),
inherited_number AS (
  SELECT entity_key, MAX(value) AS value FROM chain_number WHERE value IS NOT NULL GROUP BY entity_key
)
SELECT (CAST('0x' || SUBSTRING(MD5(CASE WHEN _row._place = 1 THEN 'first' ELSE CAST(EPOCH_US(_row.valid_from) AS VARCHAR) END || '|' || _row.entity_key), 1, 15) AS BIGINT) % 9007199254740992) AS "company_key", _row.entity_key, _row."company_id", _row."segment", _row."name", _row."first_segment", COALESCE(_row."number", inherited_number.value) AS "number", _row."city", _row."phone",
  _row.valid_from, _row.valid_to, _row.valid_to = TIMESTAMP '9999-12-31 00:00:00' AS is_current, FALSE AS is_inferred,
  _load.read_at AS loaded_at, _row._batch AS batch_id, _load.source
FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY entity_key ORDER BY valid_from) AS _place FROM members) AS _row
LEFT JOIN inherited_number ON inherited_number.entity_key = _row.entity_key
LEFT JOIN "meta"."batch" AS _load ON _load.batch_id = _row._batch
