"""Compares a read with the service's own count of records."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import Any

from headwater.batch import Batch
from headwater.errors import PermanentError
from headwater.extract.client import Client
from headwater.extract.request_params import ReadRequest, build_filter_headers, build_filters, build_path
from headwater.wire.cursor import NoDeletes
from headwater.wire.message import Response
from headwater.wire.records import read_value, read_value_rows, split_lines


def is_count_needed(request: ReadRequest, batch: Batch) -> bool:
    """Whether to request the record count, if the service has one.

    Always for a complete read, because records that are missing from it count as absent. For changes only if the paging is
    not stable, because records can then move between pages.
    """
    return request.resource.count is not None and (batch.is_complete or not request.paging.stable)


def is_second_read_needed(request: ReadRequest, batch: Batch) -> bool:
    """Whether to read twice, to prove without a count that no record moved between pages.

    This is necessary for complete reads, and also for changes: if a record changes again during the read, it leaves the
    window, the first record of a page moves to the page before, and no later window requests that record. A whole
    collection with an explicit `deletes: none` needs no proof, because the next read returns the records that moved.
    """
    # A delta reports a record that moves again.
    if request.paging.stable or request.resource.count is not None or request.delta:
        return False
    declares_no_deletes = (
        isinstance(request.resource.deletes, NoDeletes) and "deletes" in request.resource.model_fields_set
    )
    return batch.purpose == "changes" or (batch.is_complete and not declares_no_deletes)


def fetch_count(request: ReadRequest, batch: Batch, client: Client) -> int:
    """The number of records that the service reports now."""
    parents: Sequence[str | None] = request.parents if request.resource.parent else (None,)
    return sum(_fetch_count(request, batch, client, parent) for parent in parents)


def count_distinct(pages: Iterable[tuple[str | None, bytes]], key: Sequence[str]) -> int:
    """The number of distinct records in the pages. A record without a key is identified by its bytes."""
    return len(_read_keys(pages, key))


def digest_records(pages: Iterable[tuple[str | None, bytes]], key: Sequence[str]) -> str:
    """A digest of the set of records in the pages, independent of their order. Two reads of the same records have the same."""
    digest = hashlib.blake2b(digest_size=16)
    for record_key in sorted(map(repr, _read_keys(pages, key))):
        digest.update(record_key.encode(errors="replace"))
    return digest.hexdigest()


def _read_keys(pages: Iterable[tuple[str | None, bytes]], key: Sequence[str]) -> set[Any]:
    keys: set[Any] = set()
    for parent, text in pages:
        lines = split_lines(text)
        for line, key_values in zip(lines, read_value_rows(lines, key), strict=True):
            keys.add((parent, line if not key_values or None in key_values else repr(key_values)))
    return keys


def _fetch_count(request: ReadRequest, batch: Batch, client: Client, parent: str | None) -> int:
    count = request.resource.count
    if count is None:
        return 0
    base = client.build_request(build_path(count.path, parent)).with_headers(build_filter_headers(request, batch))
    http_request = base.with_params(build_filters(request, batch))

    def read(response: Response) -> int:
        count_value = read_value(response.body, count.field)
        if isinstance(count_value, bool) or not isinstance(count_value, int):
            raise PermanentError(
                "the service's record count cannot be read",
                details=response.body[:200].decode(errors="replace"),
                hint=f"`count:` of the resource expects it in `{count.field}`",
            )
        return count_value

    return client.fetch_as(http_request, read)
