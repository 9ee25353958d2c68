CREATE TABLE "acme_silver"."address" ("entity_key" VARCHAR(65535) NOT NULL, "address_id" BIGINT, "company_id" BIGINT, "city" VARCHAR(65535), "phone" VARCHAR(65535), "valid_from" TIMESTAMP, "valid_to" TIMESTAMP, "is_current" BOOLEAN, "version_number" INTEGER NOT NULL, "batch_id" VARCHAR(65535), PRIMARY KEY ("entity_key", "version_number")) DISTSTYLE KEY DISTKEY ("entity_key") COMPOUND SORTKEY ("entity_key", "valid_from");

CREATE TABLE "acme_silver"."address_log" ("entity_key" VARCHAR(65535) NOT NULL, "sequence" BIGINT NOT NULL, "operation" VARCHAR(65535) NOT NULL, "source" VARCHAR(65535) NOT NULL, "address_id" BIGINT, "company_id" BIGINT, "city" VARCHAR(65535), "phone" VARCHAR(65535), "known_columns" VARCHAR(65535), "hash" VARCHAR(65535) NOT NULL, "stamp" BIGINT, "observed" BIGINT, "place" BIGINT, "first_observed" BIGINT, "batch_id" VARCHAR(65535), "key_hash" BIGINT, PRIMARY KEY ("entity_key", "sequence", "operation", "source", "hash")) DISTSTYLE KEY DISTKEY ("entity_key") COMPOUND SORTKEY ("sequence");

CREATE TABLE "acme_silver"."agreement" ("entity_key" VARCHAR(65535) NOT NULL, "agreement_id" BIGINT, "company_id" BIGINT, "amount" DECIMAL(18,4), "starts_on" DATE, "ends_on" DATE, "valid_from" TIMESTAMP, "valid_to" TIMESTAMP, "is_current" BOOLEAN, "version_number" INTEGER NOT NULL, "batch_id" VARCHAR(65535), PRIMARY KEY ("entity_key", "version_number")) DISTSTYLE KEY DISTKEY ("entity_key") COMPOUND SORTKEY ("entity_key", "valid_from");

CREATE TABLE "acme_silver"."agreement_log" ("entity_key" VARCHAR(65535) NOT NULL, "sequence" BIGINT NOT NULL, "operation" VARCHAR(65535) NOT NULL, "source" VARCHAR(65535) NOT NULL, "agreement_id" BIGINT, "company_id" BIGINT, "amount" DECIMAL(18,4), "starts_on" DATE, "ends_on" DATE, "known_columns" VARCHAR(65535), "hash" VARCHAR(65535) NOT NULL, "stamp" BIGINT, "observed" BIGINT, "place" BIGINT, "first_observed" BIGINT, "batch_id" VARCHAR(65535), "key_hash" BIGINT, PRIMARY KEY ("entity_key", "sequence", "operation", "source", "hash")) DISTSTYLE KEY DISTKEY ("entity_key") COMPOUND SORTKEY ("sequence");

CREATE TABLE "acme_silver"."company" ("entity_key" VARCHAR(65535) NOT NULL, "company_id" BIGINT, "name" VARCHAR(65535), "segment" VARCHAR(65535), "parent_id" BIGINT, "number" VARCHAR(65535), "valid_from" TIMESTAMP, "valid_to" TIMESTAMP, "is_current" BOOLEAN, "version_number" INTEGER NOT NULL, "batch_id" VARCHAR(65535), PRIMARY KEY ("entity_key", "version_number")) DISTSTYLE KEY DISTKEY ("entity_key") COMPOUND SORTKEY ("entity_key", "valid_from");

CREATE TABLE "acme_silver"."company_log" ("entity_key" VARCHAR(65535) NOT NULL, "sequence" BIGINT NOT NULL, "operation" VARCHAR(65535) NOT NULL, "source" VARCHAR(65535) NOT NULL, "company_id" BIGINT, "name" VARCHAR(65535), "segment" VARCHAR(65535), "parent_id" BIGINT, "number" VARCHAR(65535), "known_columns" VARCHAR(65535), "hash" VARCHAR(65535) NOT NULL, "stamp" BIGINT, "observed" BIGINT, "place" BIGINT, "first_observed" BIGINT, "batch_id" VARCHAR(65535), "key_hash" BIGINT, PRIMARY KEY ("entity_key", "sequence", "operation", "source", "hash")) DISTSTYLE KEY DISTKEY ("entity_key") COMPOUND SORTKEY ("sequence");

CREATE TABLE "acme_silver"."entry" ("entity_key" VARCHAR(65535) NOT NULL, "entry_id" BIGINT, "member_id" BIGINT, "approver_id" BIGINT, "company_id" BIGINT, "started_at" TIMESTAMP, "hours" DECIMAL(18,4), "rate" DECIMAL(18,4), "option" VARCHAR(65535), "valid_from" TIMESTAMP, "valid_to" TIMESTAMP, "is_current" BOOLEAN, "version_number" INTEGER NOT NULL, "batch_id" VARCHAR(65535), PRIMARY KEY ("entity_key", "version_number")) DISTSTYLE KEY DISTKEY ("entity_key") COMPOUND SORTKEY ("entity_key", "valid_from");

CREATE TABLE "acme_silver"."entry_log" ("entity_key" VARCHAR(65535) NOT NULL, "sequence" BIGINT NOT NULL, "operation" VARCHAR(65535) NOT NULL, "source" VARCHAR(65535) NOT NULL, "entry_id" BIGINT, "member_id" BIGINT, "approver_id" BIGINT, "company_id" BIGINT, "started_at" TIMESTAMP, "hours" DECIMAL(18,4), "rate" DECIMAL(18,4), "option" VARCHAR(65535), "known_columns" VARCHAR(65535), "hash" VARCHAR(65535) NOT NULL, "stamp" BIGINT, "observed" BIGINT, "place" BIGINT, "first_observed" BIGINT, "batch_id" VARCHAR(65535), "key_hash" BIGINT, PRIMARY KEY ("entity_key", "sequence", "operation", "source", "hash")) DISTSTYLE KEY DISTKEY ("entity_key") COMPOUND SORTKEY ("sequence");

CREATE TABLE "acme_silver"."member" ("entity_key" VARCHAR(65535) NOT NULL, "member_id" BIGINT, "name" VARCHAR(65535), "cost" DECIMAL(18,4), "valid_from" TIMESTAMP, "valid_to" TIMESTAMP, "is_current" BOOLEAN, "version_number" INTEGER NOT NULL, "batch_id" VARCHAR(65535), PRIMARY KEY ("entity_key", "version_number")) DISTSTYLE KEY DISTKEY ("entity_key") COMPOUND SORTKEY ("entity_key", "valid_from");

CREATE TABLE "acme_silver"."member_log" ("entity_key" VARCHAR(65535) NOT NULL, "sequence" BIGINT NOT NULL, "operation" VARCHAR(65535) NOT NULL, "source" VARCHAR(65535) NOT NULL, "member_id" BIGINT, "name" VARCHAR(65535), "cost" DECIMAL(18,4), "known_columns" VARCHAR(65535), "hash" VARCHAR(65535) NOT NULL, "stamp" BIGINT, "observed" BIGINT, "place" BIGINT, "first_observed" BIGINT, "batch_id" VARCHAR(65535), "key_hash" BIGINT, PRIMARY KEY ("entity_key", "sequence", "operation", "source", "hash")) DISTSTYLE KEY DISTKEY ("entity_key") COMPOUND SORTKEY ("sequence");

CREATE TABLE "acme_silver"."product" ("entity_key" VARCHAR(65535) NOT NULL, "product_id" BIGINT, "company_id" BIGINT, "amount" DECIMAL(18,4), "sold_on" DATE, "valid_from" TIMESTAMP, "valid_to" TIMESTAMP, "is_current" BOOLEAN, "version_number" INTEGER NOT NULL, "batch_id" VARCHAR(65535), PRIMARY KEY ("entity_key", "version_number")) DISTSTYLE KEY DISTKEY ("entity_key") COMPOUND SORTKEY ("entity_key", "valid_from");

CREATE TABLE "acme_silver"."product_log" ("entity_key" VARCHAR(65535) NOT NULL, "sequence" BIGINT NOT NULL, "operation" VARCHAR(65535) NOT NULL, "source" VARCHAR(65535) NOT NULL, "product_id" BIGINT, "company_id" BIGINT, "amount" DECIMAL(18,4), "sold_on" DATE, "known_columns" VARCHAR(65535), "hash" VARCHAR(65535) NOT NULL, "stamp" BIGINT, "observed" BIGINT, "place" BIGINT, "first_observed" BIGINT, "batch_id" VARCHAR(65535), "key_hash" BIGINT, PRIMARY KEY ("entity_key", "sequence", "operation", "source", "hash")) DISTSTYLE KEY DISTKEY ("entity_key") COMPOUND SORTKEY ("sequence");

CREATE TEMPORARY TABLE "arrived" ("entity_key" VARCHAR(65535), "sequence" BIGINT, "operation" VARCHAR(65535), "source" VARCHAR(65535), "address_id" BIGINT, "company_id" BIGINT, "city" VARCHAR(65535), "phone" VARCHAR(65535), "known_columns" VARCHAR(65535), "hash" VARCHAR(65535), "stamp" BIGINT, "observed" BIGINT, "place" BIGINT, "batch_id" VARCHAR(65535));

CREATE TEMPORARY TABLE "arrived" ("entity_key" VARCHAR(65535), "sequence" BIGINT, "operation" VARCHAR(65535), "source" VARCHAR(65535), "agreement_id" BIGINT, "company_id" BIGINT, "amount" DECIMAL(18, 4), "starts_on" DATE, "ends_on" DATE, "known_columns" VARCHAR(65535), "hash" VARCHAR(65535), "stamp" BIGINT, "observed" BIGINT, "place" BIGINT, "batch_id" VARCHAR(65535));

CREATE TEMPORARY TABLE "arrived" ("entity_key" VARCHAR(65535), "sequence" BIGINT, "operation" VARCHAR(65535), "source" VARCHAR(65535), "company_id" BIGINT, "name" VARCHAR(65535), "segment" VARCHAR(65535), "parent_id" BIGINT, "number" VARCHAR(65535), "known_columns" VARCHAR(65535), "hash" VARCHAR(65535), "stamp" BIGINT, "observed" BIGINT, "place" BIGINT, "batch_id" VARCHAR(65535));

CREATE TEMPORARY TABLE "arrived" ("entity_key" VARCHAR(65535), "sequence" BIGINT, "operation" VARCHAR(65535), "source" VARCHAR(65535), "entry_id" BIGINT, "member_id" BIGINT, "approver_id" BIGINT, "company_id" BIGINT, "started_at" BIGINT, "hours" DECIMAL(18, 4), "rate" DECIMAL(18, 4), "option" VARCHAR(65535), "known_columns" VARCHAR(65535), "hash" VARCHAR(65535), "stamp" BIGINT, "observed" BIGINT, "place" BIGINT, "batch_id" VARCHAR(65535));

