-- The number of invoice lines with internal or prepaid hours. It must be 0.
SELECT count(*) FROM gold.fact_invoice_line AS line
JOIN gold.dim_agreement AS agreement ON agreement.agreement_key = line.agreement_key
WHERE line.line_type = 'SERVICE' AND agreement.class IN ('internal_project', 'prepaid_hours')
