"""What older Postgres servers have other words for."""

from __future__ import annotations

from typing import Any

import psycopg

FOLDING = 170_000
"""Server versions from 17 on fold all letters alike, whatever the machine they run on (`pg_c_utf8`)."""

CHECKING = 160_000
"""Server versions from 16 on say whether a text can be read as a type (`pg_input_is_valid`)."""

CHECKS = """
CREATE OR REPLACE FUNCTION pg_temp.input_is_valid(value text, type text) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE pg_catalog.format('SELECT CAST(%L AS %s)', value, type);
  RETURN TRUE;
EXCEPTION WHEN data_exception THEN
  RETURN FALSE;
END $$
"""
"""What a session of an older server begins with, to answer the same question."""

Replacements = tuple[tuple[str, str], ...]
"""Text as `headwater.warehouse.postgres.functions` has it, and what stands for it on a server."""


def find_replacements(connection: psycopg.Connection[tuple[Any, ...]]) -> Replacements:
    """The words that this server needs in the place of newer ones; none for a recent one."""
    version = connection.info.server_version
    words = []
    if version < FOLDING:
        words.append(('"pg_c_utf8"', '"und-x-icu"' if _has_icu(connection) else '"default"'))
    if version < CHECKING:
        words.append(("PG_INPUT_IS_VALID(", "pg_temp.input_is_valid("))
    return tuple(words)


def _has_icu(connection: psycopg.Connection[tuple[Any, ...]]) -> bool:
    found = connection.execute(b"SELECT 1 FROM pg_catalog.pg_collation WHERE collname = 'und-x-icu'")
    return found.fetchone() is not None