CREATE TEMPORARY TABLE "arrived" ("entity_key" VARCHAR(65535), "sequence" BIGINT, "operation" VARCHAR(65535), "source" VARCHAR(65535), "member_id" BIGINT, "name" VARCHAR(65535), "cost" DECIMAL(18, 4), "known_columns" VARCHAR(65535), "hash" VARCHAR(65535), "stamp" BIGINT, "observed" BIGINT, "place" BIGINT, "batch_id" VARCHAR(65535));

CREATE TEMPORARY TABLE "arrived" ("entity_key" VARCHAR(65535), "sequence" BIGINT, "operation" VARCHAR(65535), "source" VARCHAR(65535), "product_id" BIGINT, "company_id" BIGINT, "amount" DECIMAL(18, 4), "sold_on" DATE, "known_columns" VARCHAR(65535), "hash" VARCHAR(65535), "stamp" BIGINT, "observed" BIGINT, "place" BIGINT, "batch_id" VARCHAR(65535));

CREATE TEMPORARY TABLE "arrived" AS SELECT *
FROM "arrived__next";

CREATE TEMPORARY TABLE "arrived__next" AS SELECT "entity_key", "sequence", "operation", "source", "entry_id", "member_id", "approver_id", "company_id", DATEADD(MICROSECOND, CAST(("started_at") % 1000000 AS INTEGER), DATEADD(SECOND, CAST(("started_at") / 1000000 % 86400 AS INTEGER), DATEADD(DAY, CAST(("started_at") / 86400000000 AS INTEGER), CAST('1970-01-01 00:00:00' AS TIMESTAMP)))) AS "started_at", "hours", "rate", "option", "known_columns", "hash", "stamp", "observed", "place", "batch_id"
FROM "arrived";

CREATE TEMPORARY TABLE "silver__arriving" AS SELECT "entity_key", "sequence", "operation", "source", "address_id", "company_id", "city", "phone", "known_columns", "hash", "stamp", "observed", "place", "batch_id", observed AS first_observed, STRTOL(SUBSTRING(MD5(entity_key)
FROM 1 FOR 15), 16) AS key_hash
FROM "arrived";

CREATE TEMPORARY TABLE "silver__arriving" AS SELECT "entity_key", "sequence", "operation", "source", "agreement_id", "company_id", "amount", "starts_on", "ends_on", "known_columns", "hash", "stamp", "observed", "place", "batch_id", observed AS first_observed, STRTOL(SUBSTRING(MD5(entity_key)
FROM 1 FOR 15), 16) AS key_hash
FROM "arrived";

CREATE TEMPORARY TABLE "silver__arriving" AS SELECT "entity_key", "sequence", "operation", "source", "company_id", "name", "segment", "parent_id", "number", "known_columns", "hash", "stamp", "observed", "place", "batch_id", observed AS first_observed, STRTOL(SUBSTRING(MD5(entity_key)
FROM 1 FOR 15), 16) AS key_hash
FROM "arrived";

CREATE TEMPORARY TABLE "silver__arriving" AS SELECT "entity_key", "sequence", "operation", "source", "entry_id", "member_id", "approver_id", "company_id", "started_at", "hours", "rate", "option", "known_columns", "hash", "stamp", "observed", "place", "batch_id", observed AS first_observed, STRTOL(SUBSTRING(MD5(entity_key)
FROM 1 FOR 15), 16) AS key_hash
FROM "arrived";

CREATE TEMPORARY TABLE "silver__arriving" AS SELECT "entity_key", "sequence", "operation", "source", "member_id", "name", "cost", "known_columns", "hash", "stamp", "observed", "place", "batch_id", observed AS first_observed, STRTOL(SUBSTRING(MD5(entity_key)
FROM 1 FOR 15), 16) AS key_hash
FROM "arrived";

CREATE TEMPORARY TABLE "silver__arriving" AS SELECT "entity_key", "sequence", "operation", "source", "product_id", "company_id", "amount", "sold_on", "known_columns", "hash", "stamp", "observed", "place", "batch_id", observed AS first_observed, STRTOL(SUBSTRING(MD5(entity_key)
FROM 1 FOR 15), 16) AS key_hash
FROM "arrived";

CREATE TEMPORARY TABLE "silver__folded" AS WITH placed AS (SELECT entity_key, sequence, operation, source, known_columns, batch_id, "member_id", "name", "cost", ROW_NUMBER() OVER (PARTITION BY entity_key ORDER BY "sequence", "observed", "place", CASE "operation" WHEN 'A' THEN 0 WHEN 'P' THEN 1 WHEN 'D' THEN 2 ELSE 3 END, "source", "hash") AS _place
FROM "silver__story"), settled AS (SELECT entity_key, sequence, batch_id, _place, "member_id", "name", "cost", CASE WHEN operation = 'U' THEN 1 ELSE 0 END AS _there
FROM (SELECT entity_key, sequence, operation, source, batch_id, _place, "member_id", "name", "cost", LEAD(sequence) OVER (PARTITION BY entity_key ORDER BY _place) AS _next_sequence
FROM placed) AS followed
WHERE _next_sequence IS NULL OR _next_sequence > sequence), compared AS (SELECT entity_key, sequence, batch_id, _there, _place, "member_id", "name", "cost", LAG("member_id") OVER (PARTITION BY entity_key ORDER BY _place) AS "_was_member_id", LAG("name") OVER (PARTITION BY entity_key ORDER BY _place) AS "_was_name", LAG("cost") OVER (PARTITION BY entity_key ORDER BY _place) AS "_was_cost", LAG(_there) OVER (PARTITION BY entity_key ORDER BY _place) AS _was_there
FROM settled), turns AS (SELECT entity_key, sequence, batch_id, _turn, "member_id", "name", "cost", LEAD(sequence) OVER (PARTITION BY entity_key ORDER BY sequence) AS _ends
FROM (SELECT entity_key, sequence, batch_id, "member_id", "name", "cost", CASE WHEN _there = 1 AND (_was_there IS NULL OR _was_there = 0 OR ((CASE WHEN "member_id" = "_was_member_id" AND FNV_HASH("member_id") = FNV_HASH("_was_member_id") THEN 0 WHEN "member_id" IS NULL AND "_was_member_id" IS NULL THEN 0 ELSE 1 END = 1) OR (CASE WHEN "name" = "_was_name" AND FNV_HASH("name") = FNV_HASH("_was_name") THEN 0 WHEN "name" IS NULL AND "_was_name" IS NULL THEN 0 ELSE 1 END = 1) OR (CASE WHEN "cost" = "_was_cost" AND FNV_HASH("cost") = FNV_HASH("_was_cost") THEN 0 WHEN "cost" IS NULL AND "_was_cost" IS NULL THEN 0 ELSE 1 END = 1))) THEN 1 WHEN _there = 0 AND _was_there = 1 THEN 2 ELSE 0 END AS _turn
FROM compared) AS turned
WHERE _turn > 0) SELECT entity_key, "member_id", "name", "cost", DATEADD(MICROSECOND, CAST((sequence) % 1000000 AS INTEGER), DATEADD(SECOND, CAST((sequence) / 1000000 % 86400 AS INTEGER), DATEADD(DAY, CAST((sequence) / 86400000000 AS INTEGER), CAST('1970-01-01 00:00:00' AS TIMESTAMP)))) AS valid_from, CASE WHEN _ends IS NULL THEN CAST('9999-12-31 00:00:00' AS TIMESTAMP) ELSE DATEADD(MICROSECOND, CAST((_ends) % 1000000 AS INTEGER), DATEADD(SECOND, CAST((_ends) / 1000000 % 86400 AS INTEGER), DATEADD(DAY, CAST((_ends) / 86400000000 AS INTEGER), CAST('1970-01-01 00:00:00' AS TIMESTAMP)))) END AS valid_to, _ends IS NULL AS is_current, CAST(ROW_NUMBER() OVER (PARTITION BY entity_key ORDER BY sequence) AS INTEGER) AS version_number, batch_id
FROM turns
WHERE _turn = 1;

CREATE TEMPORARY TABLE "silver__late" AS SELECT DISTINCT a.entity_key, a.key_hash
FROM (SELECT entity_key, key_hash, MIN(sequence) AS first
FROM "silver__arriving"
GROUP BY entity_key, key_hash) AS a
JOIN "acme_silver"."address_log" AS l ON l.key_hash = a.key_hash AND l.sequence >= a.first
WHERE l.sequence >= 0
UNION SELECT a.entity_key, a.key_hash
FROM "silver__arriving" AS a
WHERE a.operation IN ('A', 'P')
UNION SELECT a.entity_key, a.key_hash
FROM "silver__arriving" AS a
JOIN "acme_meta"."tied_keys" AS t ON t.entity_key = a.entity_key AND t.entity = 'address';

CREATE TEMPORARY TABLE "silver__late" AS SELECT DISTINCT a.entity_key, a.key_hash
FROM (SELECT entity_key, key_hash, MIN(sequence) AS first
FROM "silver__arriving"
GROUP BY entity_key, key_hash) AS a
JOIN "acme_silver"."agreement_log" AS l ON l.key_hash = a.key_hash AND l.sequence >= a.first
WHERE l.sequence >= 0
UNION SELECT a.entity_key, a.key_hash
FROM "silver__arriving" AS a
WHERE a.operation IN ('A', 'P')
UNION SELECT a.entity_key, a.key_hash
FROM "silver__arriving" AS a
JOIN "acme_meta"."tied_keys" AS t ON t.entity_key = a.entity_key AND t.entity = 'agreement';

CREATE TEMPORARY TABLE "silver__late" AS SELECT DISTINCT a.entity_key, a.key_hash
FROM (SELECT entity_key, key_hash, MIN(sequence) AS first
FROM "silver__arriving"
GROUP BY entity_key, key_hash) AS a
JOIN "acme_silver"."company_log" AS l ON l.key_hash = a.key_hash AND l.sequence >= a.first
WHERE l.sequence >= 0
UNION SELECT a.entity_key, a.key_hash
FROM "silver__arriving" AS a
WHERE a.operation IN ('A', 'P')
UNION SELECT a.entity_key, a.key_hash
FROM "silver__arriving" AS a
JOIN "acme_meta"."tied_keys" AS t ON t.entity_key = a.entity_key AND t.entity = 'company';

CREATE TEMPORARY TABLE "silver__late" AS SELECT DISTINCT a.entity_key, a.key_hash
FROM (SELECT entity_key, key_hash, MIN(sequence) AS first
FROM "silver__arriving"
GROUP BY entity_key, key_hash) AS a
JOIN "acme_silver"."entry_log" AS l ON l.key_hash = a.key_hash AND l.sequence >= a.first
WHERE l.sequence >= 0
UNION SELECT a.entity_key, a.key_hash
FROM "silver__arriving" AS a
WHERE a.operation IN ('A', 'P')
UNION SELECT a.entity_key, a.key_hash
FROM "silver__arriving" AS a
JOIN "acme_meta"."tied_keys" AS t ON t.entity_key = a.entity_key AND t.entity = 'entry';

