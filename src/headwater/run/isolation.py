"""Checks that no two tenants share a location: in the warehouse, in the lake, or in publications.

The check compares resolved locations, not their spelling. It follows `..` and symbolic links, and treats two names of one
file, and two names that differ only in case (as on some disks and in Spark), as the same location.
"""

from __future__ import annotations

import os
import stat
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from headwater.errors import DeclarationError, DeclarationErrors
from headwater.model.project import Project
from headwater.publish.targets import locate_tenant
from headwater.run.plugins import load_warehouse_settings
from headwater.storage.url import parse_scheme, to_absolute
from headwater.warehouse.settings import WarehouseSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantPlace:
    """A location where a setting stores data of one tenant."""

    tenant: str
    setting: str
    """The name of the setting in headwater.yaml, e.g. `warehouse.path`."""
    where: str
    """File and line of the setting."""
    shown: str
    """The location, for messages."""
    parts: tuple[str, ...]
    """The parts to compare. The location of another tenant must not be the same, inside it, or around it."""
    file: tuple[int, int] | None = None
    """The device and inode number, if it exists."""
    hint: str = ""
    """How to give two tenants different locations, if the engine provides a hint."""


@dataclass(slots=True)
class _Disk:
    """Resolves paths, and reads each part from the disk only once."""

    _resolved: dict[str, tuple[str, tuple[int, int] | None]] = field(default_factory=dict)

    def resolve(self, path: str) -> tuple[str, tuple[int, int] | None]:
        """The real path, and its device and inode number."""
        if path not in self._resolved:
            self._resolved[path] = self._resolve_uncached(path)
        return self._resolved[path]

    def _resolve_uncached(self, path: str) -> tuple[str, tuple[int, int] | None]:
        parent, name = os.path.split(path)
        if not name:
            return path, None
        is_relative = name in (".", "..")
        real_path = os.path.realpath(path) if is_relative else os.path.join(self.resolve(parent)[0], name)  # noqa: PTH118
        try:
            status = os.lstat(real_path)
            if stat.S_ISLNK(status.st_mode):
                real_path = os.path.realpath(real_path)
                status = os.lstat(real_path)
        except OSError:
            return real_path, None
        return real_path, (status.st_dev, status.st_ino)


def check_isolation(project: Project, tenants: Sequence[str], root: Path) -> None:
    """Raise DeclarationErrors with each setting that gives two tenants the same location."""
    disk, settings = _Disk(), load_warehouse_settings(project.warehouse)
    places = [place for tenant in tenants for place in _list_places(project, settings, tenant, root, disk)]
    errors: dict[str, DeclarationError] = {}
    for place_of_tenant, other in (*_find_overlaps(places), *_find_same_files(places)):
        errors.setdefault(place_of_tenant.setting, _build_error(place_of_tenant, other))
    if errors:
        raise DeclarationErrors(list(errors.values()))


def list_tenant_places(project: Project, tenant: str, root: Path) -> Iterator[TenantPlace]:
    """The locations of the lake, warehouse and publications of a tenant."""
    return _list_places(project, load_warehouse_settings(project.warehouse), tenant, root, _Disk())


def _list_places(
    project: Project, settings: WarehouseSettings, tenant: str, root: Path, disk: _Disk
) -> Iterator[TenantPlace]:
    where = project.origin.find_location
    lake = f"{to_absolute(project.lake.locate(tenant), root).rstrip('/')}/{tenant}"
    yield _create_place(disk, tenant, "lake.url", where("lake", "url"), lake)
    yield from _list_warehouse_places(settings, tenant, root, disk)
    for number, publication in enumerate(project.publish):
        setting = f"publish.{number}.url"
        yield _create_place(
            disk, tenant, setting, where("publish", str(number), "url"), locate_tenant(publication, root, tenant)
        )


def _list_warehouse_places(settings: WarehouseSettings, tenant: str, root: Path, disk: _Disk) -> Iterator[TenantPlace]:
    for place in settings.list_places(tenant, root):
        setting = f"warehouse.{place.option}" if place.option else "warehouse"
        where = settings.origin.find_location(*([place.option] if place.option else []))
        if place.is_name:
            parts = (settings.kind, *_casefold((place.location,)))
            yield TenantPlace(
                tenant=tenant, setting=setting, where=where, shown=place.location, parts=parts, hint=place.hint
            )
        else:
            yield replace(_create_place(disk, tenant, setting, where, place.location), hint=place.hint)


def _create_place(disk: _Disk, tenant: str, setting: str, where: str, url: str) -> TenantPlace:
    file = None
    if parse_scheme(url):
        parts = tuple(piece for piece in url.split("/") if piece)
    else:
        real, file = disk.resolve(os.path.abspath(url) if ".." not in url.split("/") else os.path.realpath(url))  # noqa: PTH100
        parts = ("folder", *_casefold(Path(real).parts))
    return TenantPlace(tenant=tenant, setting=setting, where=where, shown=url, parts=parts, file=file)


def _casefold(pieces: Iterable[str]) -> tuple[str, ...]:
    """Case-folded and normalized names, as on a disk that ignores case and Unicode forms."""
    return tuple(unicodedata.normalize("NFC", piece).casefold() for piece in pieces)


def _find_overlaps(places: Iterable[TenantPlace]) -> Iterator[tuple[TenantPlace, TenantPlace]]:
    """Pairs of locations that are the same, or where the first is inside the second."""
    enclosing: list[TenantPlace] = []
    for place in sorted(places, key=lambda item: item.parts):
        while enclosing and place.parts[: len(enclosing[-1].parts)] != enclosing[-1].parts:
            enclosing.pop()
        if enclosing:
            yield place, enclosing[-1]
        enclosing.append(place)


def _find_same_files(places: Iterable[TenantPlace]) -> Iterator[tuple[TenantPlace, TenantPlace]]:
    """Pairs of locations with different names that are the same file."""
    first: dict[tuple[int, int], TenantPlace] = {}
    for place in places:
        if place.file is not None:
            other = first.setdefault(place.file, place)
            if other is not place and other.parts != place.parts:
                yield place, other


def _build_error(place: TenantPlace, other: TenantPlace) -> DeclarationError:
    if place.tenant == other.tenant:
        return DeclarationError(
            "Two settings use the same location.",
            where=place.where,
            details=f"{place.setting}: {place.shown}, and {other.setting}: {other.shown}",
            hint="give each its own folder",
        )
    hint = place.hint or "give each tenant its own location"
    if not place.hint and place.shown == other.shown:
        hint = "put `{tenant}` where the tenant name belongs, e.g. `.headwater/{tenant}.duckdb`"
    return DeclarationError(
        "Two tenants use the same location, so one would overwrite the data of the other.",
        where=place.where,
        details=f"{other.tenant}: {other.shown}; {place.tenant}: {place.shown}",
        hint=f"{hint}; if a tenant no longer exists, use `headwater tenant remove`",
    )
