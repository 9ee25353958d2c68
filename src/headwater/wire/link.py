"""Parses the `Link` header (RFC 8288, appendix B), with commas and quotes inside of targets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urljoin

_SPACE = " \t"


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """One link: its target, and its parameters by lower-case name (the first of a name counts)."""

    target: str
    params: Mapping[str, str]

    @property
    def relations(self) -> frozenset[str]:
        """The relations to the current page, in lower case: `next`, `prev` ..."""
        return frozenset(self.params.get("rel", "").lower().split())


def parse_links(text: str) -> tuple[Link, ...]:
    """The links of a header value. As in the standard, anything that does not start with `<` ends the list."""
    links: list[Link] = []
    at = _skip(text, 0, _SPACE + ",")
    while at < len(text) and text[at] == "<":
        end = text.find(">", at)
        if end < 0:
            break
        params, after = _parse_params(text, end + 1)
        links.append(Link(target=text[at + 1 : end].strip(), params=params))
        at = _skip(text, after, _SPACE + ",")
    return tuple(links)


def find_next_link(headers: Mapping[str, str], *, url: str) -> str | None:
    """The absolute URL of `rel="next"`, or None. A link about another page (`anchor`) does not count."""
    for link in parse_links(headers.get("link", "")):
        if "next" in link.relations and "anchor" not in link.params:
            return urljoin(url, link.target)
    return None


def _parse_params(text: str, at: int) -> tuple[dict[str, str], int]:
    """The parameters that start at `at`, and their end."""
    params: dict[str, str] = {}
    at = _skip(text, at, _SPACE)
    while at < len(text) and text[at] == ";":
        at = _skip(text, at + 1, _SPACE)
        start = at
        at = _find_end(text, at, _SPACE + "=;,")
        name = text[start:at].lower()
        at = _skip(text, at, _SPACE)
        value = ""
        if at < len(text) and text[at] == "=":
            value, at = _parse_value(text, _skip(text, at + 1, _SPACE))
            at = _skip(text, at, _SPACE)
        if name:
            params.setdefault(name, value)
    return params, at


def _parse_value(text: str, at: int) -> tuple[str, int]:
    """A token or a quoted string at `at`, and its end."""
    if at >= len(text) or text[at] != '"':
        end = _find_end(text, at, ";," + _SPACE)
        return text[at:end], end
    signs: list[str] = []
    at += 1
    while at < len(text) and text[at] != '"':
        at += text[at] == "\\"
        signs.append(text[at : at + 1])
        at += 1
    return "".join(signs), at + 1


def _skip(text: str, at: int, signs: str) -> int:
    while at < len(text) and text[at] in signs:
        at += 1
    return at


def _find_end(text: str, at: int, signs: str) -> int:
    while at < len(text) and text[at] not in signs:
        at += 1
    return at
