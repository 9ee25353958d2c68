"""The fields of a module of contracts as data, so that a command that reads no record need not build its classes.

Only a module whose content alone decides its fields is read this way: it imports nothing but the value types, contains only
classes and constants, and calls nothing but `Field`. `headwater generate models` writes such modules.
"""

from __future__ import annotations

import ast
import hashlib
import json
import sys
import threading
from types import ModuleType

from headwater.model.field import Node
from headwater.model.memo import Memo

ContractNodes = dict[str, tuple[Node, ...]]
"""The keys of the records of each contract, by the name of the contract."""

NODES: Memo[ContractNodes] = Memo()
"""The nodes of contracts, by the hash of what decides them."""

_LOCK = threading.Lock()
"""No thread meets a module that another one has executed in part."""

_IMPORTS = {"__future__", "datetime", "decimal", "headwater.model.field_types", "pydantic", "typing", "uuid"}
_CALLS = {"Field"}
_IN_MODULE = (ast.Expr, ast.Import, ast.ImportFrom, ast.ClassDef, ast.Assign, ast.AnnAssign)
_IN_CLASS = (ast.Expr, ast.Assign, ast.AnnAssign, ast.Pass)


def build_key(*parts: object) -> str:
    """The key in `NODES` for what decides the nodes."""
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def load_module(body: bytes) -> ModuleType | None:
    """The module with the content `body`, to validate records with; None if more than the content decides its fields."""
    name = f"headwater_contracts_{hashlib.sha256(body).hexdigest()}"
    with _LOCK:
        if (loaded := sys.modules.get(name)) is not None:
            return loaded
        module, tree = ModuleType(name), ast.parse(body)
        return _execute(tree, module) if is_closed(tree) else None


def _execute(tree: ast.Module, module: ModuleType) -> ModuleType:
    """Execute a module, and return it. It stays in `sys.modules`, where pydantic looks up annotations."""
    sys.modules[module.__name__] = module
    try:
        exec(compile(tree, module.__name__, "exec"), module.__dict__)
    except BaseException:
        del sys.modules[module.__name__]
        raise
    return module


def is_closed(tree: ast.Module) -> bool:
    """Whether the content of a module alone decides its fields."""
    return all(isinstance(statement, _IN_MODULE) for statement in tree.body) and all(map(_is_closed, ast.walk(tree)))


def _is_closed(node: ast.AST) -> bool:
    match node:
        case ast.ClassDef():
            plain = not (node.decorator_list or node.keywords)
            return plain and all(isinstance(statement, _IN_CLASS) for statement in node.body)
        case ast.Import():
            return all(alias.name in _IMPORTS for alias in node.names)
        case ast.ImportFrom():
            return node.level == 0 and node.module in _IMPORTS
        case ast.Call():
            return isinstance(node.func, ast.Name) and node.func.id in _CALLS
    return not isinstance(node, ast.Lambda | ast.FunctionDef | ast.AsyncFunctionDef | ast.NamedExpr)
