"""Outcomes of runs and kinds of findings get the names that reports use."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

_OUTCOMES = {"done": "succeeded", "partly": "partial", "stopped": "cancelled", "died": "crashed"}
"""Outcomes in an older ledger, with their current names."""

_KINDS = {
    "no key": "missing_key",
    "no change stamp": "missing_stamp",
    "does not fit": "type_mismatch",
    "rounded": "precision_loss",
    "not swept": "sweep_skipped",
    "begins now": "column_added",
    "ends now": "column_retired",
    "renamed": "column_renamed",
    "made anew": "history_rebuilt",
    "keys made anew": "keys_rebuilt",
    "count differs": "count_mismatch",
    "not counted": "count_unavailable",
}
"""Findings in an older ledger, with their current identifiers."""

_SENTENCES = {
    "no line of the rules %": "unmatched_value",
    "ancestors of %": "ancestor_cycle",
    "% is outside of the span of %": "date_out_of_range",
    "spans no month%": "missing_period",
}
"""Patterns of findings that were sentences, with their current identifiers. The sentence moves to the detail."""

_FINDING = sa.table("finding", *(sa.column(name, sa.Text) for name in ("table_name", "finding", "detail")))
_RUN = sa.table("run", sa.column("outcome", sa.String))


def upgrade() -> None:
    """Upgrade a ledger from the previous version."""
    for before, after in _OUTCOMES.items():
        op.execute(_RUN.update().where(_RUN.c.outcome == before).values(outcome=after))
    # Notes of a warehouse are free text. Other findings about a warehouse did not exist.
    _move_sentences(_FINDING.c.table_name == "warehouse", "warehouse_note")
    for pattern, kind in _SENTENCES.items():
        _move_sentences(_FINDING.c.finding.like(pattern), kind)
    for before, after in _KINDS.items():
        op.execute(_FINDING.update().where(_FINDING.c.finding == before).values(finding=after))
    op.drop_column("finding", "run")


def _move_sentences(condition: sa.ColumnElement[bool], kind: str) -> None:
    detail = sa.case((_FINDING.c.detail == "", _FINDING.c.finding), else_=_FINDING.c.finding + ": " + _FINDING.c.detail)
    op.execute(_FINDING.update().where(condition).values(finding=kind, detail=detail))