CREATE TEMPORARY TABLE "silver__late" AS SELECT DISTINCT a.entity_key, a.key_hash
FROM (SELECT entity_key, key_hash, MIN(sequence) AS first
FROM "silver__arriving"
GROUP BY entity_key, key_hash) AS a
JOIN "acme_silver"."member_log" AS l ON l.key_hash = a.key_hash AND l.sequence >= a.first
WHERE l.sequence >= 0
UNION SELECT a.entity_key, a.key_hash
FROM "silver__arriving" AS a
WHERE a.operation IN ('A', 'P')
UNION SELECT a.entity_key, a.key_hash
FROM "silver__arriving" AS a
JOIN "acme_meta"."tied_keys" AS t ON t.entity_key = a.entity_key AND t.entity = 'member';

CREATE TEMPORARY TABLE "silver__late" AS SELECT DISTINCT a.entity_key, a.key_hash
FROM (SELECT entity_key, key_hash, MIN(sequence) AS first
FROM "silver__arriving"
GROUP BY entity_key, key_hash) AS a
JOIN "acme_silver"."product_log" AS l ON l.key_hash = a.key_hash AND l.sequence >= a.first
WHERE l.sequence >= 0
UNION SELECT a.entity_key, a.key_hash
FROM "silver__arriving" AS a
WHERE a.operation IN ('A', 'P')
UNION SELECT a.entity_key, a.key_hash
FROM "silver__arriving" AS a
JOIN "acme_meta"."tied_keys" AS t ON t.entity_key = a.entity_key AND t.entity = 'product';

CREATE TEMPORARY TABLE "silver__many" AS SELECT entity_key
FROM "silver__arriving"
GROUP BY entity_key HAVING COUNT(*) > 1;

CREATE TEMPORARY TABLE "silver__moved" AS WITH met AS (SELECT s.entity_key, s.valid_from, s.valid_to, s.is_current, s.version_number, s.batch_id AS _was_batch_id, n.sequence, n.batch_id, n."address_id" AS "address_id", n."company_id" AS "company_id", n."city" AS "city", n."phone" AS "phone", s."address_id" AS "_was_address_id", s."company_id" AS "_was_company_id", s."city" AS "_was_city", s."phone" AS "_was_phone", s.is_current AND (n.operation <> 'U' OR ((CASE WHEN n."address_id" = s."address_id" AND FNV_HASH(n."address_id") = FNV_HASH(s."address_id") THEN 0 WHEN n."address_id" IS NULL AND s."address_id" IS NULL THEN 0 ELSE 1 END = 1) OR (CASE WHEN n."company_id" = s."company_id" AND FNV_HASH(n."company_id") = FNV_HASH(s."company_id") THEN 0 WHEN n."company_id" IS NULL AND s."company_id" IS NULL THEN 0 ELSE 1 END = 1) OR (CASE WHEN n."city" = s."city" AND FNV_HASH(n."city") = FNV_HASH(s."city") THEN 0 WHEN n."city" IS NULL AND s."city" IS NULL THEN 0 ELSE 1 END = 1) OR (CASE WHEN n."phone" = s."phone" AND FNV_HASH(n."phone") = FNV_HASH(s."phone") THEN 0 WHEN n."phone" IS NULL AND s."phone" IS NULL THEN 0 ELSE 1 END = 1))) AS _closes, n.operation = 'U' AND (NOT s.is_current OR ((CASE WHEN n."address_id" = s."address_id" AND FNV_HASH(n."address_id") = FNV_HASH(s."address_id") THEN 0 WHEN n."address_id" IS NULL AND s."address_id" IS NULL THEN 0 ELSE 1 END = 1) OR (CASE WHEN n."company_id" = s."company_id" AND FNV_HASH(n."company_id") = FNV_HASH(s."company_id") THEN 0 WHEN n."company_id" IS NULL AND s."company_id" IS NULL THEN 0 ELSE 1 END = 1) OR (CASE WHEN n."city" = s."city" AND FNV_HASH(n."city") = FNV_HASH(s."city") THEN 0 WHEN n."city" IS NULL AND s."city" IS NULL THEN 0 ELSE 1 END = 1) OR (CASE WHEN n."phone" = s."phone" AND FNV_HASH(n."phone") = FNV_HASH(s."phone") THEN 0 WHEN n."phone" IS NULL AND s."phone" IS NULL THEN 0 ELSE 1 END = 1))) AS _opens
FROM (SELECT *
FROM "silver__stored"
WHERE _last) AS s
JOIN "silver__arriving" AS n ON n.entity_key = s.entity_key) SELECT entity_key AS _key, version_number AS _number, entity_key, "_was_address_id" AS "address_id", "_was_company_id" AS "company_id", "_was_city" AS "city", "_was_phone" AS "phone", valid_from, CASE WHEN _closes THEN DATEADD(MICROSECOND, CAST((sequence) % 1000000 AS INTEGER), DATEADD(SECOND, CAST((sequence) / 1000000 % 86400 AS INTEGER), DATEADD(DAY, CAST((sequence) / 86400000000 AS INTEGER), CAST('1970-01-01 00:00:00' AS TIMESTAMP)))) ELSE valid_to END AS valid_to, is_current AND NOT _closes AS is_current, version_number, _was_batch_id AS batch_id
FROM met
WHERE _closes OR (FALSE)
UNION ALL SELECT NULL AS _key, NULL AS _number, entity_key, "address_id", "company_id", "city", "phone", DATEADD(MICROSECOND, CAST((sequence) % 1000000 AS INTEGER), DATEADD(SECOND, CAST((sequence) / 1000000 % 86400 AS INTEGER), DATEADD(DAY, CAST((sequence) / 86400000000 AS INTEGER), CAST('1970-01-01 00:00:00' AS TIMESTAMP)))) AS valid_from, CAST('9999-12-31 00:00:00' AS TIMESTAMP) AS valid_to, TRUE AS is_current, version_number + 1 AS version_number, batch_id
FROM met
WHERE _opens;

CREATE TEMPORARY TABLE "silver__moved" AS WITH met AS (SELECT s.entity_key, s.valid_from, s.valid_to, s.is_current, s.version_number, s.batch_id AS _was_batch_id, n.sequence, n.batch_id, n."agreement_id" AS "agreement_id", n."company_id" AS "company_id", n."amount" AS "amount", n."starts_on" AS "starts_on", n."ends_on" AS "ends_on", s."agreement_id" AS "_was_agreement_id", s."company_id" AS "_was_company_id", s."amount" AS "_was_amount", s."starts_on" AS "_was_starts_on", s."ends_on" AS "_was_ends_on", s.is_current AND (n.operation <> 'U' OR ((CASE WHEN n."agreement_id" = s."agreement_id" AND FNV_HASH(n."agreement_id") = FNV_HASH(s."agreement_id") THEN 0 WHEN n."agreement_id" IS NULL AND s."agreement_id" IS NULL THEN 0 ELSE 1 END = 1) OR (CASE WHEN n."company_id" = s."company_id" AND FNV_HASH(n."company_id") = FNV_HASH(s."company_id") THEN 0 WHEN n."company_id" IS NULL AND s."company_id" IS NULL THEN 0 ELSE 1 END = 1) OR (CASE WHEN n."amount" = s."amount" AND FNV_HASH(n."amount") = FNV_HASH(s."amount") THEN 0 WHEN n."amount" IS NULL AND s."amount" IS NULL THEN 0 ELSE 1 END = 1) OR (CASE WHEN n."starts_on" = s."starts_on" AND FNV_HASH(n."starts_on") = FNV_HASH(s."starts_on") THEN 0 WHEN n."starts_on" IS NULL AND s."starts_on" IS NULL THEN 0 ELSE 1 END = 1) OR (CASE WHEN n."ends_on" = s."ends_on" AND FNV_HASH(n."ends_on") = FNV_HASH(s."ends_on") THEN 0 WHEN n."ends_on" IS NULL AND s."ends_on" IS NULL THEN 0 ELSE 1 END = 1))) AS _closes, n.operation = 'U' AND (NOT s.is_current OR ((CASE WHEN n."agreement_id" = s."agreement_id" AND FNV_HASH(n."agreement_id") = FNV_HASH(s."agreement_id") THEN 0 WHEN n."agreement_id" IS NULL AND s."agreement_id" IS NULL THEN 0 ELSE 1 END = 1) OR (CASE WHEN n."company_id" = s."company_id" AND FNV_HASH(n."company_id") = FNV_HASH(s."company_id") THEN 0 WHEN n."company_id" IS NULL AND s."company_id" IS NULL THEN 0 ELSE 1 END = 1) OR (CASE WHEN n."amount" = s."amount" AND FNV_HASH(n."amount") = FNV_HASH(s."amount") THEN 0 WHEN n."amount" IS NULL AND s."amount" IS NULL THEN 0 ELSE 1 END = 1) OR (CASE WHEN n."starts_on" = s."starts_on" AND FNV_HASH(n."starts_on") = FNV_HASH(s."starts_on") THEN 0 WHEN n."starts_on" IS NULL AND s."starts_on" IS NULL THEN 0 ELSE 1 END = 1) OR (CASE WHEN n."ends_on" = s."ends_on" AND FNV_HASH(n."ends_on") = FNV_HASH(s."ends_on") THEN 0 WHEN n."ends_on" IS NULL AND s."ends_on" IS NULL THEN 0 ELSE 1 END = 1))) AS _opens
FROM (SELECT *
FROM "silver__stored"
WHERE _last) AS s
JOIN "silver__arriving" AS n ON n.entity_key = s.entity_key) SELECT entity_key AS _key, version_number AS _number, entity_key, "_was_agreement_id" AS "agreement_id", "_was_company_id" AS "company_id", "_was_amount" AS "amount", "_was_starts_on" AS "starts_on", "_was_ends_on" AS "ends_on", valid_from, CASE WHEN _closes THEN DATEADD(MICROSECOND, CAST((sequence) % 1000000 AS INTEGER), DATEADD(SECOND, CAST((sequence) / 1000000 % 86400 AS INTEGER), DATEADD(DAY, CAST((sequence) / 86400000000 AS INTEGER), CAST('1970-01-01 00:00:00' AS TIMESTAMP)))) ELSE valid_to END AS valid_to, is_current AND NOT _closes AS is_current, version_number, _was_batch_id AS batch_id
FROM met
WHERE _closes OR (FALSE)
UNION ALL SELECT NULL AS _key, NULL AS _number, entity_key, "agreement_id", "company_id", "amount", "starts_on", "ends_on", DATEADD(MICROSECOND, CAST((sequence) % 1000000 AS INTEGER), DATEADD(SECOND, CAST((sequence) / 1000000 % 86400 AS INTEGER), DATEADD(DAY, CAST((sequence) / 86400000000 AS INTEGER), CAST('1970-01-01 00:00:00' AS TIMESTAMP)))) AS valid_from, CAST('9999-12-31 00:00:00' AS TIMESTAMP) AS valid_to, TRUE AS is_current, version_number + 1 AS version_number, batch_id
FROM met
WHERE _opens;

