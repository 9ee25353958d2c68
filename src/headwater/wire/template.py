"""Placeholders: `{name}` is replaced with a value. There are no formats, attributes or expressions."""

from __future__ import annotations

import re
from collections.abc import Mapping

from headwater.errors import DeclarationError
from headwater.names import did_you_mean

# A brace before a letter starts a placeholder. Any other brace is text, so that JSON filters need no escapes.
_PLACEHOLDER = re.compile(r"\{([A-Za-z_][^{}]*)\}")


def find_placeholders(text: str) -> tuple[str, ...]:
    """The names of the placeholders in `text`, in order."""
    return tuple(match[1] for match in _PLACEHOLDER.finditer(text))


def fill(text: str, values: Mapping[str, str], *, where: str) -> str:
    """Replace every placeholder in `text`. A DeclarationError names an unknown placeholder, never a value."""

    def replace_match(match: re.Match[str]) -> str:
        name = match[1]
        if name not in values:
            raise DeclarationError(
                f"the placeholder `{{{name}}}` is unknown", where=where, details=text, hint=did_you_mean(name, values)
            )
        return values[name]

    return _PLACEHOLDER.sub(replace_match, text)


def fill_known(text: str, values: Mapping[str, str]) -> str:
    """Replace the placeholders in `text` that have a value. The others stay."""
    return _PLACEHOLDER.sub(lambda match: values.get(match[1], match[0]), text)


def fill_all(texts: Mapping[str, str], values: Mapping[str, str], *, where: str) -> dict[str, str]:
    """Replace the placeholders in all `texts`."""
    return {name: fill(text, values, where=where) for name, text in texts.items()}


def fill_headers(texts: Mapping[str, str], values: Mapping[str, str], *, where: str) -> dict[str, str]:
    """Replace the placeholders in headers. Invalid values are refused here by name, because an HTTP library would print them."""
    filled = fill_all(texts, values, where=where)
    for header, value in filled.items():
        if not (value.isascii() and value.isprintable()):
            used = ", ".join(find_placeholders(texts[header])) or "its text"
            raise DeclarationError(
                f"the header {header} has an invalid value",
                where=where,
                details=f"a line break, a control character or a non-ASCII letter, from: {used}",
                hint="check the end of the value for a line break",
            )
    return filled
