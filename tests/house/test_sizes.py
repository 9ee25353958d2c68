"""Small things: functions of a few lines, modules of one page or two, few parameters."""

from __future__ import annotations

import ast
import statistics
from collections import Counter
from pathlib import Path

import pytest

from tests.house.source import Module, length, modules

MODULES = [module for module in modules() if not module.generated]
ROOMS = sorted({module.room or "headwater" for module in MODULES})

FUNCTION_SOFT, FUNCTION_HARD = 25, 60
MODULE_SOFT, MODULE_HARD = 300, 450
FOLDER_HARD = 20
ONE_EACH = {"headwater/cli/commands"}
"""Folders with one module a command: their length is that of the command line."""
CLASS_HARD = 320  # an engine is one class, and says each verb of the warehouses' protocol
PARAMETERS_HARD = 7
MEDIAN = 7


def select_modules(room: str) -> list[Module]:
    return [module for module in MODULES if (module.room or "headwater") == room]


@pytest.mark.parametrize("room", ROOMS)
def test_no_function_is_longer_than_a_screen(room):
    wrong = [
        f"{module.at(node)} {node.name} has {lines} lines"
        for module in select_modules(room)
        for node in module.functions
        if (lines := length(node, module.text)) > FUNCTION_HARD
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("room", ROOMS)
def test_no_module_is_longer_than_a_few_screens(room):
    wrong = [
        f"{module.shown} has {lines} lines"
        for module in select_modules(room)
        if (lines := count_module_lines(module)) > MODULE_HARD
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("room", ROOMS)
def test_no_class_is_a_place(room):
    wrong = [
        f"{module.at(node)} {node.name} has {lines} lines"
        for module in select_modules(room)
        for node in module.classes
        if (lines := length(node, module.text)) > CLASS_HARD
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("room", ROOMS)
def test_no_function_takes_more_than_seven_parameters(room):
    wrong = [
        f"{module.at(node)} {node.name} takes {count}"
        for module in select_modules(room)
        for node in module.functions
        if (count := count_parameters(node)) > PARAMETERS_HARD
    ]
    assert not wrong, "\n".join(wrong)


def test_most_functions_are_a_few_lines():
    lengths = [length(node, module.text) for module in MODULES for node in module.functions]
    assert statistics.median(lengths) <= MEDIAN


def test_nearly_all_functions_and_modules_keep_the_soft_limits():
    """One in twenty may go over: then it is the exception that its reader is told about, and not the habit."""
    functions = [length(node, module.text) for module in MODULES for node in module.functions]
    pages = [count_module_lines(module) for module in MODULES]
    assert compute_share(functions, FUNCTION_SOFT) <= 0.05
    assert compute_share(pages, MODULE_SOFT) <= 0.05


def compute_share(values: list[int], limit: int) -> float:
    return sum(value > limit for value in values) / len(values)


def count_module_lines(module: Module) -> int:
    return len(module.text.splitlines())


def count_parameters(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    names = [argument.arg for argument in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)]
    return len([name for name in names if name not in {"self", "cls"}])


def test_no_folder_holds_more_than_twenty_modules():
    counts = Counter(Path(module.shown).parent for module in modules() if not module.shown.endswith("__init__.py"))
    wrong = [
        f"{folder} holds {count} modules"
        for folder, count in sorted(counts.items())
        if count > FOLDER_HARD and str(folder) not in ONE_EACH
    ]
    assert not wrong, "\n".join(wrong)
