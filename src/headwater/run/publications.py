"""What is declared under `publish:`, held against what there is to publish."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from headwater.errors import DeclarationError
from headwater.gold.star import order, table_name
from headwater.model.project import Declarations, Project, Publication
from headwater.names import suggest

_SCHEME = re.compile(r"[a-z][a-z0-9+.-]+:", re.IGNORECASE)


def check_publications(project: Project, declarations: Declarations, root: Path) -> None:
    """Nothing when every publication can be meant; DeclarationError otherwise."""
    names: set[str] = set()
    folders: set[Path] = set()
    for number, one in enumerate(project.publish):
        where = project.origin.of("publish", str(number))
        if _SCHEME.match(one.url):
            raise DeclarationError(
                "Publishing to an object store is not available yet.",
                where=where,
                saw=one.url,
                hint="name a folder, absolute or below the project, and let a tool such as rclone carry it on",
            )
        folder = folder_of(one, root).resolve()
        if one.name in names or folder in folders:
            raise DeclarationError(
                "Two publications share a name or a folder.",
                where=where,
                saw=f"{one.name}: {one.url}",
                hint="give each a name and a folder of its own",
            )
        names.add(one.name)
        folders.add(folder)
        _check_tables(one, declarations, where)


def folder_of(declared: Publication, root: Path) -> Path:
    """Where a publication is, all tenants together."""
    return root / declared.url


def tables_of(declared: Publication, declarations: Declarations) -> Sequence[str]:
    """The tables that a publication has, as far as they exist."""
    return declared.tables or _all_tables(declared, declarations)


def _all_tables(declared: Publication, declarations: Declarations) -> Sequence[str]:
    if declared.layer == "silver":
        return tuple(declarations.entities)
    return tuple(table_name(table) for table in order(declarations))


def _check_tables(declared: Publication, declarations: Declarations, where: str) -> None:
    known = [*_all_tables(declared, declarations)]
    if declared.layer == "silver":
        known += [f"{name}_{part}" for name in known for part in ("current", "log")]
    for table in declared.tables:
        if table not in known:
            raise DeclarationError(
                f"{declared.layer} has no table `{table}`.", where=where, saw=table, hint=suggest(table, known)
            )
