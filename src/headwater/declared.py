"""What every declaration is: frozen, closed, documented under its fields, and it knows where it was written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

from pydantic import BaseModel, ConfigDict, PrivateAttr


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a declaration stands: a file and a line (0: written in Python).

    All origins are equal: where a thing is written is no part of what it means.
    """

    file: str = field(default="python", compare=False)
    line: int = field(default=0, compare=False)
    lines: Mapping[str, int] = field(default_factory=dict, compare=False, repr=False)
    """Lines of the parts below, by dotted path."""

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.line else self.file

    def location_of(self, *path: str) -> str:
        """Where a part stands, as file and line: the part itself, or the nearest thing around it."""
        for length in range(len(path), 0, -1):
            if line := self.lines.get(".".join(path[:length])):
                return f"{self.file}:{line}"
        return str(self)

    def below(self, *path: str) -> Origin:
        """The origin of a part, whose own parts have their lines in it too."""
        prefix = ".".join((*path, ""))
        lines = {name.removeprefix(prefix): line for name, line in self.lines.items() if name.startswith(prefix)}
        _, _, line = self.location_of(*path).rpartition(":")
        return Origin(self.file, int(line) if line.isdigit() else 0, lines)


class Declared(BaseModel):
    """A noun that a person declares, in YAML or in Python alike."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", use_attribute_docstrings=True, validate_default=True, populate_by_name=True
    )

    _origin: Origin = PrivateAttr(default_factory=Origin)

    @property
    def origin(self) -> Origin:
        """Where this was written."""
        return self._origin

    def with_origin(self, origin: Origin) -> Self:
        """This declaration, stamped with where it was written."""
        self._origin = origin
        return self
