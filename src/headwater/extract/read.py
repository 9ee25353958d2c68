"""Reads a batch into the lake, page by page. Each page is committed with its position, so that an interrupted read resumes.

Why nothing is lost or read twice, wherever the process is killed:

- `until` is part of the batch and fixed before the first page. A record that changes during the read gets a stamp at or
  after `until`. So it belongs to the next window, whether this read returned it or not.
- A short page is not the last one. The last page is the one that the service marks as last, or an empty one.
- Forward-only paging requests keys above the last key. A record that leaves the filter during the read does not move
  other records past the current position, so none is skipped. Page numbers do not have this property: there the number
  of distinct records is compared with the service's count, and the batch is read again if a record is missing. For
  complete reads, every kind of paging is compared with the count. Without a count, numbered pages are read twice, those
  of changes, too.
- A read that cannot be proved complete is kept, reported as a finding, and marked in the batch: no record counts as
  absent because it is missing from it.
- A page file is in the lake before its row is in the ledger. If the process is killed in between, the page is requested
  again and its file is overwritten. If it is killed afterwards, the page is never requested again.
- The window is committed last, when the raw file is complete. Until then, everything else treats the batch as unread.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace

from headwater.batch import Batch
from headwater.errors import Cancelled, ExpiredError, NotFoundError, PermanentError, ServiceError
from headwater.events import (
    BatchExtracted,
    EventListener,
    Finding,
    FindingKind,
    FindingMade,
    PageCommitted,
    ReadDropped,
    ReadStarted,
    discard,
)
from headwater.extract.client import Client
from headwater.extract.count_check import (
    count_distinct,
    digest_records,
    fetch_count,
    is_count_needed,
    is_second_read_needed,
)
from headwater.extract.delta_link import DeltaLink, compute_shape, read_link_position, save_link
from headwater.extract.fingerprint import build_fingerprint
from headwater.extract.page_cursor import PageCursor, PagePosition
from headwater.extract.page_files import PageFiles
from headwater.extract.page_request import build_base_request, build_page_request
from headwater.extract.proof import ProofFailure, ReadCounts, find_proof_failure
from headwater.extract.request_params import ReadRequest, build_request_window
from headwater.lake.base import Lake
from headwater.ledger.base import BatchRow, Ledger, PageRow
from headwater.wire.loop_guard import LoopGuard
from headwater.wire.message import Page, Request, Response
from headwater.wire.paging.progress import Progress, is_address, is_linked, read_total
from headwater.wire.records import join_lines, read_value, read_value_rows

_MAX_READS = 3
"""How many times a batch is read, until its records agree with the service's count."""


def never_stop() -> bool:
    """Return False: the read is never stopped."""
    return False


def read_batch(
    batch: Batch,
    request: ReadRequest,
    client: Client,
    *,
    lake: Lake,
    ledger: Ledger,
    listen: EventListener = discard,
    stop: Callable[[], bool] = never_stop,
) -> BatchRow:
    """Read `batch` into raw and commit its window. Return the row of the batch in the ledger.

    Idempotent by batch id: a complete batch is not read again, and an incomplete one resumes at its next page.
    If `stop` returns True, raise Cancelled after the current page.
    """
    fingerprint = build_fingerprint(client.connector, client.settings, request, batch.purpose)
    row = ledger.begin_batch(batch, parents=request.parents, read_at=request.read_at, fingerprint=fingerprint)
    page_files = PageFiles(batch, lake)
    if row.state not in ("extracting", "failed"):
        page_files.clear()
        return row
    if row.pages and row.fingerprint != fingerprint:
        _restart_batch(row, request, fingerprint, page_files=page_files, ledger=ledger, listen=listen)
    reader = _Reader(
        batch=batch,
        # Use the parents of the first try, because the tokens in the ledger refer to them.
        request=replace(request, parents=row.parents or request.parents),
        client=client,
        page_files=page_files,
        ledger=ledger,
        listen=listen,
        stop=stop,
    )
    pages, failure = reader.read_pages()
    page_files.join(pages)
    reader.write_parents(pages)
    if failure is not None:
        listen(_build_unproved_event(batch, failure))
    if request.delta and batch.purpose != "sweep":
        reader.save_link()
    ledger.commit_window(batch, proved=failure is None, credible_until=request.read_credible_until())
    page_files.clear()
    listen(
        BatchExtracted(tenant=batch.feed.tenant, batch=batch, rows=sum(page.rows for page in pages), pages=len(pages))
    )
    return ledger.find_batch(batch.feed.tenant, batch.id) or row


