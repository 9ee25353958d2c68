"""A function is a verb phrase, and nothing has a name that the terms of the trade have replaced."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house.source import ROOT, Function, Module, modules
from tests.house.verbs import (
    FORMER_NAMES,
    PARTICIPLES,
    PREPOSITIONS,
    PROTOCOL_NAMES,
    QUESTIONS,
    VERBS,
)

FIRST_WORDS = VERBS | QUESTIONS | PREPOSITIONS


def list_written_modules() -> list[Module]:
    return [module for module in modules() if not module.generated]


def test_a_function_is_a_verb_phrase():
    wrong = [
        f"{module.at(node)} {node.name}"
        for module in list_written_modules()
        for node in module.functions
        if not is_verb_phrase(node)
    ]
    assert not wrong, "\n".join(wrong)


def is_verb_phrase(node: Function) -> bool:
    name = node.name.strip("_")
    return (
        node.name.startswith("__")
        or is_noun_by_decorator(node)
        or name in PROTOCOL_NAMES
        or name.partition("_")[0] in FIRST_WORDS
        or name.endswith(("_sql", "_condition"))
    )


def is_noun_by_decorator(node: Function) -> bool:
    """Whether it is a property, or has the name of a command of the command line."""
    decorators = [ast.unparse(decorator) for decorator in node.decorator_list]
    return any("property" in text or text.startswith(("commands.command", "commands.callback")) for text in decorators)


def test_nothing_has_a_former_name():
    wrong = [
        f"{module.at(node)} {name}"
        for module in list_written_modules()
        for node, name in list_names(module.tree)
        if name.strip("_") in FORMER_NAMES
    ]
    assert not wrong, "\n".join(wrong)


def test_no_test_has_a_former_name():
    wrong = [
        f"{path.relative_to(ROOT)}:{node.lineno} {name}"
        for path, tree in parse_tests()
        for node, name in list_names(tree)
        if name.strip("_") in FORMER_NAMES
    ]
    assert not wrong, "\n".join(wrong)


def parse_tests() -> Iterator[tuple[Path, ast.Module]]:
    for path in sorted((ROOT / "tests").rglob("*.py")):
        yield path, ast.parse(path.read_text(encoding="utf-8"))


def list_names(tree: ast.AST) -> Iterator[tuple[ast.AST, str]]:
    """The functions, classes, parameters and fields in a tree."""
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                yield node, node.name
            case ast.arg():
                yield node, node.arg
            case ast.AnnAssign(target=ast.Name(id=name)):
                yield node, name


def test_a_helper_function_of_a_test_is_no_participle():
    wrong = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"
        for path, tree in parse_tests()
        for node in ast.walk(tree)
        if isinstance(node, Function) and is_participle(node)
    ]
    assert not wrong, "\n".join(wrong)


def is_participle(node: Function) -> bool:
    decorators = [ast.unparse(decorator) for decorator in node.decorator_list]
    is_noun = any("fixture" in text or "property" in text for text in decorators)
    return not is_noun and node.name.strip("_").partition("_")[0] in PARTICIPLES


@pytest.mark.parametrize(
    "text", ["def told(event): ...", "def _opened(): ...", "def plain(value): ...", "def feeds(): ..."]
)
def test_a_participle_an_adjective_or_a_noun_is_no_verb_phrase(text):
    assert not is_verb_phrase(ast.parse(text).body[0])


@pytest.mark.parametrize("text", ["def f(asked): ...", "class Tally: ...", "class Run:\n    standing: int"])
def test_a_former_name_is_seen(text):
    assert any(name in FORMER_NAMES for _, name in list_names(ast.parse(text)))
