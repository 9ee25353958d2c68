"""Reading a batch: page by page into the lake, each committed with its place, so that a read goes on where it died.

Why nothing is lost or read twice, whatever is killed when:

- `until` is part of the batch, fixed before the first page. A record that changes while being paged gets a stamp at or
  above `until` and so belongs to the next window, whether this read met it before, after, or not at all.
- A short page ends nothing: the service says that no other follows, or an empty page does.
- Forward-only paging asks for keys above the last one seen. A record that leaves the filter while being paged moves
  no other one past the place we are at, so none is skipped. Page numbers have no such property: there the distinct
  records are held against the service's count, and the batch is read again if any is missing. Where absences follow
  from the read, every kind of paging is held against the count; where there is none, numbered pages are read twice, those of
  changes, too.
- What cannot be proved is taken all the same, said as a finding, and remembered with the batch: nothing is absent
  for not being in it.
- A part is in the lake before its row is in the ledger. Killed in between, the page is asked for again and its part is
  written over with the same name. Killed after, the page is never asked for again.
- The window is committed last, when the raw file is whole. Until then the batch is as good as unread for everyone else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace

from headwater.batch import Batch
from headwater.errors import Cancelled, NotFoundError, PermanentError, ServiceError
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
from headwater.extract.count_check import count_distinct, digest_records, fetch_count, needs_count, needs_second_read
from headwater.extract.fingerprint import build_fingerprint
from headwater.extract.page_cursor import PageCursor, PagePosition
from headwater.extract.page_files import PageFiles
from headwater.extract.proof import Doubt, ReadCounts, find_doubt
from headwater.extract.request_params import ReadRequest, build_params, build_path, requested_window
from headwater.lake.base import Lake
from headwater.ledger.base import BatchRow, Ledger, PageRow
from headwater.wire.loop_guard import LoopGuard
from headwater.wire.message import Page, Request, Response
from headwater.wire.paging import ForwardOnly, Progress, is_linked, read_total
from headwater.wire.records import join_lines, read_value, read_value_rows, split_records

_READINGS = 3
"""How often a read that the service's count does not agree with is begun anew."""


def never_stop() -> bool:
    """Nobody asks us to stop."""
    return False


def read_batch(
    batch: Batch,
    question: ReadRequest,
    client: Client,
    *,
    lake: Lake,
    ledger: Ledger,
    listen: EventListener = discard,
    stop: Callable[[], bool] = never_stop,
) -> BatchRow:
    """Read `batch` into raw and commit its window; what the ledger then knows of it.

    Idempotent by batch id: a batch that was read is left alone, a half-read one goes on at its next page.
    Cancelled after the page in hand when `stop` says so.
    """
    shape = build_fingerprint(client.connector, client.settings, question, batch.purpose)
    row = ledger.begin_batch(batch, parents=question.parents, read_at=question.asked_at, fingerprint=shape)
    parts = PageFiles(batch, lake)
    if row.state not in ("extracting", "failed"):
        parts.clear()
        return row
    if row.pages and row.fingerprint != shape:
        _restart_batch(row, question, shape, parts=parts, ledger=ledger, listen=listen)
    reader = _Reader(
        batch=batch,
        # The parents of the first try count: the places in the ledger refer to them.
        question=ReadRequest(
            resource=question.resource, fields=question.fields, parents=row.parents or question.parents
        ),
        client=client,
        parts=parts,
        ledger=ledger,
        listen=listen,
        stop=stop,
    )
    pages, doubt = reader.read_pages()
    parts.join(pages)
    reader.write_parents(pages)
    if doubt is not None:
        listen(_report_doubt(batch, doubt))
    ledger.commit_window(batch, proved=doubt is None, credible_until=question.credible_until())
    parts.clear()
    listen(
        BatchExtracted(tenant=batch.feed.tenant, batch=batch, rows=sum(page.rows for page in pages), pages=len(pages))
    )
    return ledger.find_batch(batch.feed.tenant, batch.id) or row


