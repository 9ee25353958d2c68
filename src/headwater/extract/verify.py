"""Reading single records by their ids, so that no absence is believed that nobody asked about.

A complete read may be a bad one: a page left out, an index not yet caught up. So what it does not show is asked for by
name. The records that come go into raw as a batch of purpose `verify`, so that a rebuild sees what we saw. Besides the
ids asked for, one that the complete read did show is asked for (`control`): a service that knows nothing of it answers
to something else than we asked, and then its silence about the others proves nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import quote

import msgspec
from msgspec import Raw

from headwater.batch import Batch
from headwater.errors import DeclarationError, NotFoundError, PermanentError
from headwater.events import BatchExtracted, EventListener, PageCommitted, ReadStarted, discard
from headwater.extract.client import Client
from headwater.extract.page_files import PageFiles
from headwater.extract.request_params import ReadRequest, build_fields_param
from headwater.lake.base import Lake
from headwater.ledger.base import BatchRow, Ledger, PageRow
from headwater.model.resource import Verify
from headwater.wire.message import Request, Response
from headwater.wire.paging import Unpaged
from headwater.wire.records import join_lines, read_value, read_values, split_records
from headwater.wire.template import fill_all


@dataclass(frozen=True, slots=True, kw_only=True)
class IdRequest:
    """Which records are asked for."""

    ids: Sequence[str]
    """The ids that a complete read did not show, or showed and nobody ever read."""
    control: str = ""
    """An id that must be there, if one is known: its record comes along, or nothing is believed."""


def verify_records(
    batch: Batch,
    question: ReadRequest,
    client: Client,
    asked: IdRequest,
    *,
    lake: Lake,
    ledger: Ledger,
    listen: EventListener = discard,
) -> BatchRow:
    """Read the records that are asked for into raw as `batch`; what the ledger then knows of it.

    An id that is not in the batch is not there. PermanentError when the answers cannot be believed. A batch that was read is
    left alone; a half-read one begins anew, for the ids may be others by now.
    """
    row, parts = ledger.begin_batch(batch, read_at=question.asked_at), PageFiles(batch, lake)
    if row.state not in ("extracting", "failed"):
        return row
    ledger.discard_pages(batch, after=0)
    tenant = batch.feed.tenant
    listen(ReadStarted(tenant=tenant, batch=batch))
    asker = _IdReader(question=question, client=client)
    pages: list[PageRow] = []
    for records in asker.fetch_answers(list(dict.fromkeys(asked.ids)), control=asked.control):
        page = parts.write(len(pages) + 1, join_lines(records), rows=len(records), following=None)
        ledger.record_page(batch, page)
        listen(PageCommitted(tenant=tenant, batch=batch, page=page.number, rows=page.rows, size=page.size))
        pages.append(page)
    parts.join(pages)
    ledger.commit_window(batch, proved=True, credible_until=question.credible_until())
    parts.clear()
    listen(BatchExtracted(tenant=tenant, batch=batch, rows=sum(page.rows for page in pages), pages=len(pages)))
    return ledger.find_batch(tenant, batch.id) or row


@dataclass(frozen=True, slots=True, kw_only=True)
class _IdReader:
    """Asks one service for single records."""

    question: ReadRequest
    client: Client

    @property
    def how(self) -> Verify:
        """What the manifest says about it."""
        found = self.question.resource.verify
        if found is None:
            where = f"resource {self.question.resource.resource} ({self.question.resource.origin})"
            raise DeclarationError("its records cannot be requested by id", where=where, hint="declare `verify:`")
        return found

    def fetch_answers(self, ids: Sequence[str], *, control: str) -> Iterator[list[Raw]]:
        """The records that came, an answer at a time."""
        first = [control] if control else []
        wanted = [*first, *(one for one in ids if one != control)]
        asked = self._fetch_groups(wanted) if self.how.is_grouped else self._fetch_singly(wanted)
        for number, records in enumerate(asked):
            if number == 0 and control and control not in self._read_keys(records):
                raise PermanentError(
                    "the service does not return a record by id that it returned in a list",
                    where=self._where,
                    details=f"{self._key} {control}",
                    hint="check `verify:` of the resource; no record counts as deleted",
                )
            if records:
                yield records

    def _fetch_singly(self, ids: Sequence[str]) -> Iterator[list[Raw]]:
        for one in ids:
            records = self._fetch(self._build_request({"id": one}, one))
            self._check(records, {one})
            yield records

    def _fetch_groups(self, ids: Sequence[str]) -> Iterator[list[Raw]]:
        """Groups; what is missing in an answer is asked for again, for a service may have capped it."""
        for start in range(0, len(ids), self.how.size):
            left = list(ids[start : start + self.how.size])
            while left:
                records = self._fetch(self._build_request({"ids": self._format_ids(left)}, None))
                came = self._check(records, set(left))
                yield records
                left = [one for one in left if one not in came] if came else []

    def _build_request(self, values: dict[str, str], one: str | None) -> Request:
        how, resource = self.how, self.question.resource
        where = f"verify of {resource.resource} ({resource.origin})"
        path = (how.path or resource.path).replace("{id}", quote(one or "", safe=""))
        params = fill_all(how.params, values, where=where)
        if not how.is_grouped:
            return self.client.build_request(path).with_params({**params, **build_fields_param(self.question)})
        if both := sorted(set(resource.params) & set(params)):
            raise DeclarationError(
                f"the resource and its `verify:` both set `{both[0]}`, and one would overwrite the other",
                where=where,
                hint="write both conditions into the text of `verify:`",
            )
        asked = self.client.build_request(path).with_params(
            {**resource.params, **params, **build_fields_param(self.question)}
        )
        paging = self.question.paging
        return asked if isinstance(paging, Unpaged) else paging.request(asked, paging.start())

    def _format_ids(self, ids: Sequence[str]) -> str:
        mark, between = self.how.quote, self.how.separator
        for one in ids:
            if between in one or (mark and mark in one) or not one.isprintable():
                raise PermanentError("an id cannot be part of a list of ids", where=self._where, details=one[:200])
        return between.join(f"{mark}{one}{mark}" for one in ids)

    def _fetch(self, request: Request) -> list[Raw]:
        try:
            return self.client.fetch_as(self.client.check_host(request), self._split)
        except NotFoundError:
            if self.how.is_grouped:
                raise
            return []

    def _split(self, response: Response) -> list[Raw]:
        """The records of an answer: a list of them, or the one itself."""
        path = self.question.resource.records if self.how.records is None else self.how.records
        if self.how.is_grouped:
            return split_records(response, path=path)
        if response.status == 204 or not response.body.strip() or response.body.strip() == b"null":
            return []
        if isinstance(_read_path(response, path), list):
            return split_records(response, path=path)
        whole = Response(status=200, headers=response.headers, body=b"[" + response.body + b"]", url=response.url)
        if not path:
            return split_records(whole)
        inner = next(iter(split_records(whole)), Raw(b"null"))
        for step in path.split("."):
            inner = msgspec.json.decode(inner, type=dict[str, Raw]).get(step, Raw(b"null"))
        return [] if bytes(inner) == b"null" else [inner]

    def _check(self, records: Sequence[Raw], asked: set[str]) -> set[str]:
        """The ids that came; PermanentError when another one is among them: then the service answers to something else."""
        came = self._read_keys(records)
        if strange := sorted(came - asked):
            raise PermanentError(
                "the service returned a record whose id was not requested",
                where=self._where,
                details=f"{self._key} {strange[0]}",
                hint="check `verify:` of the resource; no record counts as deleted",
            )
        return came

    def _read_keys(self, records: Sequence[Raw]) -> set[str]:
        return {str(found) for found in read_values(records, self._key)}

    @property
    def _key(self) -> str:
        return self.question.resource.key[0]

    @property
    def _where(self) -> str:
        return f"{self.client.credentials.name}/{self.question.resource.resource}"


def _read_path(response: Response, path: str) -> object:
    try:
        return read_value(response.body, path)
    except msgspec.MsgspecError:
        return None
