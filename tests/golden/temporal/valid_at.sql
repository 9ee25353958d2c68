SELECT "entity_key", "status"
FROM versions
WHERE valid_from <= TIMESTAMP '2026-01-01 00:00:00' AND valid_to > TIMESTAMP '2026-01-01 00:00:00'
