"""Turns off the progress bar of DuckDB, which would mix with ours. The engine and bronze have connections of their own."""

from __future__ import annotations

from typing import Any


def disable_progress_bar(connection: Any) -> None:
    """Turn off the progress bar of a DuckDB connection, if it is on.

    In a notebook without the package ipywidgets it is off, and DuckDB refuses the setting.
    """
    if connection.execute("SELECT current_setting('enable_progress_bar')").fetchone()[0]:
        connection.execute("SET enable_progress_bar = false")
