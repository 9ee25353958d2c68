"""How records differ from their contract: new, missing, retyped and repaired fields.

New and missing fields are looked for in every record of a batch of up to 5,000, and in the first and last 6 records
of each block of about 1 MB above that (in all of them where drift is to be refused). A field counts as missing when none
of at least 100 records has it.
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

FULL = 5_000
"""Records of a batch of which every one is looked at."""
EDGE = 6
"""Records looked at on either side of a block, in larger batches."""
_ENOUGH = 100
_MANY = 5
_WORDS = 200


@dataclass(frozen=True, slots=True)
class _Known:
    keys: frozenset[str]
    patterns: tuple[str, ...]
    below: tuple[tuple[str, _Known], ...]


@dataclass(slots=True)
class DriftReport:
    """What was seen so far in one batch."""

    shape: BronzeSchema
    ignored_fields: tuple[str, ...] = ()
    """Keys of the record itself, as patterns, that nobody wants."""
    complete: bool = False
    """Whether every record is looked at."""
    looked: int = 0
    _new: Counter[str] = field(default_factory=Counter)
    _saw: dict[str, str] = field(default_factory=dict)
    _keys: set[str] = field(default_factory=set)
    _retyped: Counter[str] = field(default_factory=Counter)
    _rules: dict[str, str] = field(default_factory=dict)
    _repaired: Counter[str] = field(default_factory=Counter)
    _known: _Known | None = None

    def restart(self) -> None:
        """Forget what was looked at, to look at every record instead."""
        self.looked = 0
        self._new.clear()
        self._keys.clear()

    def scan_block(self, block: Block, *, whole: bool) -> None:
        """Look at the records of a block: all of them, or those at its edges."""
        known = self._known or _build_known(self.shape.nodes, self.ignored_fields, self.shape.omit, "")
        self._known = known
        for text in block.lines() if whole else block.edges(EDGE):
            try:
                record = msgspec.json.decode(text)
            except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
                continue
            if isinstance(record, dict):
                self.looked += 1
                self._keys.update(record)
                self._compare(record, known, "")

    def add_result(self, verdict: RecordResult) -> None:
        """Count what was repaired or refused in one record."""
        self._repaired.update(verdict.repaired)
        for reason in verdict.reasons:
            if reason["field"] and reason["rule"] != "must be there":
                self._retyped[reason["field"]] += 1
                self._rules.setdefault(reason["field"], f"{reason['rule']}: {reason['value']}")

    def drift(self) -> tuple[Drift, ...]:
        """All that differed, sorted by kind and field."""
        found = list(self._group_new())
        found += [Drift(field=name, kind="missing") for name in self._find_missing()]
        found += [Drift(field=name, kind="repaired", rows=n) for name, n in self._repaired.items()]
        found += [
            Drift(field=name, kind="retyped", detail=self._rules[name], rows=n) for name, n in self._retyped.items()
        ]
        return tuple(sorted(found, key=lambda drift: (drift.kind, drift.field)))

    def _group_new(self) -> Iterator[Drift]:
        """New fields; those of one object that carries many of them (a whole record in a reference) in one line."""
        inside: dict[str, list[str]] = {}
        for name in self._new:
            inside.setdefault(name.rpartition(".")[0], []).append(name)
        for parent, names in inside.items():
            if parent and len(names) > _MANY:
                keys = ", ".join(sorted(name.rpartition(".")[2] for name in names))
                rows = max(self._new[name] for name in names)
                yield Drift(field=f"{parent}.*", kind="new", detail=f"{len(names)} fields: {keys}"[:_WORDS], rows=rows)
            else:
                yield from (Drift(field=one, kind="new", detail=self._saw[one], rows=self._new[one]) for one in names)

    def _find_missing(self) -> Iterable[str]:
        if self.looked < _ENOUGH:
            return ()
        return (node.key for node in self.shape.nodes if node.key not in self._keys)

    def _compare(self, record: dict[str, Any], known: _Known, path: str) -> None:
        for key in () if record.keys() <= known.keys else record.keys() - known.keys:
            if not any(fnmatchcase(key, pattern) for pattern in known.patterns):
                self._new[path + key] += 1
                self._saw.setdefault(path + key, _kind(record[key]))
        for key, below in known.below:
            value = record.get(key)
            for one in value if type(value) is list else (value,):
                if type(one) is dict:
                    self._compare(one, below, f"{path}{key}.")


def _build_known(nodes: Sequence[Node], patterns: tuple[str, ...], omit: Iterable[str], path: str) -> _Known:
    left_out = [dotted.removeprefix(path) for dotted in omit if dotted.startswith(path)]
    below = ((node, f"{path}{node.key}.") for node in nodes if node.nodes)
    return _Known(
        keys=frozenset((*(node.key for node in nodes), *(key for key in left_out if "." not in key))),
        patterns=patterns,
        below=tuple((node.key, _build_known(node.nodes, node.unread, omit, inner)) for node, inner in below),
    )


def _kind(value: Any) -> str:
    names = {bool: "boolean", int: "number", float: "number", str: "text", list: "list", dict: "object"}
    return names.get(type(value), "null")
