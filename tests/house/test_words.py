"""One word a thing, every public thing explained, and nothing left over."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house.floors import (
    FORBIDDEN_CLASS_WORDS,
    FORBIDDEN_PREFIXES,
    FORBIDDEN_WORDS,
    FORMER_WORDS,
    KNOW_FORMER_WORDS,
)
from tests.house.source import HOUSE, ROOT, SRC, Function, Module, modules

MODULES = modules()
WRITTEN = [module for module in MODULES if not module.generated]
ROOMS = sorted({module.room or "headwater" for module in WRITTEN})

_PARTS = re.compile(r"[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])")


def select_modules(room: str) -> list[Module]:
    return [module for module in WRITTEN if (module.room or "headwater") == room]


def list_public(module: Module) -> Iterator[ast.ClassDef | Function]:
    """Public classes and functions of a module, and public methods of its public classes."""
    for node in module.tree.body:
        if isinstance(node, ast.ClassDef | Function) and not node.name.startswith("_"):
            yield node
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            yield from (item for item in node.body if isinstance(item, Function) and not item.name.startswith("_"))


@pytest.mark.parametrize("room", ROOMS)
def test_every_public_thing_is_explained(room):
    wrong = [f"{module.shown} (the module)" for module in select_modules(room) if not ast.get_docstring(module.tree)]
    wrong += [
        f"{module.at(node)} {node.name}"
        for module in select_modules(room)
        for node in list_public(module)
        if not ast.get_docstring(node)
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("room", ROOMS)
def test_everything_is_typed(room):
    wrong = [
        f"{module.at(node)} {node.name}"
        for module in select_modules(room)
        for node in module.functions
        if node.returns is None or any(list_untyped(node))
    ]
    assert not wrong, "\n".join(wrong)


def list_untyped(node: Function) -> Iterator[str]:
    arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
    for argument in arguments:
        if argument.annotation is None and argument.arg not in {"self", "cls"}:
            yield argument.arg


@pytest.mark.parametrize("room", ROOMS)
def test_names_say_what_a_thing_is(room):
    wrong = [
        f"{module.at(node)} {node.name}"
        for module in select_modules(room)
        for node in (*module.classes, *module.functions)
        if is_vague(node)
    ]
    wrong += [module.shown for module in select_modules(room) if split_words(module.path.stem) & set(FORBIDDEN_WORDS)]
    assert not wrong, "\n".join(wrong)


def is_vague(node: ast.ClassDef | Function) -> bool:
    found = split_words(node.name)
    if found & set(FORBIDDEN_WORDS):
        return True
    if isinstance(node, ast.ClassDef):
        return bool(set(_PARTS.findall(node.name)) & set(FORBIDDEN_CLASS_WORDS))
    return node.name.lstrip("_").startswith(FORBIDDEN_PREFIXES)


def split_words(name: str) -> set[str]:
    return {part.lower() for part in _PARTS.findall(name)}


def test_every_room_says_what_it_decides_and_where_its_tests_are():
    rooms = [path for path in HOUSE.iterdir() if (path / "__init__.py").is_file()]
    wrong = [
        path.name for path in rooms if not all((ROOT / tests).exists() for tests in find_folders(path) or ["nowhere"])
    ]
    assert not wrong, wrong


def find_folders(room: Path) -> list[str]:
    """The folders of tests that a room's first words name."""
    text = ast.get_docstring(ast.parse((room / "__init__.py").read_text(encoding="utf-8"))) or ""
    return re.findall(r"tests/[\w/]*\w(?:\.py)?", text)


def test_every_module_begins_the_same_way():
    wrong = [
        module.shown
        for module in MODULES
        if not any(found.module == "__future__" and found.names == ("annotations",) for found in module.imports)
    ]
    assert not wrong, wrong


ASKS_THE_TIME = {"now", "utcnow", "today", "time", "time_ns", "monotonic", "monotonic_ns", "perf_counter", "sleep"}
HOLD_THE_TIME = {"datetime", "date", "time"}


def test_only_the_clock_knows_the_time():
    """And the sandbox's own, since a simulated service has a time of its own."""
    clocks = {HOUSE / "clock.py", HOUSE / "sandbox" / "connectwise" / "clock.py"}
    wrong = [
        f"{module.at(node)}" for module in MODULES if module.path not in clocks for node in find_time_calls(module)
    ]
    assert not wrong, "\n".join(wrong)