CREATE TEMPORARY TABLE "silver__moved" AS WITH met AS (SELECT s.entity_key, s.valid_from, s.valid_to, s.is_current, s.version_number, s.batch_id AS _was_batch_id, n.sequence, n.batch_id, n."company_id" AS "company_id", n."name" AS "name", n."segment" AS "segment", n."parent_id" AS "parent_id", n."number" AS "number", s."company_id" AS "_was_company_id", s."name" AS "_was_name", s."segment" AS "_was_segment", s."parent_id" AS "_was_parent_id", s."number" AS "_was_number", s.is_current AND (n.operation <> 'U' OR ((CASE WHEN n."company_id" = s."company_id" AND FNV_HASH(n."company_id") = FNV_HASH(s."company_id") THEN 0 WHEN n."company_id" IS NULL AND s."company_id" IS NULL THEN 0 ELSE 1 END = 1) OR (CASE WHEN n."name" = s."name" AND FNV_HASH(n."name") = FNV_HASH(s."name") THEN 0 WHEN n."name" IS NULL AND s."name" IS NULL THEN 0 ELSE 1 END = 1) OR (CASE WHEN n."segment" = s."segment" AND FNV_HASH(n."segment") = FNV_HASH(s."segment") THEN 0 WHEN n."segment" IS NULL AND s."segment" IS NULL THEN 0 ELSE 1 END = 1) OR (CASE WHEN n."parent_id" = s."parent_id" AND FNV_HASH(n."parent_id") = FNV_HASH(s."parent_id") THEN 0 WHEN n."parent_id" IS NULL AND s."parent_id" IS NULL THEN 0 ELSE 1 END = 1) OR (CASE WHEN n."number" = s."number" AND FNV_HASH(n."number") = FNV_HASH(s."number") THEN 0 WHEN n."number" IS NULL AND s."number" IS NULL THEN 0 ELSE 1 END = 1))) AS _closes, n.operation = 'U' AND (NOT s.is_current OR ((CASE WHEN n."company_id" = s."company_id" AND FNV_HASH(n."company_id") = FNV_HASH(s."company_id") THEN 0 WHEN n."company_id" IS NULL AND s."company_id" IS NULL THEN 0 ELSE 1 END = 1) OR (CASE WHEN n."name" = s."name" AND FNV_HASH(n."name") = FNV_HASH(s."name") THEN 0 WHEN n."name" IS NULL AND s."name" IS NULL THEN 0 ELSE 1 END = 1) OR (CASE WHEN n."segment" = s."segment" AND FNV_HASH(n."segment") = FNV_HASH(s."segment") THEN 0 WHEN n."segment" IS NULL AND s."segment" IS NULL THEN 0 ELSE 1 END = 1) OR (CASE WHEN n."parent_id" = s."parent_id" AND FNV_HASH(n."parent_id") = FNV_HASH(s."parent_id") THEN 0 WHEN n."parent_id" IS NULL AND s."parent_id" IS NULL THEN 0 ELSE 1 END = 1) OR (CASE WHEN n."number" = s."number" AND FNV_HASH(n."number") = FNV_HASH(s."number") THEN 0 WHEN n."number" IS NULL AND s."number" IS NULL THEN 0 ELSE 1 END = 1))) AS _opens
FROM (SELECT *
FROM "silver__stored"
WHERE _last) AS s
JOIN "silver__arriving" AS n ON n.entity_key = s.entity_key) SELECT entity_key AS _key, version_number AS _number, entity_key, "_was_company_id" AS "company_id", "_was_name" AS "name", "_was_segment" AS "segment", "_was_parent_id" AS "parent_id", "_was_number" AS "number", valid_from, CASE WHEN _closes THEN DATEADD(MICROSECOND, CAST((sequence) % 1000000 AS INTEGER), DATEADD(SECOND, CAST((sequence) / 1000000 % 86400 AS INTEGER), DATEADD(DAY, CAST((sequence) / 86400000000 AS INTEGER), CAST('1970-01-01 00:00:00' AS TIMESTAMP)))) ELSE valid_to END AS valid_to, is_current AND NOT _closes AS is_current, version_number, _was_batch_id AS batch_id
FROM met
WHERE _closes OR (FALSE)
UNION ALL SELECT NULL AS _key, NULL AS _number, entity_key, "company_id", "name", "segment", "parent_id", "number", DATEADD(MICROSECOND, CAST((sequence) % 1000000 AS INTEGER), DATEADD(SECOND, CAST((sequence) / 1000000 % 86400 AS INTEGER), DATEADD(DAY, CAST((sequence) / 86400000000 AS INTEGER), CAST('1970-01-01 00:00:00' AS TIMESTAMP)))) AS valid_from, CAST('9999-12-31 00:00:00' AS TIMESTAMP) AS valid_to, TRUE AS is_current, version_number + 1 AS version_number, batch_id
FROM met
WHERE _opens;

CREATE TEMPORARY TABLE "silver__moved" AS WITH met AS (SELECT s.entity_key, s.valid_from, s.valid_to, s.is_current, s.version_number, s.batch_id AS _was_batch_id, n.sequence, n.batch_id, n."entry_id" AS "entry_id", n."member_id" AS "member_id", n."approver_id" AS "approver_id", n."company_id" AS "company_id", n."started_at" AS "started_at", n."hours" AS "hours", n."rate" AS "rate", n."option" AS "option", s."entry_id" AS "_was_entry_id", s."member_id" AS "_was_member_id", s."approver_id" AS "_was_approver_id", s."company_id" AS "_was_company_id", s."started_at" AS "_was_started_at", s."hours" AS "_was_hours", s."rate" AS "_was_rate", s."option" AS "_was_option", s.is_current AND (n.operation <> 'U' OR ((CASE WHEN n."entry_id" = s."entry_id" AND FNV_HASH(n."entry_id") = FNV_HASH(s."entry_id") THEN 0 WHEN n."entry_id" IS NULL AND s."entry_id" IS NULL THEN 0 ELSE 1 END = 1) OR (CASE WHEN n."member_id" = s."member_id" AND FNV_HASH(n."member_id") = FNV_HASH(s."member_id") THEN 0 WHEN n."member_id" IS NULL AND s."member_id" IS NULL THEN 0 ELSE 1 END = 1) OR (CASE WHEN n."approver_id" = s."approver_id" AND FNV_HASH(n."approver_id") = FNV_HASH(s."approver_id") THEN 0 WHEN n."approver_id" IS NULL AND s."approver_id" IS NULL THEN 0 ELSE 1 END = 1) OR (CASE WHEN n."company_id" = s."company_id" AND FNV_HASH(n."company_id") = FNV_HASH(s."company_id") THEN 0 WHEN n."company_id" IS NULL AND s."company_id" IS NULL THEN 0 ELSE 1 END = 1) OR (CASE WHEN n."started_at" = s."started_at" AND FNV_HASH(n."started_at") = FNV_HASH(s."started_at") THEN 0 WHEN n."started_at" IS NULL AND s."started_at" IS NULL THEN 0 ELSE 1 END = 1) OR (CASE WHEN n."hours" = s."hours" AND FNV_HASH(n."hours") = FNV_HASH(s."hours") THEN 0 WHEN n."hours" IS NULL AND s."hours" IS NULL THEN 0 ELSE 1 END = 1) OR (CASE WHEN n."rate" = s."rate" AND FNV_HASH(n."rate") = FNV_HASH(s."rate") THEN 0 WHEN n."rate" IS NULL AND s."rate" IS NULL THEN 0 ELSE 1 END = 1) OR (CASE WHEN n."option" = s."option" AND FNV_HASH(n."option") = FNV_HASH(s."option") THEN 0 WHEN n."option" IS NULL AND s."option" IS NULL THEN 0 ELSE 1 END = 1))) AS _closes, n.operation = 'U' AND (NOT s.is_current OR ((CASE WHEN n."entry_id" = s."entry_id" AND FNV_HASH(n."entry_id") = FNV_HASH(s."entry_id") THEN 0 WHEN n."entry_id" IS NULL AND s."entry_id" IS NULL THEN 0 ELSE 1 END = 1) OR (CASE WHEN n."member_id" = s."member_id" AND FNV_HASH(n."member_id") = FNV_HASH(s."member_id") THEN 0 WHEN n."member_id" IS NULL AND s."member_id" IS NULL THEN 0 ELSE 1 END = 1) OR (CASE WHEN n."approver_id" = s."approver_id" AND FNV_HASH(n."approver_id") = FNV_HASH(s."approver_id") THEN 0 WHEN n."approver_id" IS NULL AND s."approver_id" IS NULL THEN 0 ELSE 1 END = 1) OR (CASE WHEN n."company_id" = s."company_id" AND FNV_HASH(n."company_id") = FNV_HASH(s."company_id") THEN 0 WHEN n."company_id" IS NULL AND s."company_id" IS NULL THEN 0 ELSE 1 END = 1) OR (CASE WHEN n."started_at" = s."started_at" AND FNV_HASH(n."started_at") = FNV_HASH(s."started_at") THEN 0 WHEN n."started_at" IS NULL AND s."started_at" IS NULL THEN 0 ELSE 1 END = 1) OR (CASE WHEN n."hours" = s."hours" AND FNV_HASH(n."hours") = FNV_HASH(s."hours") THEN 0 WHEN n."hours" IS NULL AND s."hours" IS NULL THEN 0 ELSE 1 END = 1) OR (CASE WHEN n."rate" = s."rate" AND FNV_HASH(n."rate") = FNV_HASH(s."rate") THEN 0 WHEN n."rate" IS NULL AND s."rate" IS NULL THEN 0 ELSE 1 END = 1) OR (CASE WHEN n."option" = s."option" AND FNV_HASH(n."option") = FNV_HASH(s."option") THEN 0 WHEN n."option" IS NULL AND s."option" IS NULL THEN 0 ELSE 1 END = 1))) AS _opens
FROM (SELECT *
FROM "silver__stored"
WHERE _last) AS s
JOIN "silver__arriving" AS n ON n.entity_key = s.entity_key) SELECT entity_key AS _key, version_number AS _number, entity_key, "_was_entry_id" AS "entry_id", "_was_member_id" AS "member_id", "_was_approver_id" AS "approver_id", "_was_company_id" AS "company_id", "_was_started_at" AS "started_at", "_was_hours" AS "hours", "_was_rate" AS "rate", "_was_option" AS "option", valid_from, CASE WHEN _closes THEN DATEADD(MICROSECOND, CAST((sequence) % 1000000 AS INTEGER), DATEADD(SECOND, CAST((sequence) / 1000000 % 86400 AS INTEGER), DATEADD(DAY, CAST((sequence) / 86400000000 AS INTEGER), CAST('1970-01-01 00:00:00' AS TIMESTAMP)))) ELSE valid_to END AS valid_to, is_current AND NOT _closes AS is_current, version_number, _was_batch_id AS batch_id
FROM met
WHERE _closes OR (FALSE)
UNION ALL SELECT NULL AS _key, NULL AS _number, entity_key, "entry_id", "member_id", "approver_id", "company_id", "started_at", "hours", "rate", "option", DATEADD(MICROSECOND, CAST((sequence) % 1000000 AS INTEGER), DATEADD(SECOND, CAST((sequence) / 1000000 % 86400 AS INTEGER), DATEADD(DAY, CAST((sequence) / 86400000000 AS INTEGER), CAST('1970-01-01 00:00:00' AS TIMESTAMP)))) AS valid_from, CAST('9999-12-31 00:00:00' AS TIMESTAMP) AS valid_to, TRUE AS is_current, version_number + 1 AS version_number, batch_id
FROM met
WHERE _opens;

