"""The base of all declarations: immutable, without extra fields, with docstrings of fields, and with their origin."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

from pydantic import BaseModel, ConfigDict, PrivateAttr


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

    model_config = ConfigDict(
        frozen=True, extra="forbid", use_attribute_docstrings=True, validate_default=True, populate_by_name=True
    )

    _origin: Origin = PrivateAttr(default_factory=Origin)

    @property
    def origin(self) -> Origin:
        """The origin of this declaration."""
        return self._origin

    def with_origin(self, origin: Origin) -> Self:
        """Set the origin, and return this declaration."""
        self._origin = origin
        return self
