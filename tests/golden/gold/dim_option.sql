SELECT (CAST('0x' || SUBSTRING(MD5('first' || '|' || _row.entity_key), 1, 15) AS BIGINT) % 9007199254740992) AS "option_key", _row.entity_key, _row.entity_key AS "value", CASE WHEN _row.entity_key = 'Billable' THEN 'Billable' ELSE 'NonBillable' END AS "category",
  TIMESTAMP '1970-01-01 00:00:00' AS valid_from, TIMESTAMP '9999-12-31 00:00:00' AS valid_to, TRUE AS is_current, FALSE AS is_inferred,
  _row.read_at AS loaded_at, _row.batch_id, _row.source
FROM (
  SELECT entity_key, read_at, batch_id, source, ROW_NUMBER() OVER (PARTITION BY entity_key ORDER BY read_at NULLS LAST, batch_id) AS _place
  FROM (SELECT CAST(_row.value AS VARCHAR) AS entity_key, _load.read_at, _row.batch_id, _load.source FROM (SELECT "option" AS value, batch_id FROM "silver"."entry" WHERE "option" IS NOT NULL GROUP BY 1, 2) AS _row LEFT JOIN "meta"."batch" AS _load ON _load.batch_id = _row.batch_id) AS seen
) AS _row WHERE _row._place = 1
