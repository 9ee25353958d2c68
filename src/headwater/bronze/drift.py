"""How records differ from their contract: new, missing, retyped and repaired fields.

The search for new and missing fields covers every record of a batch with up to 5,000 records. In larger batches, it covers
the first and last 6 records of each block of about 1 MB, or all records if the policy refuses drift. A field counts as
missing if none of at least 100 records has it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

import msgspec

from headwater.bronze.jsonl import Block
from headwater.bronze.schema import BronzeSchema
from headwater.bronze.validate import RecordResult
from headwater.ledger.base import Drift
from headwater.model.field import Node

MAX_FULL_SCAN = 5_000
"""The most records of a batch of which every record is scanned."""
EDGE_RECORDS = 6
"""Records that are scanned at each end of a block, in larger batches."""
_MIN_RECORDS = 100
_MAX_SINGLE_FIELDS = 5
_MAX_DETAIL = 200


@dataclass(frozen=True, slots=True)
class _KnownFields:
    keys: frozenset[str]
    patterns: tuple[str, ...]
    children: tuple[tuple[str, _KnownFields], ...]


@dataclass(slots=True)
class DriftReport:
    """The drift in one batch so far."""

    schema: BronzeSchema
    ignored_fields: tuple[str, ...] = ()
    """Patterns of top-level keys that are not reported as new."""
    complete: bool = False
    """Whether every record is scanned."""
    record_count: int = 0
    _new: Counter[str] = field(default_factory=Counter)
    _new_types: dict[str, str] = field(default_factory=dict)
    _keys: set[str] = field(default_factory=set)
    _retyped: Counter[str] = field(default_factory=Counter)
    _rules: dict[str, str] = field(default_factory=dict)
    _repaired: Counter[str] = field(default_factory=Counter)
    _known: _KnownFields | None = None

    def restart(self) -> None:
        """Discard the scan, to scan every record instead."""
        self.record_count = 0
        self._new.clear()
        self._keys.clear()

    def scan_block(self, block: Block, *, all_records: bool) -> None:
        """Scan the records of a block: all of them, or those at its ends."""
        known = self._known or _build_known(self.schema.nodes, self.ignored_fields, self.schema.omit, "")
        self._known = known
        for text in block.split_lines() if all_records else block.take_edges(EDGE_RECORDS):
            try:
                record = msgspec.json.decode(text)
            except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
                continue
            if isinstance(record, dict):
                self.record_count += 1
                self._keys.update(record)
                self._compare(record, known, "")

    def add_result(self, result: RecordResult) -> None:
        """Count the repaired fields of a record and the reasons of its refusal."""
        self._repaired.update(result.repaired)
        for reason in result.reasons:
            if reason["field"] and reason["rule"] != "must be there":
                self._retyped[reason["field"]] += 1
                self._rules.setdefault(reason["field"], f"{reason['rule']}: {reason['value']}")

    def list_drift(self) -> tuple[Drift, ...]:
        """All differences, sorted by kind and field."""
        drift = list(self._group_new())
        drift += [Drift(field=name, kind="missing") for name in self._find_missing()]
        drift += [Drift(field=name, kind="repaired", rows=n) for name, n in self._repaired.items()]
        drift += [
            Drift(field=name, kind="retyped", detail=self._rules[name], rows=n) for name, n in self._retyped.items()
        ]
        return tuple(sorted(drift, key=lambda drift: (drift.kind, drift.field)))

    def _group_new(self) -> Iterator[Drift]:
        """New fields. Many new fields of one object (such as a whole record in a reference) are reported as one."""
        inside: dict[str, list[str]] = {}
        for name in self._new:
            inside.setdefault(name.rpartition(".")[0], []).append(name)
        for parent, names in inside.items():
            if parent and len(names) > _MAX_SINGLE_FIELDS:
                keys = ", ".join(sorted(name.rpartition(".")[2] for name in names))
                rows = max(self._new[name] for name in names)
                yield Drift(
                    field=f"{parent}.*", kind="new", detail=f"{len(names)} fields: {keys}"[:_MAX_DETAIL], rows=rows
                )
            else:
                yield from (
                    Drift(field=name, kind="new", detail=self._new_types[name], rows=self._new[name]) for name in names
                )

    def _find_missing(self) -> Iterable[str]:
        if self.record_count < _MIN_RECORDS:
            return ()
        return (node.key for node in self.schema.nodes if node.key not in self._keys)

    def _compare(self, record: dict[str, Any], known: _KnownFields, path: str) -> None:
        for key in () if record.keys() <= known.keys else record.keys() - known.keys:
            if not any(fnmatchcase(key, pattern) for pattern in known.patterns):
                self._new[path + key] += 1
                self._new_types.setdefault(path + key, _name_type(record[key]))
        for key, below in known.children:
            value = record.get(key)
            for item in value if type(value) is list else (value,):
                if type(item) is dict:
                    self._compare(item, below, f"{path}{key}.")


def _build_known(nodes: Sequence[Node], patterns: tuple[str, ...], omit: Iterable[str], path: str) -> _KnownFields:
    left_out = [dotted.removeprefix(path) for dotted in omit if dotted.startswith(path)]
    below = ((node, f"{path}{node.key}.") for node in nodes if node.nodes)
    return _KnownFields(
        keys=frozenset((*(node.key for node in nodes), *(key for key in left_out if "." not in key))),
        patterns=patterns,
        children=tuple((node.key, _build_known(node.nodes, node.unread, omit, inner)) for node, inner in below),
    )


def _name_type(value: Any) -> str:
    names = {bool: "boolean", int: "number", float: "number", str: "text", list: "list", dict: "object"}
    return names.get(type(value), "null")
