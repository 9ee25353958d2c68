"""Sets of batches as chance draws them."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from headwater.batch import Batch as Parcel
from tests.silver.oracle.batch import STAMP_TOLERANCE, Batch, Record, Source
from tests.silver.oracle.landing import build_parcel, to_hour_micros

NUMBERS = st.integers(1, 3)
TOGETHER = 10
"""How many sets come side by side: connections do not know of each other."""
KNOWN = {"shop.a": ("name", "size"), "shop.b": ("size", "note")}
VALUES = {
    "name": st.sampled_from([None, "", "a", "b"]),
    "size": st.sampled_from([None, 0, 1]),
    "note": st.sampled_from([None, "x", "y"]),
}
PROOF = st.sampled_from([True, True, True, None, False])
LONG_AGO = [-62135596800_000_000, -31_000_000_000_000]
"""The first of January of the year 1, and a day in 1969."""


@dataclass(frozen=True)
class Case:
    """A set of batches of one connection, and the parcels they travel as."""

    connection: str
    groups: tuple[tuple[Batch, ...], ...]
    """Reads, in order; a sweep and the by-id reads that belong to it are one group."""
    parcels: dict[str, Parcel]
    order: tuple[int, ...]
    """In which order the groups come, with repetitions."""
    sizes: tuple[int, ...]
    """How many of them come together."""

    @property
    def batches(self) -> list[Batch]:
        return [batch for group in self.groups for batch in group]

    @property
    def parts(self) -> list[list[Batch]]:
        """The batches as they come."""
        rest, parts = list(self.order), []
        for size in self.sizes:
            parts, rest = [*parts, rest[:size]], rest[size:]
        return [[batch for place in part for batch in self.groups[place]] for part in (*parts, rest) if part]

    def __str__(self) -> str:
        return "\n".join([self.connection, *map(render_row, self.batches), f"order {self.order} sizes {self.sizes}"])


@dataclass(frozen=True)
class Pack:
    """Sets of batches that come side by side, and what is declared of their sources."""

    sources: dict[str, Source]
    cases: tuple[Case, ...]
    mode: str
    """`read`: one read after the other as they were read; `together`: all at once; `any`: in any order and parts."""

    def __str__(self) -> str:
        flags = [
            f"{one.name} deletes={one.deletes}{' where' * one.has_where}{' deleted' * one.has_deleted}"
            for one in self.sources.values()
        ]
        return "\n".join(["", self.mode, *flags, *map(str, self.cases), ""])

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(str(self))

    @property
    def calls(self) -> list[list[tuple[Case, Batch]]]:
        """What comes with each call."""
        if self.mode == "any":
            rounds = itertools.zip_longest(*(case.parts for case in self.cases), fillvalue=())
            return [
                [(case, one) for case, part in zip(self.cases, parts, strict=True) for one in part] for parts in rounds
            ]
        groups = [(case, group) for case in self.cases for group in case.groups]
        if self.mode == "together":
            return [[(case, one) for case, group in groups for one in group[::-1]][::-1]]
        times = sorted({group[0].read_at for _, group in groups})
        return [[(case, one) for case, group in groups for one in group if group[0].read_at == time] for time in times]


def render_row(batch: Batch) -> str:
    """A batch, drawn; instants are hours."""
    cells = [batch.id[-10:], batch.source, f"{batch.purpose}{'?' * (batch.proved is False)}"]
    times = [render_hour(batch.until), render_hour(batch.read_at)]
    return " | ".join(
        [*cells, *times, "; ".join([*map(render_record, batch.records), *(f"#{key}" for key in batch.refused)])]
    )


def render_record(record: Record) -> str:
    """A record, drawn."""
    marks = "!" * record.deleted + "/" * (not record.fits)
    values = " ".join(f"{name}={value!r}" for name, value in record.values.items())
    return f"{record.key}@{'-' if record.stamp is None else render_hour(record.stamp)}{marks} {values}".strip()


def render_hour(instant: int) -> str:
    return f"{(instant - to_hour_micros(0)) / 3_600_000_000:g}"


@st.composite
def draw_source(draw: st.DrawFn, name: str) -> Source:
    return Source(
        name=name,
        columns=KNOWN[name],
        deletes=draw(st.sampled_from(["snapshot", "sweep", "none"])),
        has_where=draw(st.booleans()),
        has_deleted=draw(st.booleans()),
    )


@st.composite
def draw_stamp(draw: st.DrawFn, until: int, read_at: int) -> int | None:
    """Mostly before the window ends; rarely none, of the future, at its very edge, or of long ago."""
    usual = st.integers(max(1, until - 6), until).map(to_hour_micros)
    edge = st.sampled_from([to_hour_micros(read_at) + STAMP_TOLERANCE, to_hour_micros(read_at) + STAMP_TOLERANCE + 1])
    unusual = st.one_of(
        st.none(),
        st.integers(1, read_at).map(to_hour_micros),
        edge,
        st.just(to_hour_micros(500)),
        st.sampled_from(LONG_AGO),
    )
    return draw(unusual if draw(st.integers(0, 3)) == 3 else usual)


@st.composite
def draw_record(draw: st.DrawFn, connection: str, source: Source, until: int, read_at: int) -> Record:
    return Record(
        key=f"{connection}:{draw(NUMBERS)}",
        stamp=draw(draw_stamp(until, read_at)),
        values={name: draw(VALUES[name]) for name in source.columns},
        deleted=source.has_deleted and draw(st.integers(0, 4)) == 4,
        fits=not (source.has_where and draw(st.integers(0, 4)) == 4),
    )


def list_purposes(source: Source) -> list[str]:
    return ["changes", "sweep" if source.deletes == "sweep" else "snapshot"]


@st.composite
def draw_refusals(draw: st.DrawFn, connection: str) -> tuple[str | None, ...]:
    """The keys of refused records: mostly none, now and then one that cannot be made."""
    if draw(st.integers(0, 3)) < 3:
        return ()
    numbers = draw(st.lists(st.one_of(NUMBERS, NUMBERS, st.none()), min_size=1, max_size=2))
    return tuple(number and f"{connection}:{number}" for number in numbers)


@st.composite
def draw_group(
    draw: st.DrawFn, connection: str, source: Source, read_at: int, reading: int
) -> list[tuple[Batch, Parcel]]:
    """One read; a sweep at times with the by-id read that belongs to it."""
    until = draw(st.integers(max(1, read_at - 8), read_at)) if draw(st.booleans()) else read_at
    purpose = draw(st.sampled_from(list_purposes(source)))
    lines = st.lists(draw_record(connection, source, until, read_at), max_size=4)
    if purpose == "sweep":
        lines = st.lists(NUMBERS.map(lambda number: Record(f"{connection}:{number}")), max_size=3)

    def build_batch(purpose: str, late: float, records: list[Record]) -> tuple[Batch, Parcel]:
        parcel = build_parcel(connection, source.name, purpose, until, reading)
        more = {"records": tuple(records), "refused": draw(draw_refusals(connection)), "proved": draw(PROOF)}
        return Batch(
            parcel.id, source.name, to_hour_micros(until), to_hour_micros(read_at + late), purpose, **more
        ), parcel

    first = build_batch(purpose, 0, draw(lines))
    if purpose != "sweep" or draw(st.booleans()):
        return [first]
    by_id = draw(st.lists(draw_record(connection, source, until, read_at), max_size=2, unique_by=lambda one: one.key))
    return [first, build_batch("verify", 0.5, by_id)]


@st.composite
def draw_case(draw: st.DrawFn, connection: str, sources: dict[str, Source]) -> Case:
    times = sorted(draw(st.sets(st.integers(5, 24), min_size=1, max_size=7)))
    read = [
        draw(draw_group(connection, sources[draw(st.sampled_from(sorted(sources)))], read_at, reading))
        for reading, read_at in enumerate(times, start=1)
    ]
    order = draw(st.permutations([*range(len(read)), *draw(st.lists(st.integers(0, len(read) - 1), max_size=2))]))
    sizes = draw(st.lists(st.integers(1, 3), max_size=4))
    groups = tuple(tuple(batch for batch, _ in group) for group in read)
    parcels = {batch.id: parcel for group in read for batch, parcel in group}
    return Case(connection, groups, parcels, tuple(order), tuple(sizes))


@st.composite
def draw_pack(draw: st.DrawFn) -> Pack:
    sources = {name: draw(draw_source(name)) for name in KNOWN}
    cases = tuple(draw(draw_case(f"p{number}", sources)) for number in range(TOGETHER))
    return Pack(sources, cases, draw(st.sampled_from(["read", "together", "any"])))
