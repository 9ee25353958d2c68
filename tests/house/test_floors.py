"""A room imports only from floors below it, and no two modules import each other."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.house.floors import FACES, FLOORS, FORBIDDEN_FOLDERS, OWNS, STONES, floor_of
from tests.house.source import HOUSE, Import, Module, modules

MODULES = modules()
NAMES = {module.name: module for module in MODULES}


def list_targets(statement: Import) -> Iterator[str]:
    """The modules of ours that an import means: `from headwater.run import app` means `headwater.run.app`."""
    if statement.module.split(".")[0] != "headwater":
        return
    below = [f"{statement.module}.{name}" for name in statement.names if f"{statement.module}.{name}" in NAMES]
    yield from below
    if statement.module in NAMES and (len(below) < len(statement.names) or not statement.names):
        yield statement.module


def list_imports(module: Module) -> Iterator[tuple[Import, str]]:
    for found in module.imports:
        for target in list_targets(found):
            yield found, target


@pytest.mark.parametrize("room", sorted({module.room for module in MODULES} - {""}))
def test_every_room_stands_on_a_floor(room):
    assert floor_of(room) is not None, f"`{room}` is on no floor: {FLOORS}"


@pytest.mark.parametrize("room", sorted({module.room for module in MODULES} - {""}))
def test_a_room_imports_only_from_floors_below(room):
    wrong = [
        f"{module.shown}:{found.line} imports {target}"
        for module in MODULES
        if module.room == room
        for found, target in list_imports(module)
        if not is_allowed(module, NAMES[target].room) and FACES.get(module.shown) != target
    ]
    assert not wrong, "\n".join(wrong)


def is_allowed(module: Module, other: str) -> bool:
    """Whether `module` may import from the room `other`."""
    if other in {"", module.room}:
        return True
    own, its = floor_of(module.room), floor_of(other)
    if own is None or its is None:
        return False
    return its < own or (its == own and own in STONES)


def test_no_two_modules_import_each_other_round_a_circle():
    edges = {module.name: {target for _, target in list_imports(module)} - {module.name} for module in MODULES}
    done: set[str] = set()
    circles: list[str] = []

    def walk(name: str, path: tuple[str, ...]) -> None:
        if name in path:
            circles.append(" -> ".join((*path[path.index(name) :], name)))
            return
        if name in done:
            return
        for target in sorted(edges[name]):
            walk(target, (*path, name))
        done.add(name)

    for name in sorted(edges):
        walk(name, ())
    assert not circles, "\n".join(circles)


def test_nothing_of_ours_is_imported_inside_a_function():
    wrong = [f"{module.shown}:{found.line}" for module in MODULES for found, _ in list_imports(module) if found.inside]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("library", sorted(OWNS))
def test_a_library_is_imported_only_by_its_owner(library):
    wrong = [
        f"{module.shown}:{found.line}"
        for module in MODULES
        for found in module.imports
        if found.module.split(".")[0] == library and not is_owned(module.shown, OWNS[library])
    ]
    assert not wrong, f"only {OWNS[library] or 'nobody'} may import {library}:\n" + "\n".join(wrong)


def is_owned(shown: str, owners: tuple[str, ...]) -> bool:
    return any(shown == owner or (owner.endswith("/") and shown.startswith(owner)) for owner in owners)


def test_every_import_of_ours_names_a_module_that_exists():
    wrong = [
        f"{module.shown}:{found.line} imports {found.module}"
        for module in MODULES
        for found in module.imports
        if found.module.split(".")[0] == "headwater" and found.module not in NAMES
    ]
    assert not wrong, "\n".join(wrong)


def test_no_folder_is_an_attic():
    wrong = [path for path in HOUSE.rglob("*") if path.is_dir() and path.name in FORBIDDEN_FOLDERS]
    assert not wrong, wrong


def test_a_face_of_a_person_asks_only_run_app():
    """`cli` and its like do nothing that `run.app` cannot: above the ground, they know its verbs and its results."""
    known = {f"headwater.run.{name}" for name in ("app", "workspace", "results", "event_log", "signals")}
    wrong = [
        f"{module.shown}:{found.line} imports {target}"
        for module in MODULES
        if module.room in ("api", "cli")
        for found, target in list_imports(module)
        if (floor_of(NAMES[target].room) or 0) > 1 and NAMES[target].room != module.room and target not in known
    ]
    assert not wrong, "\n".join(wrong)
