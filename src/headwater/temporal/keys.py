"""Entity keys as text, and hashes of texts as numbers."""

from __future__ import annotations

from collections.abc import Sequence

from headwater.names import quote_literal


def entity_key_sql(connection: str, parts: Sequence[str]) -> str:
    """`{connection}:{key}` in SQL. NULL if any part is NULL.

    `parts` are SQL values. The parts of a composite key are joined with `|`. A backslash or bar inside of one is escaped.
    """
    texts = [f"CAST({part} AS VARCHAR)" for part in parts]
    if len(texts) > 1:
        texts = [rf"REPLACE(REPLACE({text}, '\', '\\'), '|', '\|')" for text in texts]
    return " || ".join([quote_literal(f"{connection}:"), " || '|' || ".join(texts)])


def hash60_sql(text: str) -> str:
    """60 bits of the MD5 of a text, as a bigint that is never negative. The number is the same on every engine."""
    return f"CAST('0x' || SUBSTRING(MD5({text}), 1, 15) AS BIGINT)"


def hash53_sql(text: str) -> str:
    """The lower 53 bits of `hash60_sql`. A double, and so JSON, JavaScript and data frames, stores them exactly."""
    return f"({hash60_sql(text)} % {2**53})"


def source_key_sql(entity_key: str) -> str:
    """The key in an entity key (SQL), as text. The name of a connection has no colon."""
    return f"SUBSTRING({entity_key}, STRPOS({entity_key}, ':') + 1)"


def numeric_key_sql(entity_key: str) -> str:
    """The key in an entity key (SQL), as a whole number, or NULL if it is not a number."""
    return f"TRY_CAST({source_key_sql(entity_key)} AS BIGINT)"
