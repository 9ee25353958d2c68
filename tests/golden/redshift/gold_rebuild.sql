CREATE TEMPORARY TABLE "gold_referred_0" AS SELECT "company_key" AS member
FROM "acme_gold"."dim_company"
WHERE is_inferred
UNION SELECT "company_key" AS member
FROM "acme_gold"."dim_company"
WHERE is_inferred;

SELECT *
FROM "acme_gold"."dim_company";

SELECT *
FROM "acme_gold"."dim_date";

SELECT *
FROM "acme_gold"."dim_member";

SELECT *
FROM "acme_gold"."dim_option";

SELECT *
FROM "acme_gold"."dim_worker";

SELECT *
FROM "acme_gold"."fact_agreement_period";

SELECT *
FROM "acme_gold"."fact_entry";

SELECT *
FROM "acme_gold"."fact_line";
