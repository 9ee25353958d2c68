"""The queries of the demo: SQL files in `sql/`, which users can also run themselves."""

from __future__ import annotations

from importlib.resources import files


def read_query(name: str, **values: str) -> str:
    """Read the statement in `sql/{name}.sql` and fill in its values."""
    text = (files("headwater.cli.demo") / "sql" / f"{name}.sql").read_text(encoding="utf-8")
    return text.format(**values).rstrip()
