"""`ledger move`: moves the ledger of a project to another database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from headwater.errors import DeclarationError, StateError
from headwater.ledger.base import MovableLedger
from headwater.model.address import check_ledger
from headwater.run.plugins import find_ledger, open_ledger
from headwater.run.secrets import resolve_ledger_url
from headwater.run.workspace import Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerMove:
    """What a move copies."""

    source: str
    """The location of the ledger."""
    rows: Mapping[str, int]
    """The number of rows of each table."""
    setting: str
    """File and line of the setting to change."""


def plan_ledger_move(workspace: Workspace, to: str) -> LedgerMove:
    """What `move_ledger` would copy. The target is not opened. DeclarationError if `to` is no URL of a ledger."""
    _resolve_target(workspace, to)
    ledger = _require_movable(workspace)
    return _build_move(workspace, ledger.where, ledger.count_rows())


def move_ledger(workspace: Workspace, to: str) -> LedgerMove:
    """Move the ledger. Runs with the old one are refused from then on."""
    url, ledger = _resolve_target(workspace, to), _require_movable(workspace)
    target = open_ledger(url, workspace.root)
    try:
        return _build_move(workspace, ledger.where, ledger.move_to(target))
    finally:
        target.close()


def _resolve_target(workspace: Workspace, to: str) -> str:
    try:
        url = resolve_ledger_url(check_ledger(to), root=workspace.root, where="--to")
    except ValueError as error:
        raise DeclarationError("This URL cannot be a ledger.", where="--to", hint=str(error)) from None
    find_ledger(url, where="--to")
    return url


def _require_movable(workspace: Workspace) -> MovableLedger:
    if not isinstance(workspace.ledger, MovableLedger):
        raise StateError("This kind of ledger cannot be moved.", where=workspace.project.ledger.url)
    return workspace.ledger


def _build_move(workspace: Workspace, source: str, rows: Mapping[str, int]) -> LedgerMove:
    setting = workspace.project.origin.find_location("ledger", "url")
    return LedgerMove(source=source, rows=rows, setting=setting)
