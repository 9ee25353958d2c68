"""No code outside of an engine's folder names the engine: engines are found by entry point, and asked for capabilities."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pytest

from tests.house.source import Module, modules, project

MODULES = modules()
KINDS = sorted(project()["project"]["entry-points"]["headwater.warehouses"])  # type: ignore[index]

NAMES = {
    "headwater/dtypes.py": "duckdb",  # sqlglot's name of portable SQL
    "headwater/model/project.py": "duckdb",  # the engine of a project that names none
    "headwater/run/manage/init.py": "duckdb",  # the file of a new project names the default, for people to edit
    # A key in the manifest of a publication, and a column of a table of meta: files, and no engine.
    "headwater/publish/folder.py": "files",
    "headwater/publish/bucket.py": "files",
    "headwater/silver/schema/tables.py": "files",
    "headwater/ledger/sql/postgres.py": "postgres",  # the extra with the driver, which a ledger needs, too
}
"""Modules that may name a kind of engine in a text."""

IMPORTS = {
    # DuckDB in memory is the tool by which Headwater computes outside of the warehouse, whatever the warehouse is.
    "headwater/warehouse/export.py": "duckdb",
    "headwater/warehouse/lake_reader.py": "duckdb",
    "headwater/warehouse/open_end.py": "duckdb",
    "headwater/warehouse/shadow_schema.py": "duckdb",
    "headwater/warehouse/stage_rows.py": "duckdb",
    "headwater/silver/merge/replay.py": "duckdb",
    "headwater/run/inspect/raw_records.py": "duckdb",
    "headwater/testing/conformance/tenants.py": "duckdb",
    "headwater/warehouse/files/": "duckdb",
    "headwater/warehouse/spark/": "duckdb",
    # Redshift speaks Postgres's protocol and has its system tables.
    "headwater/warehouse/redshift/": "postgres",
}
"""Modules, or folders with a slash at the end, that may import from an engine's folder."""


def is_inside(module: Module, kind: str) -> bool:
    return module.shown.startswith(f"headwater/warehouse/{kind}/")


def list_texts(module: Module) -> Iterator[tuple[int, str]]:
    """The texts in a module, without docstrings."""
    silent = {id(node.value) for node in ast.walk(module.tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in silent:
            yield node.lineno, node.value


def has_name(text: str, kind: str) -> bool:
    """Whether a text names a kind: it is its name, or has it as a word. `files` is a word of English, too."""
    return text == kind or (kind != "files" and bool(re.search(rf"(?<![\w./]){kind}(?![\w/])", text)))


@pytest.mark.parametrize("kind", KINDS)
def test_no_engine_is_named_outside_of_its_folder(kind):
    wrong = [
        f"{module.shown}:{line}: {text[:60]!r}"
        for module in MODULES
        if not is_inside(module, kind) and NAMES.get(module.shown) != kind
        for line, text in list_texts(module)
        if has_name(text, kind)
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("kind", KINDS)
def test_no_engine_is_imported_outside_of_its_folder(kind):
    allowed = tuple(place for place, other in IMPORTS.items() if other == kind)
    wrong = [
        f"{module.shown}:{found.line} imports {found.module}"
        for module in MODULES
        if not is_inside(module, kind) and not any(module.shown.startswith(place) for place in allowed)
        for found in module.imports
        if f"{found.module}.".startswith(f"headwater.warehouse.{kind}.")
        or (found.module == "headwater.warehouse" and kind in found.names)
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(("place", "kind"), [*NAMES.items(), *IMPORTS.items()])
def test_an_exception_is_needed(place, kind):
    chosen = [module for module in MODULES if module.shown.startswith(place)]
    used = [module for module in chosen if any(has_name(text, kind) for _, text in list_texts(module))]
    used += [module for module in chosen if any(f"warehouse.{kind}." in found.module for found in module.imports)]
    assert used, f"{place} no longer names {kind}"


@pytest.mark.parametrize("kind", KINDS)
def test_the_settings_of_an_engine_import_no_driver(kind):
    """What an entry point names is loaded with every project, so that it must work where no driver is installed."""
    module = next(module for module in MODULES if module.shown == f"headwater/warehouse/{kind}/settings.py")
    roots = {found.module.split(".")[0] for found in module.imports}
    assert roots <= {"__future__", "collections", "headwater", "pathlib", "pydantic", "re", "typing", "urllib"}
    inside = {found.module for found in module.imports if found.module.startswith("headwater.warehouse.")}
    assert inside <= {"headwater.warehouse.base", "headwater.warehouse.settings"}
