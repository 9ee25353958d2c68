"""Remembers in the ledger which publications are written as they are declared, so that a new or failed one is written."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping

from headwater.ledger.base import Ledger
from headwater.model.project import Publication
from headwater.plan.step import BuildDimension, Conform, LoadFact, Step


def find_unpublished(ledger: Ledger, tenant: str, publications: Iterable[Publication]) -> frozenset[str]:
    """The publications that were never written as they are declared now, or whose last write did not succeed."""
    return frozenset(
        publication.name
        for publication in publications
        if ledger.get_mark(tenant, _name_mark(publication.name)) != _build_fingerprint(publication)
    )


def mark_unpublished(ledger: Ledger, tenant: str, name: str) -> None:
    """Record that a publication may be outdated, before its tables change."""
    ledger.set_mark(tenant, _name_mark(name), "")


def mark_readers_unpublished(ledger: Ledger, publications: Iterable[Publication], step: Step) -> Mapping[str, str]:
    """Record that the publications of the layer that a step writes may be outdated.

    Return the earlier marks that are right again if the step writes no rows. A merge may also change only the change log.
    """
    if not isinstance(step, Conform | BuildDimension | LoadFact):
        return {}
    layer = "silver" if isinstance(step, Conform) else "gold"
    names = [publication.name for publication in publications if publication.layer == layer]
    marks = {name: mark for name in names if (mark := ledger.get_mark(step.tenant, _name_mark(name)))}
    for name in marks:
        mark_unpublished(ledger, step.tenant, name)
    return {} if isinstance(step, Conform) else marks


def restore_marks(ledger: Ledger, tenant: str, marks: Mapping[str, str]) -> None:
    """Restore the marks of publications whose tables have not changed."""
    for name, mark in marks.items():
        ledger.set_mark(tenant, _name_mark(name), mark)


def mark_published(ledger: Ledger, tenant: str, publication: Publication) -> None:
    """Record that a publication is written as it is declared."""
    ledger.set_mark(tenant, _name_mark(publication.name), _build_fingerprint(publication))


def _name_mark(name: str) -> str:
    return f"publication {name}"


def _build_fingerprint(publication: Publication) -> str:
    return hashlib.blake2b(publication.model_dump_json().encode(), digest_size=16).hexdigest()
