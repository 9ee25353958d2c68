"""Publishing: the tables of a layer written to a place outside, as far as there is anything new."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Literal

from headwater.clock import iso
from headwater.errors import Unsupported
from headwater.model.project import Publication
from headwater.run.opened import Opened
from headwater.run.publications import tables_of, tenant_url
from headwater.run.published import Published
from headwater.run.published_bucket import PublishedBucket
from headwater.run.published_delta import PublishedDelta
from headwater.stores.opening import open_store, scheme_of
from headwater.warehouse.base import Warehouse
from headwater.warehouse.open_end import export_without_end, has_end

Outside = Published | PublishedBucket | PublishedDelta
"""A place outside: one tenant's part of one publication."""


def publish(opened: Opened, tenant: str, name: str, warehouse: Warehouse) -> str:
    """Bring a publication up to date with the warehouse; a few words of what was done. A replay writes nothing."""
    declared = next(one for one in opened.project.publish if one.name == name)
    if not warehouse.capabilities.exports:
        raise Unsupported(
            "this warehouse does not write its tables to files",
            where=f"publish `{name}`",
            saw="capability exports",
            hint="take `publish:` out, and let readers ask the warehouse itself",
        )
    stored = warehouse.tables(declared.layer)
    tables = [table for table in tables_of(declared, opened.declarations) if table in stored]
    with _place(declared, tenant_url(declared, opened.root, tenant)) as place:
        fresh = _brought(opened, tenant, declared, warehouse, place=place, tables=tables)
        return f"{fresh} of {len(tables)} tables written to {place.where}"


def _brought(
    opened: Opened, tenant: str, declared: Publication, warehouse: Warehouse, *, place: Outside, tables: list[str]
) -> int:
    """Put a new state in place if there is one; how many tables it has that are new."""
    layer = declared.layer
    ends = {table for table in tables if declared.open_end is None and has_end(warehouse, layer, table)}
    kind = {table: f"{declared.format}{'+null' if table in ends else ''}" for table in tables}
    digests = {table: f"{kind[table]}:{warehouse.digest(layer, table)}" for table in tables}
    before = {table: entry["digest"] for table, entry in place.manifest().get("tables", {}).items()}
    if before != digests:
        now = opened.clock.now()
        said = {"publication": declared.name, "tenant": tenant, "layer": layer, "format": declared.format}
        file_format: Literal["csv", "parquet"] = "csv" if declared.format == "csv" else "parquet"

        def fill(table: str, path: Path) -> int:
            if table in ends:
                return export_without_end(warehouse, layer, table, path, file_format)
            return warehouse.export(layer, table, str(path), file_format)

        place.bring(
            f"{now:%Y%m%dT%H%M%S%f}Z",
            {**said, "published_at": iso(now)},
            digests,
            fill=fill,
        )
    place.tidy()
    return sum(before.get(table) != digest for table, digest in digests.items())


@contextmanager
def _place(declared: Publication, url: str) -> Iterator[Outside]:
    if declared.format != "delta" and not scheme_of(url):
        yield Published(folder=Path(url), suffix=f".{declared.format}")
        return
    with closing(open_store(url)) as store:
        if declared.format == "delta":
            yield PublishedDelta(store=store)
        else:
            yield PublishedBucket(store=store, suffix=f".{declared.format}")


def withdraw(opened: Opened, tenant: str) -> None:
    """Remove all that was ever published of a tenant."""
    for one in opened.project.publish:
        with closing(open_store(tenant_url(one, opened.root, tenant))) as store:
            store.clear("")
