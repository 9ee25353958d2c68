"""Held against the service's own count: whether a read by page number, where records may slip, brought them all."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from headwater.batch import Batch
from headwater.errors import Refused
from headwater.extract.client import Client
from headwater.extract.question import Question, filters_of, path_of
from headwater.wire.message import Response
from headwater.wire.records import lines_of, value, values


def wants_count(question: Question) -> bool:
    """Whether the read can and need be reconciled: there is a count, and the paging is one that records may slip by."""
    return question.resource.count is not None and not question.paging.stable


def count_of(question: Question, batch: Batch, client: Client) -> int:
    """How many records the service says there are, before the first page is asked for.

    Before, not after: a record that leaves the window while being paged moves others forward past the place we are at,
    and lowers a later count by just as much, so that a later count would agree with a read that lost one.
    """
    parents: Sequence[str | None] = question.parents if question.resource.parent else (None,)
    return sum(_asked(question, batch, client, parent) for parent in parents)


def distinct(parts: Iterable[tuple[str | None, bytes]], key: Sequence[str]) -> int:
    """How many different records the parts hold; one without a key counts by its bytes."""
    seen: set[Any] = set()
    for parent, text in parts:
        lines = lines_of(text)
        columns = [list(values(lines, path)) for path in key]
        for line, *found in zip(lines, *columns, strict=True):
            seen.add((parent, line if None in found else repr(found)))
    return len(seen)


def _asked(question: Question, batch: Batch, client: Client, parent: str | None) -> int:
    count = question.resource.count
    if count is None:
        return 0
    request = client.at(path_of(count.path, parent)).with_params(filters_of(question, batch))

    def read(response: Response) -> int:
        found = value(response.body, count.field)
        if isinstance(found, bool) or not isinstance(found, int):
            raise Refused(
                "the service's count cannot be read",
                saw=response.body[:200].decode(errors="replace"),
                hint=f"`count:` of the resource says it stands at `{count.field}`",
            )
        return found

    return client.fetch_as(request, read)