def find_time_calls(module: Module) -> Iterator[ast.AST]:
    for node in ast.walk(module.tree):
        if (
            isinstance(node, ast.ImportFrom)
            and node.module == "time"
            and ASKS_THE_TIME & {name.name for name in node.names}
        ):
            yield node
        if isinstance(node, ast.Attribute) and node.attr in ASKS_THE_TIME and read_name(node.value) in HOLD_THE_TIME:
            yield node


def read_name(node: ast.AST) -> str:
    return node.id if isinstance(node, ast.Name) else ""


STATEMENT = re.compile(
    r"\s*(?:SELECT|INSERT INTO|DELETE FROM|UPDATE \w+ SET|CREATE (?:TABLE|VIEW|SCHEMA)|WITH \w+ AS)\b"
)
SQL_ROOMS = {"warehouse", "temporal", "silver", "gold", "bronze", "ledger", "testing"}


def test_sql_is_written_only_where_its_meaning_lives():
    """docs/decisions/0005: the flow's algebra and the plugs. Not what reads services, plans, runs or asks."""
    wrong = [
        module.at(node)
        for module in WRITTEN
        if module.room not in SQL_ROOMS
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and STATEMENT.match(node.value)
    ]
    assert not wrong, "\n".join(wrong)


ENGINES = {"duckdb", "postgres", "postgresql", "redshift", "spark", "sqlite", "dynamodb"}


def test_nobody_decides_by_the_name_of_an_engine():
    wrong = [
        module.at(node)
        for module in WRITTEN
        if module.room not in {"warehouse", "ledger"}
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Compare)
        and ENGINES & {one.value for one in ast.walk(node) if isinstance(one, ast.Constant)}
    ]
    assert not wrong, "\n".join(wrong)


VENDOR_WORDS = re.compile(
    r"connectwise|\bpsa\b|(?<![a-z])_info\b|customField|stripe|hubspot|zendesk|servicenow|\bjira\b|autotask|microsoft365"
    r"|business_central|qqcatalyst|salesforce|\bxero\b|quickbooks",
    re.IGNORECASE,
)
OF_VENDORS = ("connectors/", "blueprints/", "sandbox/", "cli/demo/")


def test_no_vendor_is_named_outside_of_what_is_its_own():
    files = {path.relative_to(HOUSE).as_posix(): path for path in HOUSE.rglob("*.*") if path.is_file()}
    wrong = [
        f"{name}:{number}: {line.strip()[:100]}"
        for name, path in sorted(files.items())
        if not name.startswith(OF_VENDORS) and "__pycache__" not in name
        for number, line in enumerate(read_text(path).splitlines(), 1)
        if VENDOR_WORDS.search(line)
    ]
    assert not wrong, "\n".join(wrong)


def list_tracked_files() -> list[Path]:
    """Every file that git keeps or would keep."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    paths = [ROOT / name for name in listed.stdout.decode().split("\0") if name]
    return [path for path in paths if path.is_file()]


# Spelled in parts, so that this file does not hold what it looks for.
LEFT_OVER = re.compile("|".join(rf"\b{word}\b" for word in ("TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK")))
MACHINE_PATHS = re.compile("(?<![\\w.])/" + "(?:work|root|home/[a-z]+|Users)/[\\w.-]|(?<![\\w.])/" + "tmp/[\\w]")
REGISTRIES = re.compile(
    "|".join(("py" + r"pi\.org", "python" + "hosted", "--index" + "-url", "arti" + "factory")), re.IGNORECASE
)


@pytest.mark.parametrize(
    ("what", "pattern"),
    [("work that is not done", LEFT_OVER), ("a path of one machine", MACHINE_PATHS), ("a registry", REGISTRIES)],
    ids=["leftovers", "paths", "registries"],
)
def test_no_file_holds_what_does_not_belong(what, pattern):
    wrong = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:100]}"
        for path in list_tracked_files()
        for number, line in enumerate(read_text(path).splitlines(), 1)
        if pattern.search(line)
    ]
    assert not wrong, f"{what}:\n" + "\n".join(wrong)


def test_nothing_is_called_as_it_was_before():
    pattern = re.compile("|".join(FORMER_WORDS))
    wrong = [
        f"{name}:{number}: {line.strip()[:100]}"
        for path in list_tracked_files()
        if not (name := str(path.relative_to(ROOT))).startswith(KNOW_FORMER_WORDS)
        for number, line in enumerate(read_text(path).splitlines(), 1)
        if pattern.search(line)
    ]
    assert not wrong, "\n".join(wrong)


def read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return ""


def test_the_sources_lie_where_the_package_is_built_from():
    assert SRC.is_dir()
    assert not (ROOT / "headwater").exists()
