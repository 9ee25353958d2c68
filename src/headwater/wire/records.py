"""Splits the body of a page into the bytes of its records, without parsing the records."""

from __future__ import annotations

import functools
import operator
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import msgspec
from msgspec import Raw

from headwater.errors import PermanentError, TransientError
from headwater.wire.loose import split_loosely, strip_lists
from headwater.wire.message import Response

_BREAKS_TO_SPACES = bytes.maketrans(b"\r\n", b"  ")
_DOT = re.compile(r"(?<!\\)\.")
_PREVIEW_LENGTH = 200
_DECODE_ERRORS = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


def split_records(response: Response, *, path: str = "", is_optional: bool = False) -> list[Raw]:
    """The records of a response, each as the bytes that were sent. `path` is the path of the list, if it is wrapped.

    Every element of the list is a record, even if it is not an object. Quarantine reports invalid ones later.
    This includes invalid JSON in a complete body (half of a surrogate pair, NaN, thousands of levels).
    Line breaks between tokens become spaces, so that a record is a line. A JSON string cannot contain one.
    A null list is empty, and with `is_optional` a missing one, too, if what contains it is there.
    TransientError: the body is truncated or is not JSON. PermanentError: JSON without the list at `path`.
    """
    if response.status in (204, 304):
        return []
    body = response.body.removeprefix(b"\xef\xbb\xbf")
    if b"\n" in body or b"\r" in body:
        body = body.translate(_BREAKS_TO_SPACES)
    steps = split_path(path)
    try:
        _check_utf8(body)
        records_at_path = _build_decoder(
            steps, list[Raw] | None if steps else list[Raw], is_optional=is_optional
        ).decode(body)
    except msgspec.ValidationError as error:
        raise PermanentError(
            f"the response has no list of records{f' at `{path}`' if path else ''}",
            details=f"{error}; it starts with: {_preview(body)}",
            hint="set `records:` of the resource to the path of the list",
        ) from None
    except _DECODE_ERRORS as error:
        loose_records = split_loosely(body, steps)
        if loose_records is None:
            raise TransientError(
                "the response is truncated or is not JSON", details=f"{error}; {len(body)} bytes received"
            ) from None
        return [Raw(record) for record in loose_records]
    records: list[Raw] | None = _build_unwrapper(steps)(records_at_path)
    return records or []


def join_lines(records: Iterable[Raw]) -> bytes:
    """The records as lines, each with a line break, so that pages can be concatenated."""
    return b"\n".join([*records, b""])


def split_lines(text: bytes) -> list[bytes]:
    """The records from lines that `join_lines` wrote."""
    return text.split(b"\n")[:-1]


def read_values(records: Iterable[Raw | bytes], path: str) -> Iterator[Any]:
    """The value at `path` in each record, or None if there is none or the record is not an object.

    If a record or a body is not valid JSON because of an element of a list, that list is ignored.
    """
    decode, inner = _build_decoder(split_path(path), Any).decode, _build_unwrapper(split_path(path))
    for record in records:
        try:
            yield inner(decode(record))
        except msgspec.ValidationError:
            yield None
        except _DECODE_ERRORS:
            try:
                yield inner(decode(strip_lists(bytes(record))))
            except _DECODE_ERRORS:
                yield None


def read_value_rows(records: Iterable[Raw | bytes], paths: Sequence[str]) -> Iterator[tuple[Any, ...]]:
    """The values at `paths` in each record, in one pass. None as in `read_values`."""
    decode, take, getters = _build_row_decoder(tuple(paths))
    for record in records:
        try:
            fields = decode(record)
        except msgspec.DecodeError:
            # One path has a value of another type. The other paths are still valid.
            yield tuple(read_value(record, path) for path in paths)
            continue
        try:
            row = take(fields)
        except AttributeError:
            # A path ends early in this record.
            row = tuple(get(fields) for get in getters)
        yield row


def read_value(record: Raw | bytes, path: str) -> Any:
    """The value at `path` in one record, or None."""
    return next(read_values((record,), path))


