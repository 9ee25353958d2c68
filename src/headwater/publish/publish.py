"""Publishes the tables of a layer that have changed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Literal

from headwater.clock import format_instant
from headwater.errors import UnsupportedError
from headwater.model.project import Declarations, Publication
from headwater.publish.bucket import PublishedBucket
from headwater.publish.delta import PublishedDelta
from headwater.publish.folder import PublishedFolder
from headwater.publish.targets import list_tables, locate_tenant
from headwater.storage.url import open_store, parse_scheme
from headwater.warehouse.base import CanExport, Warehouse
from headwater.warehouse.open_end import export_without_end, has_validity

Target = PublishedFolder | PublishedBucket | PublishedDelta
"""Where a publication of a tenant is written."""


def publish(
    publication: Publication,
    tenant: str,
    warehouse: Warehouse,
    *,
    declarations: Declarations,
    root: Path,
    now: datetime,
) -> str:
    """Publish the changed tables of a publication, and return a summary. If nothing has changed, it writes nothing."""
    if not isinstance(warehouse, CanExport):
        raise UnsupportedError(
            "this warehouse does not write its tables to files",
            where=f"publish `{publication.name}`",
            details="it does not export tables",
            hint="remove `publish:`, and let readers query the warehouse",
        )
    stored = warehouse.tables(publication.layer)
    tables = [table for table in list_tables(publication, declarations) if table in stored]
    with _open_target(publication, locate_tenant(publication, root, tenant)) as target:
        written = _write_changes(publication, tenant, warehouse, target=target, tables=tables, now=now)
        return f"{written} of {len(tables)} tables written to {target.where}"


def _write_changes(
    publication: Publication, tenant: str, warehouse: CanExport, *, target: Target, tables: list[str], now: datetime
) -> int:
    """Publish a new state if a table has changed, and return the number of changed tables."""
    layer = publication.layer
    ends = {table for table in tables if publication.open_end is None and has_validity(warehouse, layer, table)}
    formats = {table: f"{publication.format}{'+null' if table in ends else ''}" for table in tables}
    digests = {table: f"{formats[table]}:{warehouse.digest(layer, table)}" for table in tables}
    before = {table: entry["digest"] for table, entry in target.read_manifest().get("tables", {}).items()}
    if before != digests:
        metadata = {"publication": publication.name, "tenant": tenant, "layer": layer, "format": publication.format}
        file_format: Literal["csv", "parquet"] = "csv" if publication.format == "csv" else "parquet"

        def fill(table: str, path: Path) -> int:
            if table in ends:
                return export_without_end(warehouse, layer, table, path, file_format)
            return warehouse.export(layer, table, str(path), file_format)

        target.publish_state(
            f"{now:%Y%m%dT%H%M%S%f}Z",
            {**metadata, "published_at": format_instant(now)},
            digests,
            fill=fill,
        )
    target.prune()
    return sum(before.get(table) != digest for table, digest in digests.items())


@contextmanager
def _open_target(publication: Publication, url: str) -> Iterator[Target]:
    if publication.format != "delta" and not parse_scheme(url):
        yield PublishedFolder(folder=Path(url), suffix=f".{publication.format}")
        return
    with closing(open_store(url)) as store:
        if publication.format == "delta":
            yield PublishedDelta(store=store)
        else:
            yield PublishedBucket(store=store, suffix=f".{publication.format}")


def withdraw(publications: Iterable[Publication], tenant: str, root: Path) -> None:
    """Delete everything that was published of a tenant."""
    for publication in publications:
        with closing(open_store(locate_tenant(publication, root, tenant))) as store:
            store.clear("")