CREATE TEMPORARY TABLE "silver__moved" AS WITH met AS (SELECT s.entity_key, s.valid_from, s.valid_to, s.is_current, s.version_number, s.batch_id AS _was_batch_id, n.sequence, n.batch_id, n."member_id" AS "member_id", n."name" AS "name", n."cost" AS "cost", s."member_id" AS "_was_member_id", s."name" AS "_was_name", s."cost" AS "_was_cost", s.is_current AND (n.operation <> 'U' OR ((CASE WHEN n."member_id" = s."member_id" AND FNV_HASH(n."member_id") = FNV_HASH(s."member_id") THEN 0 WHEN n."member_id" IS NULL AND s."member_id" IS NULL THEN 0 ELSE 1 END = 1) OR (CASE WHEN n."name" = s."name" AND FNV_HASH(n."name") = FNV_HASH(s."name") THEN 0 WHEN n."name" IS NULL AND s."name" IS NULL THEN 0 ELSE 1 END = 1) OR (CASE WHEN n."cost" = s."cost" AND FNV_HASH(n."cost") = FNV_HASH(s."cost") THEN 0 WHEN n."cost" IS NULL AND s."cost" IS NULL THEN 0 ELSE 1 END = 1))) AS _closes, n.operation = 'U' AND (NOT s.is_current OR ((CASE WHEN n."member_id" = s."member_id" AND FNV_HASH(n."member_id") = FNV_HASH(s."member_id") THEN 0 WHEN n."member_id" IS NULL AND s."member_id" IS NULL THEN 0 ELSE 1 END = 1) OR (CASE WHEN n."name" = s."name" AND FNV_HASH(n."name") = FNV_HASH(s."name") THEN 0 WHEN n."name" IS NULL AND s."name" IS NULL THEN 0 ELSE 1 END = 1) OR (CASE WHEN n."cost" = s."cost" AND FNV_HASH(n."cost") = FNV_HASH(s."cost") THEN 0 WHEN n."cost" IS NULL AND s."cost" IS NULL THEN 0 ELSE 1 END = 1))) AS _opens
FROM (SELECT *
FROM "silver__stored"
WHERE _last AND NOT entity_key IN (SELECT entity_key
FROM "silver__many")) AS s
JOIN "silver__arriving" AS n ON n.entity_key = s.entity_key) SELECT entity_key AS _key, version_number AS _number, entity_key, "_was_member_id" AS "member_id", "_was_name" AS "name", "_was_cost" AS "cost", valid_from, CASE WHEN _closes THEN DATEADD(MICROSECOND, CAST((sequence) % 1000000 AS INTEGER), DATEADD(SECOND, CAST((sequence) / 1000000 % 86400 AS INTEGER), DATEADD(DAY, CAST((sequence) / 86400000000 AS INTEGER), CAST('1970-01-01 00:00:00' AS TIMESTAMP)))) ELSE valid_to END AS valid_to, is_current AND NOT _closes AS is_current, version_number, _was_batch_id AS batch_id
FROM met
WHERE _closes OR (FALSE)
UNION ALL SELECT NULL AS _key, NULL AS _number, entity_key, "member_id", "name", "cost", DATEADD(MICROSECOND, CAST((sequence) % 1000000 AS INTEGER), DATEADD(SECOND, CAST((sequence) / 1000000 % 86400 AS INTEGER), DATEADD(DAY, CAST((sequence) / 86400000000 AS INTEGER), CAST('1970-01-01 00:00:00' AS TIMESTAMP)))) AS valid_from, CAST('9999-12-31 00:00:00' AS TIMESTAMP) AS valid_to, TRUE AS is_current, version_number + 1 AS version_number, batch_id
FROM met
WHERE _opens
UNION ALL SELECT s.entity_key AS _key, s.version_number AS _number, f."entity_key", f."member_id", f."name", f."cost", f."valid_from", f."valid_to", f."is_current", f."version_number", f."batch_id"
FROM (SELECT *
FROM "silver__stored"
WHERE (_last OR _late) AND entity_key IN (SELECT entity_key
FROM "silver__many")) AS s
FULL OUTER JOIN (SELECT v.entity_key, v."member_id", v."name", v."cost", v."valid_from", v."valid_to", v."is_current", CAST(v.version_number + COALESCE(b.version_number - 1, 0) AS INTEGER) AS version_number, v.batch_id
FROM "silver__folded" AS v
LEFT JOIN "silver__stored" AS b ON b.entity_key = v.entity_key AND b._last AND NOT b._late) AS f ON f.entity_key = s.entity_key AND f.version_number = s.version_number
WHERE s.entity_key IS NULL OR f.entity_key IS NULL OR ((CASE WHEN f."member_id" = s."member_id" AND FNV_HASH(f."member_id") = FNV_HASH(s."member_id") THEN 0 WHEN f."member_id" IS NULL AND s."member_id" IS NULL THEN 0 ELSE 1 END = 1) OR (CASE WHEN f."name" = s."name" AND FNV_HASH(f."name") = FNV_HASH(s."name") THEN 0 WHEN f."name" IS NULL AND s."name" IS NULL THEN 0 ELSE 1 END = 1) OR (CASE WHEN f."cost" = s."cost" AND FNV_HASH(f."cost") = FNV_HASH(s."cost") THEN 0 WHEN f."cost" IS NULL AND s."cost" IS NULL THEN 0 ELSE 1 END = 1) OR (CASE WHEN f."valid_from" = s."valid_from" AND FNV_HASH(f."valid_from") = FNV_HASH(s."valid_from") THEN 0 WHEN f."valid_from" IS NULL AND s."valid_from" IS NULL THEN 0 ELSE 1 END = 1) OR (CASE WHEN f."valid_to" = s."valid_to" AND FNV_HASH(f."valid_to") = FNV_HASH(s."valid_to") THEN 0 WHEN f."valid_to" IS NULL AND s."valid_to" IS NULL THEN 0 ELSE 1 END = 1) OR (CASE WHEN f."is_current" = s."is_current" AND FNV_HASH(f."is_current") = FNV_HASH(s."is_current") THEN 0 WHEN f."is_current" IS NULL AND s."is_current" IS NULL THEN 0 ELSE 1 END = 1) OR (CASE WHEN f."version_number" = s."version_number" AND FNV_HASH(f."version_number") = FNV_HASH(s."version_number") THEN 0 WHEN f."version_number" IS NULL AND s."version_number" IS NULL THEN 0 ELSE 1 END = 1) OR (CASE WHEN f."batch_id" = s."batch_id" AND FNV_HASH(f."batch_id") = FNV_HASH(s."batch_id") THEN 0 WHEN f."batch_id" IS NULL AND s."batch_id" IS NULL THEN 0 ELSE 1 END = 1));

CREATE TEMPORARY TABLE "silver__moved" AS WITH met AS (SELECT s.entity_key, s.valid_from, s.valid_to, s.is_current, s.version_number, s.batch_id AS _was_batch_id, n.sequence, n.batch_id, n."product_id" AS "product_id", n."company_id" AS "company_id", n."amount" AS "amount", n."sold_on" AS "sold_on", s."product_id" AS "_was_product_id", s."company_id" AS "_was_company_id", s."amount" AS "_was_amount", s."sold_on" AS "_was_sold_on", s.is_current AND (n.operation <> 'U' OR ((CASE WHEN n."product_id" = s."product_id" AND FNV_HASH(n."product_id") = FNV_HASH(s."product_id") THEN 0 WHEN n."product_id" IS NULL AND s."product_id" IS NULL THEN 0 ELSE 1 END = 1) OR (CASE WHEN n."company_id" = s."company_id" AND FNV_HASH(n."company_id") = FNV_HASH(s."company_id") THEN 0 WHEN n."company_id" IS NULL AND s."company_id" IS NULL THEN 0 ELSE 1 END = 1) OR (CASE WHEN n."amount" = s."amount" AND FNV_HASH(n."amount") = FNV_HASH(s."amount") THEN 0 WHEN n."amount" IS NULL AND s."amount" IS NULL THEN 0 ELSE 1 END = 1) OR (CASE WHEN n."sold_on" = s."sold_on" AND FNV_HASH(n."sold_on") = FNV_HASH(s."sold_on") THEN 0 WHEN n."sold_on" IS NULL AND s."sold_on" IS NULL THEN 0 ELSE 1 END = 1))) AS _closes, n.operation = 'U' AND (NOT s.is_current OR ((CASE WHEN n."product_id" = s."product_id" AND FNV_HASH(n."product_id") = FNV_HASH(s."product_id") THEN 0 WHEN n."product_id" IS NULL AND s."product_id" IS NULL THEN 0 ELSE 1 END = 1) OR (CASE WHEN n."company_id" = s."company_id" AND FNV_HASH(n."company_id") = FNV_HASH(s."company_id") THEN 0 WHEN n."company_id" IS NULL AND s."company_id" IS NULL THEN 0 ELSE 1 END = 1) OR (CASE WHEN n."amount" = s."amount" AND FNV_HASH(n."amount") = FNV_HASH(s."amount") THEN 0 WHEN n."amount" IS NULL AND s."amount" IS NULL THEN 0 ELSE 1 END = 1) OR (CASE WHEN n."sold_on" = s."sold_on" AND FNV_HASH(n."sold_on") = FNV_HASH(s."sold_on") THEN 0 WHEN n."sold_on" IS NULL AND s."sold_on" IS NULL THEN 0 ELSE 1 END = 1))) AS _opens
FROM (SELECT *
FROM "silver__stored"
WHERE _last) AS s
JOIN "silver__arriving" AS n ON n.entity_key = s.entity_key) SELECT entity_key AS _key, version_number AS _number, entity_key, "_was_product_id" AS "product_id", "_was_company_id" AS "company_id", "_was_amount" AS "amount", "_was_sold_on" AS "sold_on", valid_from, CASE WHEN _closes THEN DATEADD(MICROSECOND, CAST((sequence) % 1000000 AS INTEGER), DATEADD(SECOND, CAST((sequence) / 1000000 % 86400 AS INTEGER), DATEADD(DAY, CAST((sequence) / 86400000000 AS INTEGER), CAST('1970-01-01 00:00:00' AS TIMESTAMP)))) ELSE valid_to END AS valid_to, is_current AND NOT _closes AS is_current, version_number, _was_batch_id AS batch_id
FROM met
WHERE _closes OR (FALSE)
UNION ALL SELECT NULL AS _key, NULL AS _number, entity_key, "product_id", "company_id", "amount", "sold_on", DATEADD(MICROSECOND, CAST((sequence) % 1000000 AS INTEGER), DATEADD(SECOND, CAST((sequence) / 1000000 % 86400 AS INTEGER), DATEADD(DAY, CAST((sequence) / 86400000000 AS INTEGER), CAST('1970-01-01 00:00:00' AS TIMESTAMP)))) AS valid_from, CAST('9999-12-31 00:00:00' AS TIMESTAMP) AS valid_to, TRUE AS is_current, version_number + 1 AS version_number, batch_id
FROM met
WHERE _opens;

