SELECT "entity_key", "name"
FROM "acme_silver"."thing"
WHERE valid_from <= CAST('2024-03-01 00:00:00' AS TIMESTAMP) AND valid_to > CAST('2024-03-01 00:00:00' AS TIMESTAMP)
AND (size > 1)
ORDER BY "entity_key", "valid_from";

SELECT *
FROM "acme_silver"."thing_current" LIMIT 0;

SELECT entity_key, valid_from
FROM "acme_silver".thing
WHERE is_current ORDER BY 1;
