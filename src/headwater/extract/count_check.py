"""Held against the service's own count: whether a read brought all records that there are."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import Any

from headwater.batch import Batch
from headwater.errors import PermanentError
from headwater.extract.client import Client
from headwater.extract.request_params import ReadRequest, build_filters, build_path
from headwater.wire.cursor import NoDeletes
from headwater.wire.message import Response
from headwater.wire.records import read_value, read_value_rows, split_lines


def needs_count(question: ReadRequest, batch: Batch) -> bool:
    """Whether the service is asked how many records there are, if it can be.

    Always for a read from which absences follow; of changes only where the paging is one that records may slip by.
    """
    return question.resource.count is not None and (batch.is_complete or not question.paging.stable)


def needs_second_read(question: ReadRequest, batch: Batch) -> bool:
    """Whether a read must be made twice to show that nothing slid, where nobody counts.

    So it is where absences follow, and of changes: a record that changes anew while they are paged leaves the window, the
    first one of a page moves to the page before, and no later window asks for it. A whole collection that deletes nothing
    (`deletes: none`, written out) needs no such proof: the next read of it brings what slid.
    """
    if question.paging.stable or question.resource.count is not None:
        return False
    silent = isinstance(question.resource.deletes, NoDeletes) and "deletes" in question.resource.model_fields_set
    return batch.purpose == "changes" or (batch.is_complete and not silent)


def fetch_count(question: ReadRequest, batch: Batch, client: Client) -> int:
    """How many records the service says there are now."""
    parents: Sequence[str | None] = question.parents if question.resource.parent else (None,)
    return sum(_fetch_count(question, batch, client, parent) for parent in parents)


def count_distinct(parts: Iterable[tuple[str | None, bytes]], key: Sequence[str]) -> int:
    """How many different records the parts hold; one without a key counts by its bytes."""
    return len(_read_keys(parts, key))


def digest_records(parts: Iterable[tuple[str | None, bytes]], key: Sequence[str]) -> str:
    """A digest of which records the parts hold, whatever their order: two readings of the same ones have the same."""
    whole = hashlib.blake2b(digest_size=16)
    for one in sorted(map(repr, _read_keys(parts, key))):
        whole.update(one.encode(errors="replace"))
    return whole.hexdigest()


def _read_keys(parts: Iterable[tuple[str | None, bytes]], key: Sequence[str]) -> set[Any]:
    seen: set[Any] = set()
    for parent, text in parts:
        lines = split_lines(text)
        for line, found in zip(lines, read_value_rows(lines, key), strict=True):
            seen.add((parent, line if not found or None in found else repr(found)))
    return seen


def _fetch_count(question: ReadRequest, batch: Batch, client: Client, parent: str | None) -> int:
    count = question.resource.count
    if count is None:
        return 0
    request = client.build_request(build_path(count.path, parent)).with_params(build_filters(question, batch))

    def read(response: Response) -> int:
        found = read_value(response.body, count.field)
        if isinstance(found, bool) or not isinstance(found, int):
            raise PermanentError(
                "the service's record count cannot be read",
                details=response.body[:200].decode(errors="replace"),
                hint=f"`count:` of the resource expects it in `{count.field}`",
            )
        return found

    return client.fetch_as(request, read)
