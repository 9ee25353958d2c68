"""Keeps the parsed declarations, expressions and contracts of a project in a file, for the next command.

A document or contract is found by the hash of the content of its file, an expression by its text. Every other check of
declarations runs in each command. The file only saves time: a missing, damaged, foreign or unwritable one is ignored. It is
data, never code, and holds neither headwater.yaml nor manifests of the project.
"""

from __future__ import annotations

import hashlib
import importlib.util
import sys
from contextlib import suppress
from functools import cache
from pathlib import Path

import msgspec
import pydantic

from headwater.errors import StoreError
from headwater.model import contract_module, expression, yaml_document
from headwater.model.contract_module import ContractNodes
from headwater.model.expression_template import ExpressionTemplate
from headwater.storage.local import FolderStore
from headwater.version import __version__

FOLDER = ".headwater/cache"
"""The folder in a project."""

_FILE = "declarations.json"
_PARSERS = (
    "dtypes.py",
    "model/contract_module.py",
    "model/expression_template.py",
    "model/expression_tree.py",
    "model/field.py",
    "model/field_types.py",
    "model/yaml_document.py",
)
"""The modules that decide what an entry contains."""


class _Entries(msgspec.Struct, frozen=True):
    """What the file contains after its first line."""

    documents: dict[str, msgspec.Raw]
    templates: dict[str, ExpressionTemplate]
    nodes: dict[str, ContractNodes]


def load_cache(root: Path) -> None:
    """Load the entries of the file, if this version of Headwater wrote it and it is complete."""
    with suppress(OSError, msgspec.MsgspecError):
        head, _, payload = (root / FOLDER / _FILE).read_bytes().partition(b"\n")
        if head == _build_head(payload):
            _add(msgspec.json.decode(payload, type=_Entries))


def save_cache(root: Path) -> None:
    """Write what was used, if the file lacks some of it. Call it after all checks succeeded.

    In a project that has no `.headwater` yet, nothing is written: a command that only looks leaves no trace.
    """
    if not (root / FOLDER).parent.is_dir():
        return
    documents, templates, nodes = yaml_document.DOCUMENTS, expression.TEMPLATES, contract_module.NODES
    if not (documents.has_news() or templates.has_news() or nodes.has_news()):
        return
    entries = _Entries(documents.copy_used(), templates.copy_used(), nodes.copy_used())
    payload = msgspec.json.encode(entries)
    # A folder that cannot be written to is no reason to fail.
    with suppress(OSError, StoreError):
        FolderStore(root / FOLDER).write(_FILE, _build_head(payload) + b"\n" + payload, durable=False)
    _add(entries)


def _add(entries: _Entries) -> None:
    yaml_document.DOCUMENTS.add(entries.documents)
    expression.TEMPLATES.add(entries.templates)
    contract_module.NODES.add(entries.nodes)


def _build_head(payload: bytes) -> bytes:
    """The first line of the file: the versions that decide what it contains, and the hash of the rest."""
    return f"{_hash_versions()} {hashlib.sha256(payload).hexdigest()}".encode()


@cache
def _hash_versions() -> str:
    """The hash of all versions that decide what an entry contains. OSError if they cannot be determined."""
    digest = hashlib.sha256("\n".join((__version__, sys.version, yaml_document.PARSER, pydantic.VERSION)).encode())
    spec = importlib.util.find_spec("sqlglot")  # finds it without importing it
    package = Path(__file__).parents[1]
    paths = [Path(spec.origin).with_name("_version.py")] if spec and spec.origin else []
    for path in (*paths, *(package / name for name in _PARSERS)):
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()
