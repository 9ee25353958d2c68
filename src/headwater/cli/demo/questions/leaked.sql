-- Hours that are internal or prepaid and yet on an invoice: there must be none.
SELECT count(*) FROM gold.fact_invoice_line AS line
JOIN gold.dim_agreement AS agreement ON agreement.agreement_key = line.agreement_key
WHERE line.line_type = 'SERVICE' AND agreement.class IN ('internal_project', 'prepaid_hours')