CREATE TEMPORARY TABLE "silver__stored" AS SELECT *
FROM (SELECT x."entity_key", x."address_id", x."company_id", x."city", x."phone", x."valid_from", x."valid_to", x."is_current", x."version_number", x."batch_id", ROW_NUMBER() OVER (PARTITION BY x.entity_key ORDER BY x.version_number DESC NULLS LAST) = 1 AS _last, FALSE AS _late
FROM (SELECT *
FROM "acme_silver"."address" AS v
WHERE v.entity_key IN (SELECT entity_key
FROM "silver__arriving")) AS x) AS marked
WHERE _last OR _late;

CREATE TEMPORARY TABLE "silver__stored" AS SELECT *
FROM (SELECT x."entity_key", x."agreement_id", x."company_id", x."amount", x."starts_on", x."ends_on", x."valid_from", x."valid_to", x."is_current", x."version_number", x."batch_id", ROW_NUMBER() OVER (PARTITION BY x.entity_key ORDER BY x.version_number DESC NULLS LAST) = 1 AS _last, FALSE AS _late
FROM (SELECT *
FROM "acme_silver"."agreement" AS v
WHERE v.entity_key IN (SELECT entity_key
FROM "silver__arriving")) AS x) AS marked
WHERE _last OR _late;

CREATE TEMPORARY TABLE "silver__stored" AS SELECT *
FROM (SELECT x."entity_key", x."company_id", x."name", x."segment", x."parent_id", x."number", x."valid_from", x."valid_to", x."is_current", x."version_number", x."batch_id", ROW_NUMBER() OVER (PARTITION BY x.entity_key ORDER BY x.version_number DESC NULLS LAST) = 1 AS _last, FALSE AS _late
FROM (SELECT *
FROM "acme_silver"."company" AS v
WHERE v.entity_key IN (SELECT entity_key
FROM "silver__arriving")) AS x) AS marked
WHERE _last OR _late;

CREATE TEMPORARY TABLE "silver__stored" AS SELECT *
FROM (SELECT x."entity_key", x."entry_id", x."member_id", x."approver_id", x."company_id", x."started_at", x."hours", x."rate", x."option", x."valid_from", x."valid_to", x."is_current", x."version_number", x."batch_id", ROW_NUMBER() OVER (PARTITION BY x.entity_key ORDER BY x.version_number DESC NULLS LAST) = 1 AS _last, FALSE AS _late
FROM (SELECT *
FROM "acme_silver"."entry" AS v
WHERE v.entity_key IN (SELECT entity_key
FROM "silver__arriving")) AS x) AS marked
WHERE _last OR _late;

CREATE TEMPORARY TABLE "silver__stored" AS SELECT *
FROM (SELECT x."entity_key", x."member_id", x."name", x."cost", x."valid_from", x."valid_to", x."is_current", x."version_number", x."batch_id", ROW_NUMBER() OVER (PARTITION BY x.entity_key ORDER BY x.version_number DESC NULLS LAST) = 1 AS _last, FALSE AS _late
FROM (SELECT *
FROM "acme_silver"."member" AS v
WHERE v.entity_key IN (SELECT entity_key
FROM "silver__arriving")) AS x) AS marked
WHERE _last OR _late;

CREATE TEMPORARY TABLE "silver__stored" AS SELECT *
FROM (SELECT x."entity_key", x."product_id", x."company_id", x."amount", x."sold_on", x."valid_from", x."valid_to", x."is_current", x."version_number", x."batch_id", ROW_NUMBER() OVER (PARTITION BY x.entity_key ORDER BY x.version_number DESC NULLS LAST) = 1 AS _last, FALSE AS _late
FROM (SELECT *
FROM "acme_silver"."product" AS v
WHERE v.entity_key IN (SELECT entity_key
FROM "silver__arriving")) AS x) AS marked
WHERE _last OR _late;

CREATE TEMPORARY TABLE "silver__story" AS SELECT x."entity_key", x."sequence", x."operation", x."source", x."member_id", x."name", x."cost", x."known_columns", x."hash", x."observed", x."place", x."batch_id"
FROM "silver__arriving" AS x
WHERE x.entity_key IN (SELECT entity_key
FROM "silver__many")
UNION ALL SELECT x.entity_key, DATEDIFF(MICROSECOND, CAST('1970-01-01 00:00:00' AS TIMESTAMP), x.valid_from), CAST('U' AS VARCHAR(65535)), CAST('' AS VARCHAR(65535)), x."member_id", x."name", x."cost", NULL, CAST('' AS VARCHAR(65535)), 0, 0, x.batch_id
FROM "silver__stored" AS x
WHERE x._last AND NOT x._late AND x.entity_key IN (SELECT entity_key
FROM "silver__many")
UNION ALL SELECT x.entity_key, DATEDIFF(MICROSECOND, CAST('1970-01-01 00:00:00' AS TIMESTAMP), x.valid_to), CAST('D' AS VARCHAR(65535)), CAST('' AS VARCHAR(65535)), x."member_id", x."name", x."cost", NULL, CAST('' AS VARCHAR(65535)), 0, 0, x.batch_id
FROM "silver__stored" AS x
WHERE x._last AND NOT x._late AND x.entity_key IN (SELECT entity_key
FROM "silver__many") AND NOT x.is_current;

CREATE VIEW "acme_silver"."address_current" AS SELECT *
FROM "acme_silver"."address"
WHERE is_current WITH NO SCHEMA BINDING;

CREATE VIEW "acme_silver"."agreement_current" AS SELECT *
FROM "acme_silver"."agreement"
WHERE is_current WITH NO SCHEMA BINDING;

CREATE VIEW "acme_silver"."company_current" AS SELECT *
FROM "acme_silver"."company"
WHERE is_current WITH NO SCHEMA BINDING;

CREATE VIEW "acme_silver"."entry_current" AS SELECT *
FROM "acme_silver"."entry"
WHERE is_current WITH NO SCHEMA BINDING;

CREATE VIEW "acme_silver"."member_current" AS SELECT *
FROM "acme_silver"."member"
WHERE is_current WITH NO SCHEMA BINDING;

CREATE VIEW "acme_silver"."product_current" AS SELECT *
FROM "acme_silver"."product"
WHERE is_current WITH NO SCHEMA BINDING;

DELETE
FROM "acme_meta"."entity_schema"
WHERE entity = 'address';

DELETE
FROM "acme_meta"."entity_schema"
WHERE entity = 'agreement';

DELETE
FROM "acme_meta"."entity_schema"
WHERE entity = 'company';

DELETE
FROM "acme_meta"."entity_schema"
WHERE entity = 'entry';

DELETE
FROM "acme_meta"."entity_schema"
WHERE entity = 'member';

DELETE
FROM "acme_meta"."entity_schema"
WHERE entity = 'product';

DELETE
FROM "acme_silver"."address" USING "silver__moved" AS m
WHERE m."_key" = "address"."entity_key" AND m."_number" = "address"."version_number";

DELETE
FROM "acme_silver"."agreement" USING "silver__moved" AS m
WHERE m."_key" = "agreement"."entity_key" AND m."_number" = "agreement"."version_number";

DELETE
FROM "acme_silver"."company" USING "silver__moved" AS m
WHERE m."_key" = "company"."entity_key" AND m."_number" = "company"."version_number";

DELETE
FROM "acme_silver"."entry" USING "silver__moved" AS m
WHERE m."_key" = "entry"."entity_key" AND m."_number" = "entry"."version_number";

DELETE
FROM "acme_silver"."member" USING "silver__moved" AS m
WHERE m."_key" = "member"."entity_key" AND m."_number" = "member"."version_number";

DELETE
FROM "acme_silver"."product" USING "silver__moved" AS m
WHERE m."_key" = "product"."entity_key" AND m."_number" = "product"."version_number";

DROP TABLE IF EXISTS "arrived__next";

DROP VIEW IF EXISTS "acme_silver"."address_current";

DROP VIEW IF EXISTS "acme_silver"."agreement_current";

DROP VIEW IF EXISTS "acme_silver"."company_current";

DROP VIEW IF EXISTS "acme_silver"."entry_current";

DROP VIEW IF EXISTS "acme_silver"."member_current";

DROP VIEW IF EXISTS "acme_silver"."product_current";

INSERT INTO "acme_meta"."batch" ("batch_id", "connection", "resource", "source", "read_at") SELECT *
FROM (SELECT 'b1-address' AS c0, 'desk' AS c1, 'addresss' AS c2, 'shop.addresss' AS c3, CAST('2024-01-01 00:00:00' AS TIMESTAMP) AS c4) AS fresh;

INSERT INTO "acme_meta"."batch" ("batch_id", "connection", "resource", "source", "read_at") SELECT *
FROM (SELECT 'b1-agreement' AS c0, 'desk' AS c1, 'agreements' AS c2, 'shop.agreements' AS c3, CAST('2024-01-01 00:00:00' AS TIMESTAMP) AS c4) AS fresh;

INSERT INTO "acme_meta"."batch" ("batch_id", "connection", "resource", "source", "read_at") SELECT *
FROM (SELECT 'b1-company' AS c0, 'desk' AS c1, 'companys' AS c2, 'shop.companys' AS c3, CAST('2024-01-01 00:00:00' AS TIMESTAMP) AS c4) AS fresh;

INSERT INTO "acme_meta"."batch" ("batch_id", "connection", "resource", "source", "read_at") SELECT *
FROM (SELECT 'b1-entry' AS c0, 'desk' AS c1, 'entrys' AS c2, 'shop.entrys' AS c3, CAST('2024-01-01 00:00:00' AS TIMESTAMP) AS c4) AS fresh;

INSERT INTO "acme_meta"."batch" ("batch_id", "connection", "resource", "source", "read_at") SELECT *
FROM (SELECT 'b1-member' AS c0, 'desk' AS c1, 'members' AS c2, 'shop.members' AS c3, CAST('2024-01-01 00:00:00' AS TIMESTAMP) AS c4) AS fresh;

INSERT INTO "acme_meta"."batch" ("batch_id", "connection", "resource", "source", "read_at") SELECT *
FROM (SELECT 'b1-product' AS c0, 'desk' AS c1, 'products' AS c2, 'shop.products' AS c3, CAST('2024-01-01 00:00:00' AS TIMESTAMP) AS c4) AS fresh;

