WITH met AS (
  SELECT s.entity_key, s.valid_from, s.valid_to, s.is_current, s.version_number,
    s.batch_id AS _was_batch_id, n.sequence, n.batch_id,
    n."ticket_id" AS "ticket_id",
    n."status" AS "status",
    n."hours" AS "hours",
    CASE WHEN n.operation = 'U' THEN n."note" ELSE s."note" END AS "note",
    s."ticket_id" AS "_was_ticket_id",
    s."status" AS "_was_status",
    s."hours" AS "_was_hours",
    s."note" AS "_was_note",
    s.is_current AND (n.operation <> 'U' OR (n."ticket_id" IS DISTINCT FROM s."ticket_id" OR n."status" IS DISTINCT FROM s."status" OR n."hours" IS DISTINCT FROM s."hours")) AS _closes,
    n.operation = 'U' AND (NOT s.is_current OR (n."ticket_id" IS DISTINCT FROM s."ticket_id" OR n."status" IS DISTINCT FROM s."status" OR n."hours" IS DISTINCT FROM s."hours")) AS _opens
  FROM last AS s
  JOIN events AS n ON n.entity_key = s.entity_key
)
SELECT entity_key AS _key, version_number AS _number, entity_key, "_was_ticket_id" AS "ticket_id", "_was_status" AS "status", "_was_hours" AS "hours", "note",
  valid_from, CASE WHEN _closes THEN MAKE_TIMESTAMP(sequence) ELSE valid_to END AS valid_to,
  is_current AND NOT _closes AS is_current, version_number, _was_batch_id AS batch_id
FROM met
WHERE _closes OR ("note" IS DISTINCT FROM "_was_note")
UNION ALL
SELECT NULL AS _key, NULL AS _number, entity_key, "ticket_id", "status", "hours", "note",
  MAKE_TIMESTAMP(sequence) AS valid_from, TIMESTAMP '9999-12-31 00:00:00' AS valid_to, TRUE AS is_current,
  version_number + 1 AS version_number, batch_id
FROM met
WHERE _opens
