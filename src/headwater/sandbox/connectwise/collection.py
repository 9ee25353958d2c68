"""Collections of records by id. A record is encoded at most once per change."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from typing import Generic, TypeVar

import msgspec

from headwater.sandbox.connectwise.records.base import ChangeStamp, Record

R = TypeVar("R", bound=Record)

_ENCODER = msgspec.json.Encoder()

_CACHE_SIZE = 100_000
"""How many encoded records a collection caches. Encoding a record again takes a few microseconds."""


class Collection(Generic[R]):
    """The records of one type, in order of id."""

    def __init__(self, path: str, kind: type[R], *, ids: Iterator[int] | None = None) -> None:
        self.path = path
        self.kind = kind
        self.rows: dict[int, R] = {}  # ids only increase, so insertion order is id order
        self.version = 0
        self._ids = ids or itertools.count(1)
        self._encodings: dict[int, bytes] = {}

    def issue_id(self) -> int:
        """Return an unused id."""
        return next(self._ids)

    def add(self, record: R) -> R:
        """Add a new record and return it."""
        self.rows[record.id] = record
        self.version += 1
        return record

    def touch(self, record: R, info: ChangeStamp) -> R:
        """Mark a record as changed: set its `_info` and discard its cached encoding."""
        record.info = info
        self._encodings.pop(record.id, None)
        self.version += 1
        return record

    def remove(self, ident: int) -> R:
        """Delete a record and return it."""
        self._encodings.pop(ident, None)
        self.version += 1
        return self.rows.pop(ident)

    def encode(self, record: R) -> bytes:
        """Encode a record as JSON."""
        encoding = self._encodings.get(record.id)
        if encoding is None:
            if len(self._encodings) >= _CACHE_SIZE:
                self._encodings.clear()
            encoding = self._encodings[record.id] = _ENCODER.encode(record)
        return encoding

    def encode_array(self, records: Iterable[R]) -> bytes:
        """Encode records as a JSON array."""
        return b"[" + b",".join([self.encode(record) for record in records]) + b"]"
