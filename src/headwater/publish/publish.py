"""Publishing: the tables of a layer written to a place outside, as far as there is anything new."""

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
from headwater.publish.targets import list_tables, tenant_url
from headwater.storage.url import open_store, scheme_of
from headwater.warehouse.base import CanExport, Warehouse
from headwater.warehouse.open_end import export_without_end, has_validity

Target = PublishedFolder | PublishedBucket | PublishedDelta
"""Where one publication of one tenant is written."""


def publish(
    publication: Publication,
    tenant: str,
    warehouse: Warehouse,
    *,
    declarations: Declarations,
    root: Path,
    now: datetime,
) -> str:
    """Bring a publication up to date with the warehouse; a few words of what was done. A replay writes nothing."""
    if not isinstance(warehouse, CanExport):
        raise UnsupportedError(
            "this warehouse does not write its tables to files",
            where=f"publish `{publication.name}`",
            details="it does not export tables",
            hint="remove `publish:`, and let readers query the warehouse",
        )
    stored = warehouse.tables(publication.layer)
    tables = [table for table in list_tables(publication, declarations) if table in stored]
    with _open_target(publication, tenant_url(publication, root, tenant)) as target:
        written = _write_changes(publication, tenant, warehouse, target=target, tables=tables, now=now)
        return f"{written} of {len(tables)} tables written to {target.where}"


def _write_changes(
    publication: Publication, tenant: str, warehouse: CanExport, *, target: Target, tables: list[str], now: datetime
) -> int:
    """Put a new state in place if there is one; how many of its tables are new."""
    layer = publication.layer
    ends = {table for table in tables if publication.open_end is None and has_validity(warehouse, layer, table)}
    kind = {table: f"{publication.format}{'+null' if table in ends else ''}" for table in tables}
    digests = {table: f"{kind[table]}:{warehouse.digest(layer, table)}" for table in tables}
    before = {table: entry["digest"] for table, entry in target.manifest().get("tables", {}).items()}
    if before != digests:
        about = {"publication": publication.name, "tenant": tenant, "layer": layer, "format": publication.format}
        file_format: Literal["csv", "parquet"] = "csv" if publication.format == "csv" else "parquet"

        def fill(table: str, path: Path) -> int:
            if table in ends:
                return export_without_end(warehouse, layer, table, path, file_format)
            return warehouse.export(layer, table, str(path), file_format)

        target.publish_state(
            f"{now:%Y%m%dT%H%M%S%f}Z",
            {**about, "published_at": format_instant(now)},
            digests,
            fill=fill,
        )
    target.prune()
    return sum(before.get(table) != digest for table, digest in digests.items())


@contextmanager
def _open_target(publication: Publication, url: str) -> Iterator[Target]:
    if publication.format != "delta" and not scheme_of(url):
        yield PublishedFolder(folder=Path(url), suffix=f".{publication.format}")
        return
    with closing(open_store(url)) as store:
        if publication.format == "delta":
            yield PublishedDelta(store=store)
        else:
            yield PublishedBucket(store=store, suffix=f".{publication.format}")


def withdraw(publications: Iterable[Publication], tenant: str, root: Path) -> None:
    """Remove all that was ever published of a tenant."""
    for publication in publications:
        with closing(open_store(tenant_url(publication, root, tenant))) as store:
            store.clear("")
