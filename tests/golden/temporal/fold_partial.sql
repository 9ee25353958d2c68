WITH placed AS (
  SELECT entity_key, sequence, operation, source, known_columns, batch_id,
    "ticket_id", "status", "hours",
    FIRST_VALUE("note") OVER (PARTITION BY entity_key ORDER BY CASE WHEN operation <> 'U' THEN 2 WHEN ("known_columns" IS NULL OR STRPOS("known_columns", ',note,') > 0) THEN 0 ELSE 1 END, "sequence" DESC, "observed" DESC, "place" DESC, CASE "operation" WHEN 'A' THEN 0 WHEN 'P' THEN 1 WHEN 'D' THEN 2 ELSE 3 END DESC, "source" DESC, "hash" DESC ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS "note",
    ROW_NUMBER() OVER (PARTITION BY entity_key ORDER BY "sequence", "observed", "place", CASE "operation" WHEN 'A' THEN 0 WHEN 'P' THEN 1 WHEN 'D' THEN 2 ELSE 3 END, "source", "hash") AS _place
  FROM events
),
islands AS (
  SELECT entity_key, sequence, operation, source, batch_id, _place,
    "ticket_id", "status", "hours", "note",
    COUNT(CASE WHEN operation = 'U' AND ("known_columns" IS NULL OR STRPOS("known_columns", ',status,') > 0) THEN 1 END) OVER (PARTITION BY entity_key ORDER BY _place ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS _island_0,
    COUNT(CASE WHEN operation = 'U' AND ("known_columns" IS NULL OR STRPOS("known_columns", ',hours,') > 0) THEN 1 END) OVER (PARTITION BY entity_key ORDER BY _place ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS _island_1
  FROM placed
),
filled AS (
  SELECT entity_key, sequence, operation, source, batch_id, _place,
    "ticket_id",
    CASE WHEN _island_0 > 0 THEN FIRST_VALUE("status") OVER (PARTITION BY entity_key, _island_0 ORDER BY _place ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) END AS "status",
    CASE WHEN _island_1 > 0 THEN FIRST_VALUE("hours") OVER (PARTITION BY entity_key, _island_1 ORDER BY _place ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) END AS "hours",
    "note"
  FROM islands
),
settled AS (
  SELECT entity_key, sequence, batch_id, _place,
    "ticket_id", "status", "hours", "note",
    CASE WHEN operation = 'U' THEN 1 ELSE 0 END AS _there
  FROM (
    SELECT entity_key, sequence, operation, source, batch_id, _place,
      "ticket_id", "status", "hours", "note",
      LEAD(sequence) OVER (PARTITION BY entity_key ORDER BY _place) AS _next_sequence
    FROM filled
  ) AS followed
  WHERE _next_sequence IS NULL OR _next_sequence > sequence
),
compared AS (
  SELECT entity_key, sequence, batch_id, _there, _place,
    "ticket_id", "status", "hours", "note",
    LAG("ticket_id") OVER (PARTITION BY entity_key ORDER BY _place) AS "_was_ticket_id",
    LAG("status") OVER (PARTITION BY entity_key ORDER BY _place) AS "_was_status",
    LAG("hours") OVER (PARTITION BY entity_key ORDER BY _place) AS "_was_hours",
    LAG(_there) OVER (PARTITION BY entity_key ORDER BY _place) AS _was_there
  FROM settled
),
turns AS (
  SELECT entity_key, sequence, batch_id, _turn,
    "ticket_id", "status", "hours", "note",
    LEAD(sequence) OVER (PARTITION BY entity_key ORDER BY sequence) AS _ends
  FROM (
    SELECT entity_key, sequence, batch_id,
      "ticket_id", "status", "hours", "note",
      CASE WHEN _there = 1 AND (_was_there IS NULL OR _was_there = 0 OR ("ticket_id" IS DISTINCT FROM "_was_ticket_id" OR "status" IS DISTINCT FROM "_was_status" OR "hours" IS DISTINCT FROM "_was_hours")) THEN 1 WHEN _there = 0 AND _was_there = 1 THEN 2 ELSE 0 END AS _turn
    FROM compared
  ) AS turned
  WHERE _turn > 0
)
SELECT entity_key, "ticket_id", "status", "hours", "note",
  MAKE_TIMESTAMP(sequence) AS valid_from,
  CASE WHEN _ends IS NULL THEN TIMESTAMP '9999-12-31 00:00:00' ELSE MAKE_TIMESTAMP(_ends) END AS valid_to,
  _ends IS NULL AS is_current,
  CAST(ROW_NUMBER() OVER (PARTITION BY entity_key ORDER BY sequence) AS INTEGER) AS version_number,
  batch_id
FROM turns
WHERE _turn = 1
