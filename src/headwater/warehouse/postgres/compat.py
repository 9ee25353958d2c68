"""Replacements for functions that older Postgres servers lack."""

from __future__ import annotations

from typing import Any

import psycopg

FOLDING = 170_000
"""From this version (17) on, case folding of all letters is independent of the machine (`pg_c_utf8`)."""

CHECKING = 160_000
"""From this version (16) on, the server can check whether a text is valid for a type (`pg_input_is_valid`)."""

CHECKS = """
CREATE OR REPLACE FUNCTION pg_temp.input_is_valid(value text, type text) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE pg_catalog.format('SELECT CAST(%L AS %s)', value, type);
  RETURN TRUE;
EXCEPTION WHEN data_exception THEN
  RETURN FALSE;
END $$
"""
"""The statement that defines the same check in a session of an older server."""

Replacements = tuple[tuple[str, str], ...]
"""Pairs of SQL text in `headwater.warehouse.postgres.functions` and its replacement for a server."""


def find_replacements(connection: psycopg.Connection[tuple[Any, ...]]) -> Replacements:
    """Return the replacements that this server needs; none for a recent one."""
    version = connection.info.server_version
    replacements = []
    if version < FOLDING:
        replacements.append(('"pg_c_utf8"', '"und-x-icu"' if _has_icu(connection) else '"default"'))
    if version < CHECKING:
        replacements.append(("PG_INPUT_IS_VALID(", "pg_temp.input_is_valid("))
    return tuple(replacements)


def _has_icu(connection: psycopg.Connection[tuple[Any, ...]]) -> bool:
    rows = connection.execute(b"SELECT 1 FROM pg_catalog.pg_collation WHERE collname = 'und-x-icu'")
    return rows.fetchone() is not None
