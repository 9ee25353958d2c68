"""The ledger: SQLite, at URLs such as `memo:.headwater/ledger.memo`."""

from __future__ import annotations

from pathlib import Path

from headwater.ledger.sql.ledger import SqlLedger


class MemoLedger(SqlLedger):
    """A ledger in a memo file."""

    def __init__(self, url: str, *, root: Path) -> None:
        super().__init__(f"sqlite:///{_path(url)}", root=root)

    @staticmethod
    def exists(url: str, *, root: Path) -> bool:
        """Whether the file is there."""
        return (root / _path(url)).is_file()


def _path(url: str) -> str:
    return url.removeprefix("memo:")
