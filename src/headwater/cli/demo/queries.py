"""The questions that the demo asks of the tables: files of SQL beside this one, such as anybody could type."""

from __future__ import annotations

from importlib.resources import files


def question(name: str, **values: str) -> str:
    """The statement in `questions/{name}.sql`, with values filled in."""
    text = (files("headwater.cli.demo") / "questions" / f"{name}.sql").read_text(encoding="utf-8")
    return text.format(**values).rstrip()