def _restart_batch(
    row: BatchRow,
    request: ReadRequest,
    fingerprint: str,
    *,
    page_files: PageFiles,
    ledger: Ledger,
    listen: EventListener,
) -> None:
    """Restart an incomplete batch: its tokens are invalid under a changed declaration."""
    page_files.clear()
    ledger.restart_batch(
        row.batch, read_at=request.read_at or row.read_at or row.batch.window.until, fingerprint=fingerprint
    )
    why = "the declaration of its requests has changed since the read started"
    listen(ReadDropped(tenant=row.batch.feed.tenant, batch=row.batch, pages=row.pages, why=why))


_UNPROVED: Mapping[str, FindingKind] = {
    "changes": "changes_unproved",
    "snapshot": "snapshot_unproved",
    "sweep": "sweep_unproved",
}
"""The finding for a read that is not proved complete, by the purpose of its batch."""


def _build_unproved_event(batch: Batch, failure: ProofFailure) -> FindingMade:
    """The event with the finding for a read that is not proved complete."""
    feed = batch.feed
    finding = Finding(
        table=f"{feed.connection}.{feed.resource}",
        finding=_UNPROVED[batch.purpose],
        count=failure.count,
        detail=f"{failure.detail}: no record counts as deleted"
        if batch.is_complete
        else f"{failure.detail}: some may be missing",
    )
    return FindingMade(tenant=feed.tenant, finding=finding)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reader:
    """Reads one batch."""

    batch: Batch
    request: ReadRequest
    client: Client
    page_files: PageFiles
    ledger: Ledger
    listen: EventListener
    stop: Callable[[], bool]

    @property
    def cursor(self) -> PageCursor:
        """The paging over the collections of the batch."""
        nested = self.request.resource.parent is not None
        return PageCursor(
            paging=self.request.paging,
            nested=nested,
            parents=self.request.parents,
            first=self.request.start,
            clean=self.client.strip_credentials,
        )

    def read_pages(self) -> tuple[list[PageRow], ProofFailure | None]:
        """Read all pages of the batch, several times if that may help. Return them, and why the read is not proved."""
        for attempt in range(1, _MAX_READS + 1):
            count_before = self._load_count("count") if is_count_needed(self.request, self.batch) else None
            pages = self._read_missing(count_before)
            failure = self._find_proof_failure(pages, count_before)
            if failure is None or not failure.retry or attempt == _MAX_READS:
                break
            digest = self._digest_pages(pages) if is_second_read_needed(self.request, self.batch) else ""
            self._restart()
            self.page_files.save_note("first", digest)
        return pages, failure

    def _find_proof_failure(self, pages: list[PageRow], count_before: int | None) -> ProofFailure | None:
        stable = self.request.paging.stable
        total = self.page_files.load_note("total")
        if count_before is None and total is not None:
            count_before = int(total)
        if (
            count_before is None
            and is_second_read_needed(self.request, self.batch)
            and sum(page.rows > 0 for page in pages) > 1
        ):
            return self._compare_reads(pages)
        records = sum(page.rows for page in pages)
        if count_before is not None and not stable:
            records = count_distinct(self._read_lines(pages), self.request.resource.key)
        counts = ReadCounts(
            records=records, count_before=count_before, is_end_certain=self.page_files.load_note("unsure") is None
        )
        return find_proof_failure(counts, stable=stable, count=self._fetch_count)

    def _compare_reads(self, pages: list[PageRow]) -> ProofFailure | None:
        """Without a count, two successive reads with the same records prove that no record moved between pages."""
        if self.page_files.load_note("first") == self._digest_pages(pages):
            return None
        detail = "records may have moved between pages: there is no count, and no two reads returned the same records"
        return ProofFailure(count=1, detail=detail, retry=True)

    def _restart(self) -> None:
        self.ledger.discard_pages(self.batch, after=0)
        self.page_files.clear()

    def _read_lines(self, pages: list[PageRow]) -> Iterator[tuple[str | None, bytes]]:
        for token, page in zip(self._list_tokens(pages), pages, strict=True):
            yield self.cursor.parse_token(token).parent, self.page_files.read_lines(page)

    def _digest_pages(self, pages: list[PageRow]) -> str:
        return digest_records(self._read_lines(pages), self.request.resource.key)

    def write_parents(self, pages: list[PageRow]) -> None:
        """Save the parent of each line, for a resource that is read for each parent."""
        if self.cursor.nested:
            parents = (self.cursor.parse_token(token).parent or "" for token in self._list_tokens(pages))
            self.page_files.write_parents([(parent, page.rows) for parent, page in zip(parents, pages, strict=True)])

    def save_link(self) -> None:
        """Save the link to the next changes, from the last page."""
        position, resource = self.page_files.load_note("link"), self.request.resource
        assert position is not None
        link = DeltaLink(
            batch_id=self.batch.id, start=self.request.start, position=position, shape=compute_shape(resource)
        )
        save_link(self.ledger, self.batch.feed, link)

    def _load_count(self, name: str) -> int:
        """The service's count, requested once a read: a resumed read must be compared with the first count."""
        text = self.page_files.load_note(name)
        if text is None:
            text = str(fetch_count(self.request, self.batch, self.client))
            self.page_files.save_note(name, text)
        return int(text)

    def _fetch_count(self) -> int | None:
        """The service's count now, or the total in the last page. None if it has neither."""
        if self.request.resource.count is None:
            total = self.page_files.load_note("last_total")
            return None if total is None else int(total)
        return fetch_count(self.request, self.batch, self.client)

    def _list_tokens(self, pages: list[PageRow]) -> list[str]:
        """The token of each page: the first token, and then the one that followed the page before."""
        start = self.cursor.start()
        return [token for token in (start, *(page.next for page in pages[:-1])) if token is not None][: len(pages)]

    def _load_committed(self) -> list[PageRow]:
        """Committed pages whose files are intact. The others are discarded, to be read again."""
        pages = list(self.ledger.list_pages(self.batch))
        complete = self.page_files.count_complete(pages)
        if complete < len(pages):
            self.ledger.discard_pages(self.batch, after=complete)
        return pages[:complete]

    def _read_missing(self, count: int | None) -> list[PageRow]:
        """Read from the first missing page to the last page.

        The next page is requested while the current one is checked, compressed and written. Pages are committed in order,
        one by one.
        """
        pages = self._load_committed()
        self.listen(ReadStarted(tenant=self.batch.feed.tenant, batch=self.batch, resumed_at=len(pages)))
        token = pages[-1].next if pages else self.cursor.start()
        if token is None:
            return pages
        loop_guard = LoopGuard(
            [*self._list_tokens(pages), token], last=self.page_files.read_lines(pages[-1]) if pages else b""
        )
        progress = self._start_progress(pages, token, count)
        with ThreadPoolExecutor(max_workers=1, thread_name_prefix=f"read-{self.batch.feed.resource}") as executor:
            next_page = self._submit(executor, token)
            while True:
                number = len(pages) + 1
                with self._locate_errors(number):
                    page, lines = next_page.result()
                    next_token = self._find_next_token(token, page, lines, loop_guard, progress)
                is_stopping = self.stop()
                if next_token is not None and not is_stopping:
                    next_page = self._submit(executor, next_token)
                with self._locate_errors(number):
                    self._check_page(page, token, next_token)
                pages.append(self._commit(number, page, lines, next_token))
                if next_token is None:
                    return pages
                if is_stopping:
                    raise Cancelled
                progress = self._advance_progress(progress, page, token, next_token)
                token = next_token

    def _start_progress(self, pages: list[PageRow], token: str, count: int | None) -> Progress:
        """The progress in the collection of `token` when a read starts or resumes."""
        parent = self.cursor.parse_token(token).parent
        tokens = zip(self._list_tokens(pages), pages, strict=True)
        rows = sum(page.rows for at, page in tokens if self.cursor.parse_token(at).parent == parent)
        counted = None if self.cursor.nested else count
        return Progress(rows=rows, links=self.page_files.load_note("links") is not None, count=counted)

    def _advance_progress(self, progress: Progress, page: Page, token: str, next_token: str) -> Progress:
        """The progress after `page`. The first page with a link shows that the service sends links."""
        links = progress.links or is_linked(page)
        if links and not progress.links:
            self.page_files.save_note("links", "yes")
        is_new_parent = self.cursor.parse_token(next_token).parent != self.cursor.parse_token(token).parent
        return replace(progress, rows=0 if is_new_parent else progress.rows + page.rows, links=links)

    def _submit(self, executor: ThreadPoolExecutor, token: str) -> Future[tuple[Page, bytes]]:
        return executor.submit(self._fetch, self._build_request(token), token)

    def _fetch(self, request: Request, token: str) -> tuple[Page, bytes]:
        try:
            return self.client.fetch_as(request, self._split)
        except NotFoundError as error:
            paging, position = self.request.paging, self.cursor.parse_token(token).position
            if isinstance(error, ExpiredError) or not paging.not_found_ends or position == paging.start():
                raise
            return Page(response=Response(status=204, headers={}, body=b"", url=request.url), records=[]), b""

    def _build_request(self, token: str) -> Request:
        """Build the request for the page of `token`, and check its host before anything is committed."""
        current = self.cursor.parse_token(token)
        base = build_base_request(self.client, self.request, self.batch, current.parent)
        return self.client.check_host(build_page_request(self.request, base, current.position))

    def _is_by_last_key(self, current: PagePosition, next_token: str | None) -> bool:
        """Whether the page of `next_token` is requested by the last key of the page before."""
        if next_token is None:
            return False
        following_position = self.cursor.parse_token(next_token)
        return following_position.parent == current.parent and not is_address(following_position.position)

    def _split(self, response: Response) -> tuple[Page, bytes]:
        records = self.request.split_records(response)
        return Page(response=response, records=records), join_lines(records)

    def _find_next_token(
        self, token: str, page: Page, lines: bytes, loop_guard: LoopGuard, progress: Progress
    ) -> str | None:
        """The token of the next page. Raise PermanentError if the page or its link was already seen."""
        next_token = self.cursor.find_next_token(token, page, progress)
        loop_guard.add_page(next_token, lines)
        if token == self.cursor.start():
            self._note_total("total", page)
        self._note_end(token, page, next_token, progress)
        if next_token is not None:
            self._build_request(next_token)
            if self.cursor.parse_token(next_token).parent != self.cursor.parse_token(token).parent:
                loop_guard.reset()
        return next_token

    def _note_end(self, token: str, page: Page, next_token: str | None, progress: Progress) -> None:
        """Save what the last page of a collection says about its completeness."""
        current = self.cursor.parse_token(token)
        if next_token is not None and self.cursor.parse_token(next_token).parent == current.parent:
            return
        if self.request.delta and self.batch.purpose != "sweep":
            self.page_files.save_note(
                "link", self.client.strip_credentials(read_link_position(self.request.resource, page))
            )
        if not self.request.paging.is_end_certain(page, progress):
            self.page_files.save_note("unsure", current.parent or "yes")
        self._note_total("last_total", page)

    def _note_total(self, name: str, page: Page) -> None:
        """Save the total in a page. That of the first page counts: a record that leaves during the read lowers later ones."""
        total = read_total(getattr(self.request.paging, "total", ""), page)
        if total is not None and not self.cursor.nested:
            self.page_files.save_note(name, str(total))

    @contextmanager
    def _locate_errors(self, number: int) -> Iterator[None]:
        """Add the feed and the page to the location of service errors inside of this context."""
        try:
            yield
        except ServiceError as error:
            error.where = f"{self.batch.feed}, page {number}" + (f", {error.where}" if error.where else "")
            raise

    def _check_page(self, page: Page, token: str, next_token: str | None) -> None:
        """Raise PermanentError if a record is outside of the filter (some services ignore unknown parameters), or if the
        order of the records would make the next page skip some.
        """
        window, changes = build_request_window(self.request, self.batch), self.request.changes
        paging, current = self.request.paging, self.cursor.parse_token(token)
        change_filter = None if window is None else changes
        key_paths = paging.paths if self._is_by_last_key(current, next_token) else ()
        paths = [*([change_filter.field] if change_filter else []), *key_paths]
        values = list(read_value_rows(page.records, paths)) if paths else []
        if key_paths:
            paging.check_rows(current.position, (row[-len(key_paths) :] for row in values))
        if window is None or change_filter is None:
            return
        violation = change_filter.find_outside_window([row[0] for row in values], window)
        if violation is None:
            return
        index, stamp = violation
        key = ", ".join(f"{path} {read_value(page.records[index], path)}" for path in self.request.resource.key)
        raise PermanentError(
            "the service ignored the filter: it sent a record outside of the window",
            details=f"the record with {key} has {change_filter.field} {stamp}, requested was {window}",
            hint="check `params:` of the cursor; the position was not advanced",
        )

    def _commit(self, number: int, page: Page, lines: bytes, next_token: str | None) -> PageRow:
        row = self.page_files.write(number, lines, rows=page.rows, next_token=next_token)
        self.ledger.record_page(self.batch, row)
        feed = self.batch.feed
        self.listen(PageCommitted(tenant=feed.tenant, batch=self.batch, page=number, rows=row.rows, size=row.size))
        return row
