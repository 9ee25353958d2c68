"""Publishing: the tables of a layer written to a place outside, as far as there is anything new."""

from __future__ import annotations

import shutil

from headwater.clock import iso
from headwater.errors import Unsupported
from headwater.run.opened import Opened
from headwater.run.publications import folder_of, tables_of
from headwater.run.published import Published
from headwater.warehouse.base import Warehouse


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
    layer, stored = declared.layer, warehouse.tables(declared.layer)
    tables = [table for table in tables_of(declared, opened.declarations) if table in stored]
    place = Published(folder=folder_of(declared, opened.root) / tenant, suffix=f".{declared.format}")
    digests = {table: f"{declared.format}:{warehouse.digest(layer, table)}" for table in tables}
    before = {table: entry["digest"] for table, entry in place.manifest().get("tables", {}).items()}
    if before != digests:
        now = opened.clock.now()
        said = {"publication": name, "tenant": tenant, "layer": layer, "format": declared.format}
        place.bring(
            f"{now:%Y%m%dT%H%M%S%f}Z",
            {**said, "published_at": iso(now)},
            digests,
            fill=lambda table, path: warehouse.export(layer, table, str(path), declared.format),
        )
    place.tidy()
    fresh = sum(before.get(table) != digest for table, digest in digests.items())
    return f"{fresh} of {len(tables)} tables written to {place.folder}"


def withdraw(opened: Opened, tenant: str) -> None:
    """Remove all that was ever published of a tenant."""
    for one in opened.project.publish:
        shutil.rmtree(folder_of(one, opened.root) / tenant, ignore_errors=True)
