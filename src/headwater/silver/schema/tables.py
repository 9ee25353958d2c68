"""The tables of silver, and those by which it tells gold what changed."""

from __future__ import annotations

from headwater.model.entity import LOGGED, Entity
from headwater.temporal.fold import HistoryColumns
from headwater.warehouse.base import Table, TableColumn

IDENTITY = ("entity_key", "sequence", "operation", "source", "hash")
"""What tells one event from another."""

LOG_COLUMNS = ("entity_key", *LOGGED, "batch_id")
"""What the change log has beside the declared columns; none of these may be declared either."""


def _build_column(name: str, dtype: str) -> TableColumn:
    return TableColumn(name=name, dtype=dtype)


def get_history_columns(entity: Entity) -> HistoryColumns:
    """The entity's columns, as time sees them."""
    return HistoryColumns(columns=tuple(entity.columns), overwritten=entity.overwritten)


def build_declared_columns(entity: Entity) -> tuple[TableColumn, ...]:
    """The declared columns as a stored table has them. None is required: a source may not know it."""
    return tuple(_build_column(name, column.type) for name, column in entity.columns.items())


def build_log_table(entity: Entity) -> Table:
    """`silver.<entity>_log`: every observation, once."""
    return Table(
        layer="silver",
        name=f"{entity.entity}_log",
        columns=(
            _build_column("entity_key", "text"),
            _build_column("sequence", "bigint"),
            _build_column("operation", "text"),
            _build_column("source", "text"),
            *build_declared_columns(entity),
            _build_column("known_columns", "text"),
            _build_column("hash", "text"),
            _build_column("stamp", "bigint"),
            _build_column("observed", "bigint"),
            _build_column("place", "bigint"),
            _build_column("first_observed", "bigint"),
            _build_column("batch_id", "text"),
            _build_column("key_hash", "bigint"),
        ),
        key=("entity_key",),
        primary_key=IDENTITY,
    )


def build_versions_table(entity: Entity) -> Table:
    """`silver.<entity>`: its versions."""
    return Table(
        layer="silver",
        name=entity.entity,
        columns=(
            _build_column("entity_key", "text"),
            *build_declared_columns(entity),
            _build_column("valid_from", "timestamp"),
            _build_column("valid_to", "timestamp"),
            _build_column("is_current", "boolean"),
            _build_column("version_number", "integer"),
            _build_column("batch_id", "text"),
        ),
        key=("entity_key",),
        primary_key=("entity_key", "version_number"),
        has_validity=True,
    )


BATCHES = Table(
    layer="meta",
    name="batch",
    columns=(
        _build_column("batch_id", "text"),
        _build_column("connection", "text"),
        _build_column("resource", "text"),
        _build_column("source", "text"),
        _build_column("read_at", "timestamp"),
    ),
    key=("batch_id",),
    primary_key=("batch_id",),
)
"""Which batches silver has seen, and when they were read."""

CHANGE_FEED = Table(
    layer="meta",
    name="change_feed",
    columns=(
        _build_column("change_id", "bigint"),
        _build_column("entity", "text"),
        _build_column("entity_key", "text"),
    ),
    key=("change_id",),
    primary_key=("change_id", "entity", "entity_key"),
)
"""Keys whose versions changed, appended by every merge, for gold to consume."""

CONSUMER_OFFSETS = Table(
    layer="meta",
    name="consumer_offset",
    columns=(_build_column("consumer", "text"), _build_column("entity", "text"), _build_column("change_id", "bigint")),
    key=("consumer", "entity"),
    primary_key=("consumer", "entity"),
)
"""How far each table of gold has consumed an entity's changes."""

TIED_KEYS = Table(
    layer="meta",
    name="tied_keys",
    columns=(_build_column("entity", "text"), _build_column("entity_key", "text")),
    key=("entity",),
    primary_key=("entity", "entity_key"),
)
"""Keys with an update and a delete or an absence at one instant: what that update said may be in no version, only in the log."""

ENTITY_SCHEMAS = Table(
    layer="meta",
    name="entity_schema",
    columns=(_build_column("entity", "text"), _build_column("declaration", "text")),
    key=("entity",),
    primary_key=("entity",),
)
"""How each entity was declared when its tables were last made ready, to notice a change that needs a rebuild."""

CONSUMED_BATCHES = Table(
    layer="meta",
    name="consumed_batch",
    columns=(
        _build_column("entity", "text"),
        _build_column("batch_id", "text"),
        _build_column("connection", "text"),
        _build_column("resource", "text"),
        _build_column("purpose", "text"),
        _build_column("read_at", "bigint"),
        _build_column("attempt", "integer"),
        _build_column("files", "integer"),
        _build_column("verdict", "text"),
    ),
    key=("entity",),
    primary_key=("entity", "batch_id"),
)
"""Which batches each entity has taken, when they were read, and what was concluded from complete reads."""

REPEAT_WATERMARKS = Table(
    layer="meta",
    name="repeat_watermark",
    columns=(_build_column("entity", "text"), _build_column("sequence", "bigint")),
    key=("entity",),
    primary_key=("entity",),
)
"""As of when, at the latest, a repetition of each entity was left out: what is older may turn it into news."""

META = (BATCHES, CHANGE_FEED, CONSUMER_OFFSETS, TIED_KEYS, ENTITY_SCHEMAS, CONSUMED_BATCHES, REPEAT_WATERMARKS)
"""All tables of the schema `meta` that silver and gold share."""
