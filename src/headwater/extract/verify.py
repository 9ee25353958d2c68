"""Reads single records by id, to verify that records missing from a complete read are really absent.

A complete read can be wrong: a page may be left out, or an index may lag behind. So the missing records are requested by
id. The records that the service returns go into raw as a batch of purpose `verify`, so that a rebuild has the same data.
The request includes one id that the complete read returned (`control`). If the service does not return it, it did not
apply the condition, and then the absence of the other records proves nothing.
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
from headwater.wire.paging.link_header import Unpaged
from headwater.wire.records import join_lines, read_value, read_values, split_path, split_records
from headwater.wire.template import fill_all


@dataclass(frozen=True, slots=True, kw_only=True)
class IdRequest:
    """The ids of the records to request."""

    ids: Sequence[str]
    """The ids that are missing from a complete read, or that it returned but no read fetched."""
    control: str = ""
    """An id that exists, if one is known. If the service does not return its record, the result is not used."""


def verify_records(
    batch: Batch,
    request: ReadRequest,
    client: Client,
    id_request: IdRequest,
    *,
    lake: Lake,
    ledger: Ledger,
    listen: EventListener = discard,
) -> BatchRow:
    """Read the requested records into raw as `batch`. Return the row of the batch in the ledger.

    An id that is not in the batch is absent. Raise PermanentError if the responses are not credible. A complete batch is not
    read again. An incomplete one starts over, because the ids may have changed.
    """
    row, page_files = ledger.begin_batch(batch, read_at=request.read_at), PageFiles(batch, lake)
    if row.state not in ("extracting", "failed"):
        return row
    ledger.discard_pages(batch, after=0)
    tenant = batch.feed.tenant
    listen(ReadStarted(tenant=tenant, batch=batch))
    reader = _IdReader(request=request, client=client)
    pages: list[PageRow] = []
    for records in reader.fetch_answers(list(dict.fromkeys(id_request.ids)), control=id_request.control):
        page = page_files.write(len(pages) + 1, join_lines(records), rows=len(records), next_token=None)
        ledger.record_page(batch, page)
        listen(PageCommitted(tenant=tenant, batch=batch, page=page.number, rows=page.rows, size=page.size))
        pages.append(page)
    page_files.join(pages)
    ledger.commit_window(batch, proved=True, credible_until=request.read_credible_until())
    page_files.clear()
    listen(BatchExtracted(tenant=tenant, batch=batch, rows=sum(page.rows for page in pages), pages=len(pages)))
    return ledger.find_batch(tenant, batch.id) or row


@dataclass(frozen=True, slots=True, kw_only=True)
class _IdReader:
    """Requests single records from one service."""

    request: ReadRequest
    client: Client

    @property
    def verify(self) -> Verify:
        """The `verify:` of the manifest. Raise DeclarationError if there is none."""
        verify = self.request.resource.verify
        if verify is None:
            where = f"resource {self.request.resource.resource} ({self.request.resource.origin})"
            raise DeclarationError("its records cannot be requested by id", where=where, hint="declare `verify:`")
        return verify

    def fetch_answers(self, ids: Sequence[str], *, control: str) -> Iterator[list[Raw]]:
        """The records of each response."""
        first = [control] if control else []
        requested = [*first, *(record_id for record_id in ids if record_id != control)]
        answers = self._fetch_groups(requested) if self.verify.is_grouped else self._fetch_singly(requested)
        for number, records in enumerate(answers):
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
        for record_id in ids:
            records = self._fetch(self._build_request({"id": record_id}, record_id))
            self._check(records, {record_id})
            yield records

    def _fetch_groups(self, ids: Sequence[str]) -> Iterator[list[Raw]]:
        """The records of groups of ids. Missing ones are requested again, because the service may have capped the response."""
        for start in range(0, len(ids), self.verify.size):
            remaining = list(ids[start : start + self.verify.size])
            while remaining:
                records = self._fetch(self._build_request({"ids": self._format_ids(remaining)}, None))
                keys = self._check(records, set(remaining))
                yield records
                remaining = [record_id for record_id in remaining if record_id not in keys] if keys else []

    def _build_request(self, values: dict[str, str], record_id: str | None) -> Request:
        verify, resource = self.verify, self.request.resource
        where = f"verify of {resource.resource} ({resource.origin})"
        path = (verify.path or resource.path).replace("{id}", quote(record_id or "", safe=""))
        params = fill_all(verify.params, values, where=where)
        if not verify.is_grouped:
            return self.client.build_request(path).with_params({**params, **build_fields_param(self.request)})
        if duplicates := sorted(set(resource.params) & set(params)):
            raise DeclarationError(
                f"the resource and its `verify:` both set `{duplicates[0]}`, and one would overwrite the other",
                where=where,
                hint="write both conditions into the text of `verify:`",
            )
        request = self.client.build_request(path).with_params(
            {**resource.params, **params, **build_fields_param(self.request)}
        )
        paging = self.request.paging
        return request if isinstance(paging, Unpaged) else paging.build_request(request, paging.start())

    def _format_ids(self, ids: Sequence[str]) -> str:
        mark, separator = self.verify.quote, self.verify.separator
        for record_id in ids:
            if separator in record_id or (mark and mark in record_id) or not record_id.isprintable():
                raise PermanentError(
                    "an id cannot be part of a list of ids", where=self._where, details=record_id[:200]
                )
        return separator.join(f"{mark}{record_id}{mark}" for record_id in ids)

    def _fetch(self, request: Request) -> list[Raw]:
        try:
            return self.client.fetch_as(self.client.check_host(request), self._split)
        except NotFoundError:
            if self.verify.is_grouped:
                raise
            return []

    def _split(self, response: Response) -> list[Raw]:
        """The records of a response, which is a list or the record itself."""
        path = self.request.resource.records if self.verify.records is None else self.verify.records
        if self.verify.is_grouped:
            return split_records(response, path=path)
        if response.status == 204 or not response.body.strip() or response.body.strip() == b"null":
            return []
        if isinstance(_read_path(response, path), list):
            return split_records(response, path=path)
        whole = Response(status=200, headers=response.headers, body=b"[" + response.body + b"]", url=response.url)
        if not path:
            return split_records(whole)
        inner = next(iter(split_records(whole)), Raw(b"null"))
        for step in split_path(path):
            inner = msgspec.json.decode(inner, type=dict[str, Raw]).get(step, Raw(b"null"))
        return [] if bytes(inner) == b"null" else [inner]

    def _check(self, records: Sequence[Raw], ids: set[str]) -> set[str]:
        """The ids in `records`. Raise PermanentError for an id that was not requested: then the condition was not applied."""
        keys = self._read_keys(records)
        if other_keys := sorted(keys - ids):
            raise PermanentError(
                "the service returned a record whose id was not requested",
                where=self._where,
                details=f"{self._key} {other_keys[0]}",
                hint="check `verify:` of the resource; no record counts as deleted",
            )
        return keys

    def _read_keys(self, records: Sequence[Raw]) -> set[str]:
        return {str(key) for key in read_values(records, self._key)}

    @property
    def _key(self) -> str:
        return self.request.resource.key[0]

    @property
    def _where(self) -> str:
        return f"{self.client.credentials.name}/{self.request.resource.resource}"


def _read_path(response: Response, path: str) -> object:
    try:
        return read_value(response.body, path)
    except msgspec.MsgspecError:
        return None
