WITH cuts AS (
  SELECT l."entity_key" AS owner, l.valid_from AS opened, l.valid_from AS cut
  FROM tickets AS l
  UNION
  SELECT l."entity_key" AS owner, l.valid_from AS opened, r.valid_from AS cut
  FROM tickets AS l
  JOIN companies AS r ON r."company_key" = l."company"
  WHERE r.valid_from > l.valid_from AND r.valid_from < l.valid_to
  UNION
  SELECT l."entity_key" AS owner, l.valid_from AS opened, r.valid_to AS cut
  FROM tickets AS l
  JOIN companies AS r ON r."company_key" = l."company"
  WHERE r.valid_to > l.valid_from AND r.valid_to < l.valid_to
),
spans AS (
  SELECT owner, opened, cut,
    LEAD(cut) OVER (PARTITION BY owner, opened ORDER BY cut) AS next_cut
  FROM cuts
)
SELECT l."entity_key", l."status", r."city",
  s.cut AS valid_from, COALESCE(s.next_cut, l.valid_to) AS valid_to
FROM spans AS s
JOIN tickets AS l ON l."entity_key" = s.owner AND l.valid_from = s.opened
LEFT JOIN companies AS r
  ON r."company_key" = l."company" AND r.valid_from <= s.cut AND r.valid_to > s.cut
