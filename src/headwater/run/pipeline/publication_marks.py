"""Remembers in the ledger which publications are written as they are declared, so that a new or failed one is written."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from headwater.ledger.base import Ledger
from headwater.model.project import Publication


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


def mark_published(ledger: Ledger, tenant: str, publication: Publication) -> None:
    """Record that a publication is written as it is declared."""
    ledger.set_mark(tenant, _name_mark(publication.name), _build_fingerprint(publication))


def _name_mark(name: str) -> str:
    return f"publication {name}"


def _build_fingerprint(publication: Publication) -> str:
    return hashlib.blake2b(publication.model_dump_json().encode(), digest_size=16).hexdigest()