@functools.lru_cache(maxsize=1024)
def split_path(path: str) -> tuple[str, ...]:
    r"""The steps of a path. `\.` is a dot inside of a name."""
    return tuple(step.replace("\\.", ".") for step in _DOT.split(path)) if path else ()


@functools.lru_cache(maxsize=256)
def _build_decoder(steps: tuple[str, ...], leaf: Any, *, is_optional: bool = False) -> msgspec.json.Decoder[Any]:
    """Decodes only the value at `steps` and skips everything else, which is fast."""
    kind = leaf
    for depth, step in enumerate(reversed(steps)):
        # Only a leaf may be missing: a list of records must exist, unless it is optional.
        may_lack = (leaf is Any or is_optional) and depth == 0
        fields: list[Any] = [("inner", kind, None)] if may_lack else [("inner", kind)]
        kind = msgspec.defstruct("Step", fields, rename={"inner": step})
    return msgspec.json.Decoder(kind)


_Getter = Callable[[Any], Any]


@functools.lru_cache(maxsize=256)
def _build_row_decoder(
    paths: tuple[str, ...],
) -> tuple[Callable[[Raw | bytes], Any], Callable[[Any], tuple[Any, ...]], list[_Getter]]:
    """Return three functions: decode only the values at `paths`, get all of them from the result, and get each one.

    Paths with the same start share their first step.
    """
    heads = list(dict.fromkeys(split_path(path)[0] for path in paths))
    below = {head: [split_path(path)[1:] for path in paths if split_path(path)[0] == head] for head in heads}
    fields: list[Any] = [(f"at{at}", _build_type(below[head]), None) for at, head in enumerate(heads)]
    row = msgspec.defstruct("Row", fields, rename={f"at{at}": head for at, head in enumerate(heads)})
    getters = [_build_getter(f"at{heads.index(split_path(path)[0])}", split_path(path)[1:]) for path in paths]
    return msgspec.json.Decoder(row).decode, _build_row_getter(paths, heads, below, getters), getters


def _build_row_getter(
    paths: tuple[str, ...], heads: list[str], below: dict[str, list[tuple[str, ...]]], getters: list[_Getter]
) -> Callable[[Any], tuple[Any, ...]]:
    """Reads the values of all paths at once. Raises AttributeError if a path ends early.

    This is one call only if every step is a struct.
    """
    steps = [split_path(path) for path in paths]
    if len(paths) < 2 or any((len(path) > 1 and below[path[0]] != [path[1:]]) or len(path) > 2 for path in steps):
        return lambda row: tuple(get(row) for get in getters)
    return operator.attrgetter(*(f"at{heads.index(path[0])}{'.inner' * (len(path) - 1)}" for path in steps))


def _build_type(paths: Sequence[tuple[str, ...]]) -> Any:
    """The type of the value at a first step: a struct of the second step if there is one path with one more step."""
    if len(paths) == 1 and len(paths[0]) == 1:
        return msgspec.defstruct("Below", [("inner", Any, None)], rename={"inner": paths[0][0]}) | None
    return Any


def _build_getter(name: str, rest: tuple[str, ...]) -> Callable[[Any], Any]:
    def get(row: Any) -> Any:
        value = getattr(row, name)
        for step in rest:
            if value is None:
                return None
            value = value.get(step) if isinstance(value, dict) else getattr(value, "inner", None)
        return value

    return operator.attrgetter(name) if not rest else get


def _build_unwrapper(steps: tuple[str, ...]) -> Callable[[Any], Any]:
    """Unwraps the value that `_build_decoder` read at `steps`."""
    return operator.attrgetter(".".join("inner" for _ in steps)) if steps else lambda value: value


def _check_utf8(body: bytes) -> None:
    """Check the encoding: invalid bytes would pass the split and break the read of the whole batch later."""
    if not body.isascii():
        str(body, "utf-8")


def _preview(body: bytes) -> str:
    return body[:_PREVIEW_LENGTH].decode(errors="replace")
