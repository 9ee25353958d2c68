"""The sources of the house, read once: modules, what they import, and their functions and classes."""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).parents[2]
SRC = ROOT / "src"
HOUSE = SRC / "headwater"

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Module:
    """One file of ours."""

    path: Path

    @cached_property
    def name(self) -> str:
        parts = list(self.path.relative_to(SRC).with_suffix("").parts)
        return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)

    @cached_property
    def room(self) -> str:
        """The first word below `headwater`: a folder or a single file; empty for the package itself."""
        return self.name.partition(".")[2].partition(".")[0]

    @property
    def shown(self) -> str:
        return self.path.relative_to(SRC).as_posix()

    @property
    def generated(self) -> bool:
        return self.path.name == "schemas.py"

    @cached_property
    def text(self) -> str:
        return self.path.read_text(encoding="utf-8")

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text, filename=self.shown)

    @cached_property
    def imports(self) -> tuple[Import, ...]:
        return tuple(_imports(self.tree))

    @property
    def functions(self) -> Iterator[Function]:
        return (node for node in ast.walk(self.tree) if isinstance(node, Function))

    @property
    def classes(self) -> Iterator[ast.ClassDef]:
        return (node for node in ast.walk(self.tree) if isinstance(node, ast.ClassDef))

    def at(self, node: ast.AST) -> str:
        return f"{self.shown}:{getattr(node, 'lineno', 1)}"


@dataclass(frozen=True)
class Import:
    """A module that is imported: its full name, the names taken from it, and whether that happens inside a function."""

    module: str
    names: tuple[str, ...]
    line: int
    inside: bool


def modules() -> list[Module]:
    """Every module of the package."""
    return [Module(path) for path in sorted(HOUSE.rglob("*.py"))]


def project() -> dict[str, object]:
    """pyproject.toml."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def _imports(tree: ast.Module) -> Iterator[Import]:
    def visit(node: ast.AST, *, inside: bool) -> Iterator[Import]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.Import):
                yield from (Import(alias.name, (), child.lineno, inside) for alias in child.names)
            elif isinstance(child, ast.ImportFrom):
                names = tuple(alias.name for alias in child.names)
                yield Import(child.module or "", names, child.lineno, inside)
            yield from visit(child, inside=inside or isinstance(child, Function))

    yield from visit(tree, inside=False)


def length(node: ast.AST, text: str) -> int:
    """Lines of a function or class without its docstring and without blank lines."""
    lines = range(node.lineno, (node.end_lineno or node.lineno) + 1)  # type: ignore[attr-defined]
    taken = set(_docstring_lines(node))
    rows = text.splitlines()
    return sum(1 for line in lines if line not in taken and rows[line - 1].strip())


def _docstring_lines(node: ast.AST) -> range:
    body = getattr(node, "body", [])
    first = body[0] if body else None
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str):
        return range(first.lineno, (first.end_lineno or first.lineno) + 1)
    return range(0)