INSERT INTO "acme_meta"."change_feed" ("change_id", "entity", "entity_key") SELECT 0, CAST('address' AS VARCHAR(65535)), entity_key
FROM (SELECT DISTINCT COALESCE(entity_key, _key) AS entity_key
FROM "silver__moved") AS changed
UNION ALL SELECT 0, CAST('address' AS VARCHAR(65535)), entity_key
FROM (SELECT entity_key
FROM (SELECT n.entity_key, n."address_id", n."company_id", n."city", n."phone", DATEADD(MICROSECOND, CAST((n.sequence) % 1000000 AS INTEGER), DATEADD(SECOND, CAST((n.sequence) / 1000000 % 86400 AS INTEGER), DATEADD(DAY, CAST((n.sequence) / 86400000000 AS INTEGER), CAST('1970-01-01 00:00:00' AS TIMESTAMP)))) AS valid_from, CAST('9999-12-31 00:00:00' AS TIMESTAMP) AS valid_to, TRUE AS is_current, 1 AS version_number, n.batch_id
FROM "silver__arriving" AS n
WHERE n.operation = 'U' AND NOT (n.entity_key IN (SELECT entity_key
FROM "silver__stored"))) AS inserts) AS changed;

INSERT INTO "acme_meta"."change_feed" ("change_id", "entity", "entity_key") SELECT 0, CAST('agreement' AS VARCHAR(65535)), entity_key
FROM (SELECT DISTINCT COALESCE(entity_key, _key) AS entity_key
FROM "silver__moved") AS changed
UNION ALL SELECT 0, CAST('agreement' AS VARCHAR(65535)), entity_key
FROM (SELECT entity_key
FROM (SELECT n.entity_key, n."agreement_id", n."company_id", n."amount", n."starts_on", n."ends_on", DATEADD(MICROSECOND, CAST((n.sequence) % 1000000 AS INTEGER), DATEADD(SECOND, CAST((n.sequence) / 1000000 % 86400 AS INTEGER), DATEADD(DAY, CAST((n.sequence) / 86400000000 AS INTEGER), CAST('1970-01-01 00:00:00' AS TIMESTAMP)))) AS valid_from, CAST('9999-12-31 00:00:00' AS TIMESTAMP) AS valid_to, TRUE AS is_current, 1 AS version_number, n.batch_id
FROM "silver__arriving" AS n
WHERE n.operation = 'U' AND NOT (n.entity_key IN (SELECT entity_key
FROM "silver__stored"))) AS inserts) AS changed;

INSERT INTO "acme_meta"."change_feed" ("change_id", "entity", "entity_key") SELECT 0, CAST('company' AS VARCHAR(65535)), entity_key
FROM (SELECT DISTINCT COALESCE(entity_key, _key) AS entity_key
FROM "silver__moved") AS changed
UNION ALL SELECT 0, CAST('company' AS VARCHAR(65535)), entity_key
FROM (SELECT entity_key
FROM (SELECT n.entity_key, n."company_id", n."name", n."segment", n."parent_id", n."number", DATEADD(MICROSECOND, CAST((n.sequence) % 1000000 AS INTEGER), DATEADD(SECOND, CAST((n.sequence) / 1000000 % 86400 AS INTEGER), DATEADD(DAY, CAST((n.sequence) / 86400000000 AS INTEGER), CAST('1970-01-01 00:00:00' AS TIMESTAMP)))) AS valid_from, CAST('9999-12-31 00:00:00' AS TIMESTAMP) AS valid_to, TRUE AS is_current, 1 AS version_number, n.batch_id
FROM "silver__arriving" AS n
WHERE n.operation = 'U' AND NOT (n.entity_key IN (SELECT entity_key
FROM "silver__stored"))) AS inserts) AS changed;

INSERT INTO "acme_meta"."change_feed" ("change_id", "entity", "entity_key") SELECT 0, CAST('entry' AS VARCHAR(65535)), entity_key
FROM (SELECT DISTINCT COALESCE(entity_key, _key) AS entity_key
FROM "silver__moved") AS changed
UNION ALL SELECT 0, CAST('entry' AS VARCHAR(65535)), entity_key
FROM (SELECT entity_key
FROM (SELECT n.entity_key, n."entry_id", n."member_id", n."approver_id", n."company_id", n."started_at", n."hours", n."rate", n."option", DATEADD(MICROSECOND, CAST((n.sequence) % 1000000 AS INTEGER), DATEADD(SECOND, CAST((n.sequence) / 1000000 % 86400 AS INTEGER), DATEADD(DAY, CAST((n.sequence) / 86400000000 AS INTEGER), CAST('1970-01-01 00:00:00' AS TIMESTAMP)))) AS valid_from, CAST('9999-12-31 00:00:00' AS TIMESTAMP) AS valid_to, TRUE AS is_current, 1 AS version_number, n.batch_id
FROM "silver__arriving" AS n
WHERE n.operation = 'U' AND NOT (n.entity_key IN (SELECT entity_key
FROM "silver__stored"))) AS inserts) AS changed;

INSERT INTO "acme_meta"."change_feed" ("change_id", "entity", "entity_key") SELECT 0, CAST('member' AS VARCHAR(65535)), entity_key
FROM (SELECT DISTINCT COALESCE(entity_key, _key) AS entity_key
FROM "silver__moved") AS changed
UNION ALL SELECT 0, CAST('member' AS VARCHAR(65535)), entity_key
FROM (SELECT entity_key
FROM (SELECT n.entity_key, n."member_id", n."name", n."cost", DATEADD(MICROSECOND, CAST((n.sequence) % 1000000 AS INTEGER), DATEADD(SECOND, CAST((n.sequence) / 1000000 % 86400 AS INTEGER), DATEADD(DAY, CAST((n.sequence) / 86400000000 AS INTEGER), CAST('1970-01-01 00:00:00' AS TIMESTAMP)))) AS valid_from, CAST('9999-12-31 00:00:00' AS TIMESTAMP) AS valid_to, TRUE AS is_current, 1 AS version_number, n.batch_id
FROM "silver__arriving" AS n
WHERE n.operation = 'U' AND NOT (n.entity_key IN (SELECT entity_key
FROM "silver__stored"
UNION ALL SELECT entity_key
FROM "silver__many"))) AS inserts) AS changed;

INSERT INTO "acme_meta"."change_feed" ("change_id", "entity", "entity_key") SELECT 0, CAST('product' AS VARCHAR(65535)), entity_key
FROM (SELECT DISTINCT COALESCE(entity_key, _key) AS entity_key
FROM "silver__moved") AS changed
UNION ALL SELECT 0, CAST('product' AS VARCHAR(65535)), entity_key
FROM (SELECT entity_key
FROM (SELECT n.entity_key, n."product_id", n."company_id", n."amount", n."sold_on", DATEADD(MICROSECOND, CAST((n.sequence) % 1000000 AS INTEGER), DATEADD(SECOND, CAST((n.sequence) / 1000000 % 86400 AS INTEGER), DATEADD(DAY, CAST((n.sequence) / 86400000000 AS INTEGER), CAST('1970-01-01 00:00:00' AS TIMESTAMP)))) AS valid_from, CAST('9999-12-31 00:00:00' AS TIMESTAMP) AS valid_to, TRUE AS is_current, 1 AS version_number, n.batch_id
FROM "silver__arriving" AS n
WHERE n.operation = 'U' AND NOT (n.entity_key IN (SELECT entity_key
FROM "silver__stored"))) AS inserts) AS changed;

INSERT INTO "acme_meta"."entity_schema" ("entity", "declaration") SELECT CAST('address' AS VARCHAR(65535)), CAST('{"key": ["address_id"], "columns": {"address_id": ["bigint", "track"], "company_id": ["bigint", "track"], "city": ["text", "track"], "phone": ["text", "track"]}, "log": 2}' AS VARCHAR(65535));

INSERT INTO "acme_meta"."entity_schema" ("entity", "declaration") SELECT CAST('agreement' AS VARCHAR(65535)), CAST('{"key": ["agreement_id"], "columns": {"agreement_id": ["bigint", "track"], "company_id": ["bigint", "track"], "amount": ["decimal(18,4)", "track"], "starts_on": ["date", "track"], "ends_on": ["date", "track"]}, "log": 2}' AS VARCHAR(65535));

INSERT INTO "acme_meta"."entity_schema" ("entity", "declaration") SELECT CAST('company' AS VARCHAR(65535)), CAST('{"key": ["company_id"], "columns": {"company_id": ["bigint", "track"], "name": ["text", "track"], "segment": ["text", "track"], "parent_id": ["bigint", "track"], "number": ["text", "track"]}, "log": 2}' AS VARCHAR(65535));

INSERT INTO "acme_meta"."entity_schema" ("entity", "declaration") SELECT CAST('entry' AS VARCHAR(65535)), CAST('{"key": ["entry_id"], "columns": {"entry_id": ["bigint", "track"], "member_id": ["bigint", "track"], "approver_id": ["bigint", "track"], "company_id": ["bigint", "track"], "started_at": ["timestamp", "track"], "hours": ["decimal(18,4)", "track"], "rate": ["decimal(18,4)", "track"], "option": ["text", "track"]}, "log": 2}' AS VARCHAR(65535));

INSERT INTO "acme_meta"."entity_schema" ("entity", "declaration") SELECT CAST('member' AS VARCHAR(65535)), CAST('{"key": ["member_id"], "columns": {"member_id": ["bigint", "track"], "name": ["text", "track"], "cost": ["decimal(18,4)", "track"]}, "log": 2}' AS VARCHAR(65535));

INSERT INTO "acme_meta"."entity_schema" ("entity", "declaration") SELECT CAST('product' AS VARCHAR(65535)), CAST('{"key": ["product_id"], "columns": {"product_id": ["bigint", "track"], "company_id": ["bigint", "track"], "amount": ["decimal(18,4)", "track"], "sold_on": ["date", "track"]}, "log": 2}' AS VARCHAR(65535));

INSERT INTO "acme_silver"."address" ("entity_key", "address_id", "company_id", "city", "phone", "valid_from", "valid_to", "is_current", "version_number", "batch_id") SELECT "entity_key", "address_id", "company_id", "city", "phone", "valid_from", "valid_to", "is_current", "version_number", "batch_id"
FROM "silver__moved"
WHERE NOT "entity_key" IS NULL;

INSERT INTO "acme_silver"."address" ("entity_key", "address_id", "company_id", "city", "phone", "valid_from", "valid_to", "is_current", "version_number", "batch_id") SELECT n.entity_key, n."address_id", n."company_id", n."city", n."phone", DATEADD(MICROSECOND, CAST((n.sequence) % 1000000 AS INTEGER), DATEADD(SECOND, CAST((n.sequence) / 1000000 % 86400 AS INTEGER), DATEADD(DAY, CAST((n.sequence) / 86400000000 AS INTEGER), CAST('1970-01-01 00:00:00' AS TIMESTAMP)))) AS valid_from, CAST('9999-12-31 00:00:00' AS TIMESTAMP) AS valid_to, TRUE AS is_current, 1 AS version_number, n.batch_id
FROM "silver__arriving" AS n
WHERE n.operation = 'U' AND NOT (n.entity_key IN (SELECT entity_key
FROM "silver__stored"));

