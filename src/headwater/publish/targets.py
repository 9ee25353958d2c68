"""Checks the publications of a project, and locates their targets."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from headwater.errors import DeclarationError
from headwater.model.project import Declarations, Project, Publication
from headwater.model.tables import list_in_build_order, name_table
from headwater.names import did_you_mean
from headwater.storage.url import parse_scheme, to_absolute


def check_publications(project: Project, declarations: Declarations, root: Path) -> None:
    """Raise DeclarationError if a publication is invalid."""
    names: set[str] = set()
    urls: set[str] = set()
    for number, publication in enumerate(project.publish):
        where = project.origin.find_location("publish", str(number))
        url = locate_publication(publication, root)
        if publication.name in names or url in urls:
            raise DeclarationError(
                "Two publications have the same name or folder.",
                where=where,
                details=f"{publication.name}: {publication.url}",
                hint="give each its own name and folder",
            )
        names.add(publication.name)
        urls.add(url)
        _check_tables(publication, declarations, where)


def locate_publication(publication: Publication, root: Path) -> str:
    """The location of a publication for all tenants: an absolute folder, or the URL of a bucket."""
    if parse_scheme(publication.url):
        return publication.url.rstrip("/")
    return os.path.abspath(to_absolute(publication.url, root))  # noqa: PTH100 - links are resolved when all tenants are compared


def locate_tenant(publication: Publication, root: Path, tenant: str) -> str:
    """The location of a publication for one tenant: with `{tenant}` replaced, or a folder below the common location."""
    url = locate_publication(publication, root)
    return url.replace("{tenant}", tenant) if "{tenant}" in url else f"{url}/{tenant}"


def list_tables(publication: Publication, declarations: Declarations) -> Sequence[str]:
    """The tables of a publication, whether or not they exist yet."""
    return publication.tables or _list_all_tables(publication, declarations)


def _list_all_tables(publication: Publication, declarations: Declarations) -> Sequence[str]:
    if publication.layer == "silver":
        return tuple(declarations.entities)
    return tuple(name_table(table) for table in list_in_build_order(declarations))


def _check_tables(publication: Publication, declarations: Declarations, where: str) -> None:
    known = [*_list_all_tables(publication, declarations)]
    if publication.layer == "silver":
        known += [f"{name}_{part}" for name in known for part in ("current", "log")]
    for table in publication.tables:
        if table not in known:
            raise DeclarationError(
                f"{publication.layer} has no table `{table}`.",
                where=where,
                details=table,
                hint=did_you_mean(table, known),
            )
