"""Finds conversions that no engine makes, such as of a number to an instant: they would fail, or differ by engine."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from headwater.errors import DeclarationError
from headwater.model.expression import find_casts

_NUMBERS = (
    "boolean",
    "tinyint",
    "smallint",
    "int",
    "integer",
    "bigint",
    "hugeint",
    "real",
    "float",
    "double",
    "decimal",
)
_TIMES = ("date", "timestamp", "timestamptz")


def check_casts(text: str, dtypes: Mapping[str, str], *, where: str, to: str = "") -> Iterator[DeclarationError]:
    """The errors of the casts in an expression, and of its result if it is a column of another type than `to`.

    `dtypes` are the types of the columns that the expression may use.
    """
    casts = list(find_casts(text, where=where))
    if to and text.strip() in dtypes:
        casts.append((text.strip(), to))
    for column, target in casts:
        dtype = dtypes.get(column, "")
        if {_find_group(dtype), _find_group(target)} == {_NUMBERS, _TIMES}:
            yield DeclarationError(
                f"`{column}` is {dtype}, which cannot become {target}.",
                where=where,
                details=text,
                hint="use a column of another type: dates and instants are not converted to numbers, or from them",
            )


def _find_group(dtype: str) -> tuple[str, ...]:
    name = dtype.partition("(")[0]
    return _NUMBERS if name in _NUMBERS else _TIMES if name in _TIMES else ()
