"""Collections of records: kept by id, encoded at most once a change."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from typing import Generic, TypeVar

import msgspec

from headwater.sandbox.connectwise.records.base import Record, Stamp

R = TypeVar("R", bound=Record)

_ENCODER = msgspec.json.Encoder()

_KEPT = 100_000
"""How many encodings of a collection are kept; a record can be encoded again in some microseconds."""


class Collection(Generic[R]):
    """The records of one kind, in order of id."""

    def __init__(self, path: str, kind: type[R], *, ids: Iterator[int] | None = None) -> None:
        self.path = path
        self.kind = kind
        self.rows: dict[int, R] = {}  # ids only grow, so the order of entry is the order of id
        self.version = 0
        self._ids = ids or itertools.count(1)
        self._encoded: dict[int, bytes] = {}

    def next_id(self) -> int:
        """An id that nothing had."""
        return next(self._ids)

    def add(self, record: R) -> R:
        """Keep a new record."""
        self.rows[record.id] = record
        self.version += 1
        return record

    def touch(self, record: R, info: Stamp) -> R:
        """Say that a record has changed: stamp it and forget its old encoding."""
        record.info = info
        self._encoded.pop(record.id, None)
        self.version += 1
        return record

    def remove(self, ident: int) -> R:
        """Drop a record; nothing remains of it."""
        self._encoded.pop(ident, None)
        self.version += 1
        return self.rows.pop(ident)

    def encoded(self, record: R) -> bytes:
        """A record as JSON."""
        known = self._encoded.get(record.id)
        if known is None:
            if len(self._encoded) >= _KEPT:
                self._encoded.clear()
            known = self._encoded[record.id] = _ENCODER.encode(record)
        return known

    def array(self, records: Iterable[R]) -> bytes:
        """Records as a JSON array."""
        return b"[" + b",".join([self.encoded(record) for record in records]) + b"]"
