"""How the records of a source are read as events, and which of them arrive."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from headwater.batch import Batch
from headwater.silver.merge.result import Provenance


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceMapping:
    """A source of an entity, its expressions compiled to SQL over the columns of bronze."""

    source: str
    """`connector.resource`, as the entity names it."""
    columns: Mapping[str, str]
    """Entity column -> SQL. A column left out is unknown to this source; the key's columns are all there."""
    changed_at: str | None = None
    """SQL of the instant at which the record became so; without it, that is when it was read."""
    where: str | None = None
    """SQL of the condition that records must hold."""
    deleted: str | None = None
    """SQL of the condition that says the thing is gone."""
    has_deletes: bool = True
    """Whether what a complete read does not show is gone; not where `deletes: none` is written out."""
    max_drop: float | None = None
    """The guard: the largest share of known things that one complete read may find absent without being asked. None: not
    declared."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LandedBatch:
    """A landed batch on its way to silver."""

    source: str
    """Which reading it is read by."""
    batch: Batch
    files: tuple[str, ...]
    """Its Parquet files in bronze, as DuckDB reads them; none when the batch is empty."""
    refused: int = 0
    """How many of its records bronze refused and nobody readmitted. They were there all the same."""
    refused_file: str | None = None
    """Their rows as far as they could be typed, as DuckDB reads them; without it nobody knows their keys."""
    is_proved: bool | None = None
    """Whether its read is proved complete and stable; None where an older ledger did not say, and it is believed."""
    observed_at: datetime | None = None
    """When its read began, by the time agreed on with the service; None where an older ledger did not say."""

    credible_until: datetime | None = None
    """By all clocks none of its records can be from later; None where an older ledger did not say."""

    @property
    def latest_credible(self) -> datetime:
        """A stamp that is later by more than clocks differ is not believed."""
        return self.read_at if self.credible_until is None else max(self.read_at, self.credible_until)

    @property
    def read_at(self) -> datetime:
        """When its records were observed: when the read began, and never before the end of its window."""
        until = self.batch.window.until
        return until if self.observed_at is None else max(self.observed_at, until)

    @property
    def is_complete(self) -> bool:
        """Whether what is not in it is proven absent."""
        return self.batch.purpose in {"snapshot", "sweep"}

    @property
    def is_empty(self) -> bool:
        """Whether it says nothing at all: no record came, none was refused, and nothing is proven absent."""
        return not self.files and not self.refused and not self.is_complete

    @property
    def provenance(self) -> Provenance:
        """Where its events come from, as `meta.batch` keeps it."""
        feed = self.batch.feed
        return Provenance(
            batch_id=self.batch.id,
            connection=feed.connection,
            resource=feed.resource,
            source=self.source,
            read_at=self.read_at,
        )
