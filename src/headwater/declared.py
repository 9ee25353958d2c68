"""The base of all declarations: immutable, without extra fields, with docstrings of fields, and with their origin."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Self

from pydantic import BaseModel, ConfigDict, GetJsonSchemaHandler, PrivateAttr
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema


@dataclass(frozen=True, slots=True)
class Origin:
    """The origin of a declaration: a file and a line (0: written in Python).

    All origins are equal: the origin is not part of the meaning of a declaration.
    """

    file: str = field(default="python", compare=False)
    line: int = field(default=0, compare=False)
    lines: Mapping[str, int] = field(default_factory=dict, compare=False, repr=False)
    """The lines of nested parts, by dotted path."""

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.line else self.file

    def find_location(self, *path: str) -> str:
        """The file and line of a nested part, or of the nearest part around it whose line is known."""
        for length in range(len(path), 0, -1):
            if line := self.lines.get(".".join(path[:length])):
                return f"{self.file}:{line}"
        return str(self)

    def find_origin(self, *path: str) -> Origin:
        """The origin of a nested part, with the lines of the parts nested in it."""
        prefix = ".".join((*path, ""))
        lines = {name.removeprefix(prefix): line for name, line in self.lines.items() if name.startswith(prefix)}
        _, _, line = self.find_location(*path).rpartition(":")
        return Origin(self.file, int(line) if line.isdigit() else 0, lines)


class Declared(BaseModel):
    """Something that a user declares, in YAML or in Python."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True, populate_by_name=True)

    _origin: Origin = PrivateAttr(default_factory=Origin)

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler, /) -> JsonSchemaValue:
        """The JSON Schema, with the docstrings of the fields as their descriptions."""
        described = handler(schema)
        properties = handler.resolve_ref_schema(described).get("properties", {})
        for name, text in describe_fields(cls).items():
            if (key := cls.model_fields[name].alias or name) in properties:
                properties[key]["description"] = text
        return described

    @property
    def origin(self) -> Origin:
        """The origin of this declaration."""
        return self._origin

    def with_origin(self, origin: Origin) -> Self:
        """Set the origin, and return this declaration."""
        self._origin = origin
        return self


def describe_fields(kind: type[Declared]) -> dict[str, str]:
    """The docstrings of the fields of a declaration, by name, with those that it inherits.

    They are read from the source when somebody asks: pydantic would read the source of each class when it is imported,
    and most commands need no text.
    """
    texts: dict[str, str] = {}
    for part in reversed(kind.__mro__):
        if issubclass(part, Declared) and part is not Declared:
            own = inspect.get_annotations(part)
            texts = {name: text for name, text in texts.items() if name not in own} | _read_docstrings(part)
    return {name: texts[name] for name in kind.model_fields if name in texts}


def _read_docstrings(kind: type[Declared]) -> dict[str, str]:
    """The docstrings below the fields in the source of a class; nothing where there is no source."""
    try:
        source = inspect.getsource(kind)
    except (OSError, TypeError):
        return {}
    # A class inside a function is indented.
    body = ast.parse(f"if True:\n{source}" if source[0].isspace() else source).body[0]
    statements = (body.body[0] if isinstance(body, ast.If) else body).body  # type: ignore[attr-defined]
    texts: dict[str, str] = {}
    for field_node, text_node in pairwise(statements):
        match field_node, text_node:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                texts[name] = inspect.cleandoc(text)
    return texts
