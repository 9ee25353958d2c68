SELECT n.entity_key, n."ticket_id", n."status", n."hours", n."note", MAKE_TIMESTAMP(n.sequence) AS valid_from,
  TIMESTAMP '9999-12-31 00:00:00' AS valid_to, TRUE AS is_current, 1 AS version_number, n.batch_id
FROM events AS n
WHERE n.operation = 'U' AND NOT (n.entity_key IN (SELECT entity_key FROM stored))
