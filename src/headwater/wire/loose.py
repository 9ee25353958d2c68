"""Splits a body in which some record is not valid JSON, by brackets and quotes alone."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

_MARKS = re.compile(rb'"(?:[^"\\]|\\.)*"|[{}\[\],]', re.DOTALL)
_CLOSES = {b"}": b"{", b"]": b"["}
_Mark = tuple[bytes, int, int]


def split_loosely(body: bytes, steps: Sequence[str]) -> list[bytes] | None:
    """The objects in the list at `steps`, byte for byte. None if brackets do not match or an element is not an object.

    A truncated body is not accepted, because its brackets are still open. The content of an object
    is not checked: an invalid object is refused later, on its own.
    """
    marks = _match_brackets(body)
    start = _find_list(body, marks, steps) if marks else None
    return None if marks is None or start is None else _split_objects(body, marks, start)


def strip_lists(body: bytes) -> bytes:
    """`body` with empty lists, or unchanged if its brackets do not match."""
    pieces, start, depth = [], 0, 0
    for mark, begin, end in _match_brackets(body) or ():
        depth += mark == b"["
        if mark == b"[" and depth == 1:
            pieces.append(body[start:end])
        if mark == b"]" and depth == 1:
            start = begin
        depth -= mark == b"]"
    return b"".join((*pieces, body[start:]))


def _match_brackets(body: bytes) -> list[_Mark] | None:
    """The marks of a body, if all its brackets match and there is only whitespace around the outermost ones."""
    marks: list[_Mark] = []
    brackets: list[bytes] = []
    inside = (len(body), 0)
    for match in _MARKS.finditer(body):
        mark = match[0]
        if mark in (b"{", b"["):
            if not brackets and inside[1]:
                return None
            brackets.append(mark)
            inside = (min(inside[0], match.start()), 0)
        elif mark in _CLOSES:
            if not brackets or brackets.pop() != _CLOSES[mark]:
                return None
            inside = (inside[0], match.end() if not brackets else 0)
        elif not brackets:
            return None
        marks.append((mark, match.start(), match.end()))
    outside = body[: inside[0]] + body[inside[1] :]
    return marks if marks and not brackets and not outside.strip() else None


def _find_list(body: bytes, marks: Sequence[_Mark], steps: Sequence[str]) -> int | None:
    """The index of the mark at which the list at `steps` starts."""
    at = 0
    for step in steps:
        key = _find_key(body, marks, at, step.encode())
        if key is None:
            return None
        at = key + 1
    return at if at < len(marks) and marks[at][0] == b"[" else None


def _find_key(body: bytes, marks: Sequence[_Mark], at: int, key: bytes) -> int | None:
    """The index of `key` in the object that starts at the index `at`."""
    if marks[at][0] != b"{":
        return None
    for index in _iterate_level(marks, at):
        mark, _, end = marks[index]
        if mark[1:-1] == key and mark[:1] == b'"' and body[end : end + 64].lstrip()[:1] == b":":
            return index
    return None


def _iterate_level(marks: Sequence[_Mark], at: int) -> Iterator[int]:
    """The indexes of the marks on the top level of the value that starts at the index `at`. Its end is the last."""
    depth = 1
    for index in range(at + 1, len(marks)):
        mark = marks[index][0]
        depth -= mark in _CLOSES
        if depth <= 1:
            yield index
        if depth == 0:
            return
        depth += mark in (b"{", b"[")


def _split_objects(body: bytes, marks: Sequence[_Mark], at: int) -> list[bytes] | None:
    begin, records = marks[at][2], []
    indexes = list(_iterate_level(marks, at))
    for index in indexes:
        mark, start, end = marks[index]
        if mark == b"," or index == indexes[-1]:
            record = body[begin:start].strip()
            if not (record.startswith(b"{") and record.endswith(b"}")):
                return None
            records.append(record)
            begin = end
    return records