INSERT INTO "acme_silver"."address_log" ("entity_key", "sequence", "operation", "source", "address_id", "company_id", "city", "phone", "known_columns", "hash", "stamp", "observed", "place", "first_observed", "batch_id", "key_hash") SELECT "entity_key", "sequence", "operation", "source", "address_id", "company_id", "city", "phone", "known_columns", "hash", "stamp", "observed", "place", "first_observed", "batch_id", "key_hash"
FROM "silver__arriving";

INSERT INTO "acme_silver"."agreement" ("entity_key", "agreement_id", "company_id", "amount", "starts_on", "ends_on", "valid_from", "valid_to", "is_current", "version_number", "batch_id") SELECT "entity_key", "agreement_id", "company_id", "amount", "starts_on", "ends_on", "valid_from", "valid_to", "is_current", "version_number", "batch_id"
FROM "silver__moved"
WHERE NOT "entity_key" IS NULL;

INSERT INTO "acme_silver"."agreement" ("entity_key", "agreement_id", "company_id", "amount", "starts_on", "ends_on", "valid_from", "valid_to", "is_current", "version_number", "batch_id") SELECT n.entity_key, n."agreement_id", n."company_id", n."amount", n."starts_on", n."ends_on", DATEADD(MICROSECOND, CAST((n.sequence) % 1000000 AS INTEGER), DATEADD(SECOND, CAST((n.sequence) / 1000000 % 86400 AS INTEGER), DATEADD(DAY, CAST((n.sequence) / 86400000000 AS INTEGER), CAST('1970-01-01 00:00:00' AS TIMESTAMP)))) AS valid_from, CAST('9999-12-31 00:00:00' AS TIMESTAMP) AS valid_to, TRUE AS is_current, 1 AS version_number, n.batch_id
FROM "silver__arriving" AS n
WHERE n.operation = 'U' AND NOT (n.entity_key IN (SELECT entity_key
FROM "silver__stored"));

INSERT INTO "acme_silver"."agreement_log" ("entity_key", "sequence", "operation", "source", "agreement_id", "company_id", "amount", "starts_on", "ends_on", "known_columns", "hash", "stamp", "observed", "place", "first_observed", "batch_id", "key_hash") SELECT "entity_key", "sequence", "operation", "source", "agreement_id", "company_id", "amount", "starts_on", "ends_on", "known_columns", "hash", "stamp", "observed", "place", "first_observed", "batch_id", "key_hash"
FROM "silver__arriving";

INSERT INTO "acme_silver"."company" ("entity_key", "company_id", "name", "segment", "parent_id", "number", "valid_from", "valid_to", "is_current", "version_number", "batch_id") SELECT "entity_key", "company_id", "name", "segment", "parent_id", "number", "valid_from", "valid_to", "is_current", "version_number", "batch_id"
FROM "silver__moved"
WHERE NOT "entity_key" IS NULL;

INSERT INTO "acme_silver"."company" ("entity_key", "company_id", "name", "segment", "parent_id", "number", "valid_from", "valid_to", "is_current", "version_number", "batch_id") SELECT n.entity_key, n."company_id", n."name", n."segment", n."parent_id", n."number", DATEADD(MICROSECOND, CAST((n.sequence) % 1000000 AS INTEGER), DATEADD(SECOND, CAST((n.sequence) / 1000000 % 86400 AS INTEGER), DATEADD(DAY, CAST((n.sequence) / 86400000000 AS INTEGER), CAST('1970-01-01 00:00:00' AS TIMESTAMP)))) AS valid_from, CAST('9999-12-31 00:00:00' AS TIMESTAMP) AS valid_to, TRUE AS is_current, 1 AS version_number, n.batch_id
FROM "silver__arriving" AS n
WHERE n.operation = 'U' AND NOT (n.entity_key IN (SELECT entity_key
FROM "silver__stored"));

INSERT INTO "acme_silver"."company_log" ("entity_key", "sequence", "operation", "source", "company_id", "name", "segment", "parent_id", "number", "known_columns", "hash", "stamp", "observed", "place", "first_observed", "batch_id", "key_hash") SELECT "entity_key", "sequence", "operation", "source", "company_id", "name", "segment", "parent_id", "number", "known_columns", "hash", "stamp", "observed", "place", "first_observed", "batch_id", "key_hash"
FROM "silver__arriving";

INSERT INTO "acme_silver"."entry" ("entity_key", "entry_id", "member_id", "approver_id", "company_id", "started_at", "hours", "rate", "option", "valid_from", "valid_to", "is_current", "version_number", "batch_id") SELECT "entity_key", "entry_id", "member_id", "approver_id", "company_id", "started_at", "hours", "rate", "option", "valid_from", "valid_to", "is_current", "version_number", "batch_id"
FROM "silver__moved"
WHERE NOT "entity_key" IS NULL;

INSERT INTO "acme_silver"."entry" ("entity_key", "entry_id", "member_id", "approver_id", "company_id", "started_at", "hours", "rate", "option", "valid_from", "valid_to", "is_current", "version_number", "batch_id") SELECT n.entity_key, n."entry_id", n."member_id", n."approver_id", n."company_id", n."started_at", n."hours", n."rate", n."option", DATEADD(MICROSECOND, CAST((n.sequence) % 1000000 AS INTEGER), DATEADD(SECOND, CAST((n.sequence) / 1000000 % 86400 AS INTEGER), DATEADD(DAY, CAST((n.sequence) / 86400000000 AS INTEGER), CAST('1970-01-01 00:00:00' AS TIMESTAMP)))) AS valid_from, CAST('9999-12-31 00:00:00' AS TIMESTAMP) AS valid_to, TRUE AS is_current, 1 AS version_number, n.batch_id
FROM "silver__arriving" AS n
WHERE n.operation = 'U' AND NOT (n.entity_key IN (SELECT entity_key
FROM "silver__stored"));

INSERT INTO "acme_silver"."entry_log" ("entity_key", "sequence", "operation", "source", "entry_id", "member_id", "approver_id", "company_id", "started_at", "hours", "rate", "option", "known_columns", "hash", "stamp", "observed", "place", "first_observed", "batch_id", "key_hash") SELECT "entity_key", "sequence", "operation", "source", "entry_id", "member_id", "approver_id", "company_id", "started_at", "hours", "rate", "option", "known_columns", "hash", "stamp", "observed", "place", "first_observed", "batch_id", "key_hash"
FROM "silver__arriving";

INSERT INTO "acme_silver"."member" ("entity_key", "member_id", "name", "cost", "valid_from", "valid_to", "is_current", "version_number", "batch_id") SELECT "entity_key", "member_id", "name", "cost", "valid_from", "valid_to", "is_current", "version_number", "batch_id"
FROM "silver__moved"
WHERE NOT "entity_key" IS NULL;

INSERT INTO "acme_silver"."member" ("entity_key", "member_id", "name", "cost", "valid_from", "valid_to", "is_current", "version_number", "batch_id") SELECT n.entity_key, n."member_id", n."name", n."cost", DATEADD(MICROSECOND, CAST((n.sequence) % 1000000 AS INTEGER), DATEADD(SECOND, CAST((n.sequence) / 1000000 % 86400 AS INTEGER), DATEADD(DAY, CAST((n.sequence) / 86400000000 AS INTEGER), CAST('1970-01-01 00:00:00' AS TIMESTAMP)))) AS valid_from, CAST('9999-12-31 00:00:00' AS TIMESTAMP) AS valid_to, TRUE AS is_current, 1 AS version_number, n.batch_id
FROM "silver__arriving" AS n
WHERE n.operation = 'U' AND NOT (n.entity_key IN (SELECT entity_key
FROM "silver__stored"
UNION ALL SELECT entity_key
FROM "silver__many"));

INSERT INTO "acme_silver"."member_log" ("entity_key", "sequence", "operation", "source", "member_id", "name", "cost", "known_columns", "hash", "stamp", "observed", "place", "first_observed", "batch_id", "key_hash") SELECT "entity_key", "sequence", "operation", "source", "member_id", "name", "cost", "known_columns", "hash", "stamp", "observed", "place", "first_observed", "batch_id", "key_hash"
FROM "silver__arriving";

INSERT INTO "acme_silver"."product" ("entity_key", "product_id", "company_id", "amount", "sold_on", "valid_from", "valid_to", "is_current", "version_number", "batch_id") SELECT "entity_key", "product_id", "company_id", "amount", "sold_on", "valid_from", "valid_to", "is_current", "version_number", "batch_id"
FROM "silver__moved"
WHERE NOT "entity_key" IS NULL;

INSERT INTO "acme_silver"."product" ("entity_key", "product_id", "company_id", "amount", "sold_on", "valid_from", "valid_to", "is_current", "version_number", "batch_id") SELECT n.entity_key, n."product_id", n."company_id", n."amount", n."sold_on", DATEADD(MICROSECOND, CAST((n.sequence) % 1000000 AS INTEGER), DATEADD(SECOND, CAST((n.sequence) / 1000000 % 86400 AS INTEGER), DATEADD(DAY, CAST((n.sequence) / 86400000000 AS INTEGER), CAST('1970-01-01 00:00:00' AS TIMESTAMP)))) AS valid_from, CAST('9999-12-31 00:00:00' AS TIMESTAMP) AS valid_to, TRUE AS is_current, 1 AS version_number, n.batch_id
FROM "silver__arriving" AS n
WHERE n.operation = 'U' AND NOT (n.entity_key IN (SELECT entity_key
FROM "silver__stored"));

INSERT INTO "acme_silver"."product_log" ("entity_key", "sequence", "operation", "source", "product_id", "company_id", "amount", "sold_on", "known_columns", "hash", "stamp", "observed", "place", "first_observed", "batch_id", "key_hash") SELECT "entity_key", "sequence", "operation", "source", "product_id", "company_id", "amount", "sold_on", "known_columns", "hash", "stamp", "observed", "place", "first_observed", "batch_id", "key_hash"
FROM "silver__arriving";

SELECT COUNT(*)
FROM "silver__arriving";

SELECT batch_id
FROM "acme_meta"."batch"
WHERE batch_id IN ('b1-address');

SELECT batch_id
FROM "acme_meta"."batch"
WHERE batch_id IN ('b1-agreement');

SELECT batch_id
FROM "acme_meta"."batch"
WHERE batch_id IN ('b1-company');

SELECT batch_id
FROM "acme_meta"."batch"
WHERE batch_id IN ('b1-entry');

SELECT batch_id
FROM "acme_meta"."batch"
WHERE batch_id IN ('b1-member');

SELECT batch_id
FROM "acme_meta"."batch"
WHERE batch_id IN ('b1-product');
