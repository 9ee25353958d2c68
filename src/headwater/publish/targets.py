"""What is declared under `publish:`, held against what there is to publish."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from headwater.errors import DeclarationError
from headwater.model.project import Declarations, Project, Publication
from headwater.model.tables import list_in_build_order, table_name
from headwater.names import did_you_mean
from headwater.storage.url import parse_scheme, to_absolute


def check_publications(project: Project, declarations: Declarations, root: Path) -> None:
    """Nothing when every publication can be meant; DeclarationError otherwise."""
    names: set[str] = set()
    places: set[str] = set()
    for number, one in enumerate(project.publish):
        where = project.origin.find_location("publish", str(number))
        place = publication_url(one, root)
        if one.name in names or place in places:
            raise DeclarationError(
                "Two publications have the same name or folder.",
                where=where,
                details=f"{one.name}: {one.url}",
                hint="give each its own name and folder",
            )
        names.add(one.name)
        places.add(place)
        _check_tables(one, declarations, where)


def publication_url(declared: Publication, root: Path) -> str:
    """Where a publication is, all tenants together: a folder in full, or the address of a bucket."""
    if parse_scheme(declared.url):
        return declared.url.rstrip("/")
    return os.path.abspath(to_absolute(declared.url, root))  # noqa: PTH100 - links are followed when all tenants are compared


def tenant_url(declared: Publication, root: Path, tenant: str) -> str:
    """Where a publication is for one tenant: where `{tenant}` says, or below the place of all."""
    whole = publication_url(declared, root)
    return whole.replace("{tenant}", tenant) if "{tenant}" in whole else f"{whole}/{tenant}"


def list_tables(declared: Publication, declarations: Declarations) -> Sequence[str]:
    """The tables that a publication has, as far as they exist."""
    return declared.tables or _all_tables(declared, declarations)


def _all_tables(declared: Publication, declarations: Declarations) -> Sequence[str]:
    if declared.layer == "silver":
        return tuple(declarations.entities)
    return tuple(table_name(table) for table in list_in_build_order(declarations))


def _check_tables(declared: Publication, declarations: Declarations, where: str) -> None:
    known = [*_all_tables(declared, declarations)]
    if declared.layer == "silver":
        known += [f"{name}_{part}" for name in known for part in ("current", "log")]
    for table in declared.tables:
        if table not in known:
            raise DeclarationError(
                f"{declared.layer} has no table `{table}`.", where=where, details=table, hint=did_you_mean(table, known)
            )