def _restart_batch(
    row: BatchRow, question: ReadRequest, shape: str, *, parts: PageFiles, ledger: Ledger, listen: EventListener
) -> None:
    """Begin a half-read batch anew: its places mean something else under another declaration."""
    parts.clear()
    ledger.restart_batch(
        row.batch, read_at=question.asked_at or row.read_at or row.batch.window.until, fingerprint=shape
    )
    why = "what shapes its requests was declared otherwise when it was begun"
    listen(ReadDropped(tenant=row.batch.feed.tenant, batch=row.batch, pages=row.pages, why=why))


_UNPROVED: Mapping[str, FindingKind] = {
    "changes": "changes_unproved",
    "snapshot": "snapshot_unproved",
    "sweep": "sweep_unproved",
}
"""The finding about a read that is not proved, by the purpose of its batch."""


def _report_doubt(batch: Batch, doubt: Doubt) -> FindingMade:
    """What a person should know of a read that was not proved."""
    feed = batch.feed
    finding = Finding(
        table=f"{feed.connection}.{feed.resource}",
        finding=_UNPROVED[batch.purpose],
        count=doubt.count,
        detail=f"{doubt.detail}: no record counts as deleted"
        if batch.is_complete
        else f"{doubt.detail}: some may be missing",
    )
    return FindingMade(tenant=feed.tenant, finding=finding)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reader:
    """One read, with all it needs."""

    batch: Batch
    question: ReadRequest
    client: Client
    parts: PageFiles
    ledger: Ledger
    listen: EventListener
    stop: Callable[[], bool]

    @property
    def cursor(self) -> PageCursor:
        """The way through the pages."""
        nested = self.question.resource.parent is not None
        return PageCursor(
            paging=self.question.paging,
            nested=nested,
            parents=self.question.parents,
            clean=self.client.strip_credentials,
        )

    def read_pages(self) -> tuple[list[PageRow], Doubt | None]:
        """All pages of the batch, read to the end; and what is to be doubted of it, after as many readings as may help."""
        for reading in range(1, _READINGS + 1):
            before = self._load_count("count") if needs_count(self.question, self.batch) else None
            pages = self._read_missing(before)
            doubt = self._find_doubt(pages, before)
            if doubt is None or not doubt.retry or reading == _READINGS:
                break
            digest = self._digest_pages(pages) if needs_second_read(self.question, self.batch) else ""
            self._restart()
            self.parts.save_note("first", digest)
        return pages, doubt

    def _find_doubt(self, pages: list[PageRow], before: int | None) -> Doubt | None:
        stable = self.question.paging.stable
        total = self.parts.load_note("total")
        if before is None and total is not None:
            before = int(total)
        if before is None and needs_second_read(self.question, self.batch) and sum(page.rows > 0 for page in pages) > 1:
            return self._compare_readings(pages)
        came = sum(page.rows for page in pages)
        if before is not None and not stable:
            came = count_distinct(self._read_lines(pages), self.question.resource.key)
        reading = ReadCounts(came=came, before=before, ended=self.parts.load_note("unsure") is None)
        return find_doubt(reading, stable=stable, count=self._fetch_count)

    def _compare_readings(self, pages: list[PageRow]) -> Doubt | None:
        """Where nobody counts: two readings one after the other that bring the same records show that nothing slid."""
        if self.parts.load_note("first") == self._digest_pages(pages):
            return None
        detail = "records may have moved between pages: there is no count, and no two reads returned the same records"
        return Doubt(count=1, detail=detail, retry=True)

    def _restart(self) -> None:
        self.ledger.discard_pages(self.batch, after=0)
        self.parts.clear()

    def _read_lines(self, pages: list[PageRow]) -> Iterator[tuple[str | None, bytes]]:
        for place, page in zip(self._list_places(pages), pages, strict=True):
            yield self.cursor.parse_place(place).parent, self.parts.read_lines(page)

    def _digest_pages(self, pages: list[PageRow]) -> str:
        return digest_records(self._read_lines(pages), self.question.resource.key)

    def write_parents(self, pages: list[PageRow]) -> None:
        """Keep which parent each line came from, for a resource that hangs below another one."""
        if self.cursor.nested:
            parents = (self.cursor.parse_place(place).parent or "" for place in self._list_places(pages))
            self.parts.write_parents([(parent, page.rows) for parent, page in zip(parents, pages, strict=True)])

    def _load_count(self, name: str) -> int:
        """The service's count, asked once a reading: a read that goes on must hold itself against the first one."""
        noted = self.parts.load_note(name)
        if noted is None:
            noted = str(fetch_count(self.question, self.batch, self.client))
            self.parts.save_note(name, noted)
        return int(noted)

    def _fetch_count(self) -> int | None:
        """The service's count now; None where it has none."""
        if self.question.resource.count is None:
            return None
        return fetch_count(self.question, self.batch, self.client)

    def _list_places(self, pages: list[PageRow]) -> list[str]:
        """Where each page was asked for: the first place, and then what followed the page before."""
        start = self.cursor.start()
        return [place for place in (start, *(page.next for page in pages[:-1])) if place is not None][: len(pages)]

    def _load_committed(self) -> list[PageRow]:
        """Committed pages whose parts are whole; the others are forgotten, to be read again."""
        pages = list(self.ledger.list_pages(self.batch))
        whole = self.parts.count_complete(pages)
        if whole < len(pages):
            self.ledger.discard_pages(self.batch, after=whole)
        return pages[:whole]

    def _read_missing(self, count: int | None) -> list[PageRow]:
        """Read from the first page that is missing to the last one.

        The next page is on its way while this one is held against the filter, compressed and written; pages are
        committed in order, one by one.
        """
        pages = self._load_committed()
        self.listen(ReadStarted(tenant=self.batch.feed.tenant, batch=self.batch, resumed_at=len(pages)))
        place = pages[-1].next if pages else self.cursor.start()
        if place is None:
            return pages
        trail = LoopGuard([*self._list_places(pages), place], last=self.parts.read_lines(pages[-1]) if pages else b"")
        progress = self._start_progress(pages, place, count)
        with ThreadPoolExecutor(max_workers=1, thread_name_prefix=f"read-{self.batch.feed.resource}") as ahead:
            coming = self._submit(ahead, place)
            while True:
                number = len(pages) + 1
                with self._locate_errors(number):
                    arrived, lines = coming.result()
                    following = self._next_place(place, arrived, lines, trail, progress)
                stopping = self.stop()
                if following is not None and not stopping:
                    coming = self._submit(ahead, following)
                with self._locate_errors(number):
                    self._check_page(arrived, place, following)
                pages.append(self._commit(number, arrived, lines, following))
                if following is None:
                    return pages
                if stopping:
                    raise Cancelled
                progress = self._advance_progress(progress, arrived, place, following)
                place = following

    def _start_progress(self, pages: list[PageRow], place: str, count: int | None) -> Progress:
        """What is known of the collection at `place` before it is asked for, when a read begins or goes on."""
        parent = self.cursor.parse_place(place).parent
        places = zip(self._list_places(pages), pages, strict=True)
        rows = sum(page.rows for at, page in places if self.cursor.parse_place(at).parent == parent)
        counted = None if self.cursor.nested else count
        return Progress(rows=rows, links=self.parts.load_note("links") is not None, count=counted)

    def _advance_progress(self, progress: Progress, page: Page, place: str, following: str) -> Progress:
        """What is known after `page`. That the service links is told by the first page that does."""
        links = progress.links or is_linked(page)
        if links and not progress.links:
            self.parts.save_note("links", "yes")
        turned = self.cursor.parse_place(following).parent != self.cursor.parse_place(place).parent
        return replace(progress, rows=0 if turned else progress.rows + page.rows, links=links)

    def _submit(self, ahead: ThreadPoolExecutor, place: str) -> Future[tuple[Page, bytes]]:
        return ahead.submit(self._fetch, self._build_request(place), place)

    def _fetch(self, request: Request, place: str) -> tuple[Page, bytes]:
        try:
            return self.client.fetch_as(request, self._split)
        except NotFoundError:
            paging, position = self.question.paging, self.cursor.parse_place(place).position
            if not paging.not_found_ends or position == paging.start():
                raise
            return Page(response=Response(status=204, headers={}, body=b"", url=request.url), records=[]), b""

    def _build_request(self, place: str) -> Request:
        """The request for the page at `place`, held against the pinned hosts before anything is committed."""
        stop = self.cursor.parse_place(place)
        base = self.client.build_request(build_path(self.question.resource.path, stop.parent))
        asked = self.question.paging.request(base.with_params(build_params(self.question, self.batch)), stop.position)
        return self.client.check_host(asked)

    def _continues(self, stop: PagePosition, following: str | None) -> bool:
        """Whether the page at `following` is asked for by the last key of the one before."""
        if following is None:
            return False
        after = self.cursor.parse_place(following)
        return after.parent == stop.parent and not after.position.startswith(("/", "http"))

    def _split(self, response: Response) -> tuple[Page, bytes]:
        records = split_records(response, path=self.question.resource.records)
        return Page(response=response, records=records), join_lines(records)

    def _next_place(self, place: str, page: Page, lines: bytes, trail: LoopGuard, progress: Progress) -> str | None:
        """The place that follows, after the page was held against the way that lies behind."""
        following = self.cursor.after(place, page, progress)
        trail.add_page(following, lines)
        self._note_end(place, page, following, progress)
        if following is not None:
            self._build_request(following)
            if self.cursor.parse_place(following).parent != self.cursor.parse_place(place).parent:
                trail.reset()
        return following

    def _note_end(self, place: str, page: Page, following: str | None, progress: Progress) -> None:
        """Keep what the last page of a collection tells about whether that was all."""
        stop = self.cursor.parse_place(place)
        if following is not None and self.cursor.parse_place(following).parent == stop.parent:
            return
        if not self.question.paging.end_is_certain(page, progress):
            self.parts.save_note("unsure", stop.parent or "yes")
        total = read_total(self.question.paging, page)
        if total is not None and not self.cursor.nested:
            self.parts.save_note("total", str(total))

    @contextmanager
    def _locate_errors(self, number: int) -> Iterator[None]:
        """Whatever the service does wrong inside is said to be on that page of this feed."""
        try:
            yield
        except ServiceError as error:
            error.where = f"{self.batch.feed}, page {number}" + (f", {error.where}" if error.where else "")
            raise

    def _check_page(self, page: Page, place: str, following: str | None) -> None:
        """PermanentError when a record came that the filter should have kept out (some services ignore what they do not know),
        or when the records are in an order in which the next page would leave some out.
        """
        window, changes = requested_window(self.question, self.batch), self.question.changes
        paging, stop = self.question.paging, self.cursor.parse_place(place)
        stamped = None if window is None else changes
        ordered = paging if isinstance(paging, ForwardOnly) and self._continues(stop, following) else None
        paths = [one.field for one in (stamped, ordered) if one is not None]
        found = list(read_value_rows(page.records, paths)) if paths else []
        if ordered is not None:
            ordered.check_order(stop.position, (row[-1] for row in found))
        if window is None or stamped is None:
            return
        stray = stamped.find_stray([row[0] for row in found], window)
        if stray is None:
            return
        at, stamp = stray
        key = ", ".join(f"{path} {read_value(page.records[at], path)}" for path in self.question.resource.key)
        raise PermanentError(
            "the service ignored the filter: it sent a record outside of the window",
            details=f"the record with {key} has {stamped.field} {stamp}, requested was {window}",
            hint="check `params:` of the cursor; the position was not advanced",
        )

    def _commit(self, number: int, page: Page, lines: bytes, following: str | None) -> PageRow:
        row = self.parts.write(number, lines, rows=page.rows, following=following)
        self.ledger.record_page(self.batch, row)
        feed = self.batch.feed
        self.listen(PageCommitted(tenant=feed.tenant, batch=self.batch, page=number, rows=row.rows, size=row.size))
        return row
