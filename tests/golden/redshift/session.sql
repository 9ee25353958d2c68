SET DateStyle TO 'ISO';

SET TimeZone TO 'UTC';

SET enable_case_sensitive_identifier TO FALSE;

SET extra_float_digits TO 2;
