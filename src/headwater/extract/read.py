"""Reading a batch: page by page into the lake, each committed with its place, so that a read goes on where it died.

Why nothing is lost or read twice, whatever is killed when:

- `until` is part of the batch, fixed before the first page. A record that changes while being paged gets a stamp at or
  above `until` and so belongs to the next window, whether this read met it before, after, or not at all.
- Forward-only paging asks for keys above the last one seen. A record that leaves the filter while being paged moves
  no other one past the place we are at, so none is skipped. Page numbers have no such property: there the distinct
  records are held against the service's count, and the batch is read again if any is missing.
- A part is in the lake before its row is in the ledger. Killed in between, the page is asked for again and its part is
  written over with the same name. Killed after, the page is never asked for again.
- The window is committed last, when the raw file is whole. Until then the batch is as good as unread for everyone else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

from headwater.batch import Batch
from headwater.errors import Refused, ServiceError, StopRequested
from headwater.events import BatchExtracted, Listen, PageCommitted, ReadStarted, ignore
from headwater.extract.client import Client
from headwater.extract.parts import Parts
from headwater.extract.question import Question, asked_window, params_of, path_of
from headwater.extract.reconcile import count_of, distinct, wants_count
from headwater.extract.route import Route
from headwater.lake.base import Lake
from headwater.ledger.base import BatchRow, Ledger, PageRow
from headwater.wire.message import Page, Request, Response
from headwater.wire.records import as_lines, split, value
from headwater.wire.trail import Trail

_READINGS = 3
"""How often a read that the service's count does not agree with is begun anew."""


def never() -> bool:
    """Nobody asks us to stop."""
    return False


def read(
    batch: Batch,
    question: Question,
    client: Client,
    *,
    lake: Lake,
    ledger: Ledger,
    listen: Listen = ignore,
    stop: Callable[[], bool] = never,
) -> BatchRow:
    """Read `batch` into raw and commit its window; what the ledger then knows of it.

    Idempotent by batch id: a batch that was read is left alone, a half-read one goes on at its next page.
    StopRequested after the page in hand when `stop` says so.
    """
    row = ledger.begin(batch, parents=question.parents, read_at=question.asked_at)
    parts = Parts(batch, lake)
    if row.state not in ("extracting", "failed"):
        parts.clear()
        return row
    reader = _Reader(
        batch=batch,
        # The parents of the first try count: the places in the ledger refer to them.
        question=Question(resource=question.resource, fields=question.fields, parents=row.parents or question.parents),
        client=client,
        parts=parts,
        ledger=ledger,
        listen=listen,
        stop=stop,
    )
    pages = reader.pages()
    parts.join(pages)
    reader.note_parents(pages)
    ledger.advance(batch)
    parts.clear()
    listen(
        BatchExtracted(tenant=batch.feed.tenant, batch=batch, rows=sum(page.rows for page in pages), pages=len(pages))
    )
    return ledger.find(batch.feed.tenant, batch.id) or row


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reader:
    """One read, with all it needs."""

    batch: Batch
    question: Question
    client: Client
    parts: Parts
    ledger: Ledger
    listen: Listen
    stop: Callable[[], bool]

    @property
    def route(self) -> Route:
        """The way through the pages."""
        nested = self.question.resource.parent is not None
        return Route(paging=self.question.paging, nested=nested, parents=self.question.parents)

    def pages(self) -> list[PageRow]:
        """All pages of the batch, read to the end and, where that is needed, reconciled."""
        if not wants_count(self.question):
            return self._walk()
        came, expected = 0, 0
        for _ in range(_READINGS):
            expected = self._expected()
            pages = self._walk()
            places = self._places(pages)
            came = distinct(
                (
                    (self.route.stop(place).parent, self.parts.lines(page))
                    for place, page in zip(places, pages, strict=True)
                ),
                self.question.resource.key,
            )
            if came >= expected:
                return pages
            self.ledger.forget_pages(self.batch, after=0)
            self.parts.clear()
        raise Refused(
            "fewer records came than the service counts",
            where=str(self.batch.feed),
            saw=f"{came} records, where it counts {expected}, {_READINGS} times over",
            hint="records move while being paged: read a shorter window, or at a quieter time",
        )

    def note_parents(self, pages: list[PageRow]) -> None:
        """Keep which parent each line came from, for a resource that hangs below another one."""
        if self.route.nested:
            parents = (self.route.stop(place).parent or "" for place in self._places(pages))
            self.parts.note_parents([(parent, page.rows) for parent, page in zip(parents, pages, strict=True)])

    def _expected(self) -> int:
        """The service's count, asked once a reading: a read that goes on must hold itself against the first one."""
        noted = self.parts.noted("count")
        if noted is None:
            noted = str(count_of(self.question, self.batch, self.client))
            self.parts.note("count", noted)
        return int(noted)

    def _places(self, pages: list[PageRow]) -> list[str]:
        """Where each page was asked for: the first place, and then what followed the page before."""
        start = self.route.start()
        return [place for place in (start, *(page.next for page in pages[:-1])) if place is not None][: len(pages)]

    def _known(self) -> list[PageRow]:
        """Committed pages whose parts are whole; the others are forgotten, to be read again."""
        pages = list(self.ledger.pages(self.batch))
        whole = self.parts.whole(pages)
        if whole < len(pages):
            self.ledger.forget_pages(self.batch, after=whole)
        return pages[:whole]

    def _walk(self) -> list[PageRow]:
        """Read from the first page that is missing to the last one.

        The next page is on its way while this one is held against the filter, compressed and written; pages are
        committed in order, one by one.
        """
        pages = self._known()
        self.listen(ReadStarted(tenant=self.batch.feed.tenant, batch=self.batch, resumed_at=len(pages)))
        place = pages[-1].next if pages else self.route.start()
        if place is None:
            return pages
        trail = Trail([*self._places(pages), place], last=self.parts.lines(pages[-1]) if pages else b"")
        with ThreadPoolExecutor(max_workers=1, thread_name_prefix=f"read-{self.batch.feed.resource}") as ahead:
            coming = self._ask(ahead, place)
            while True:
                number = len(pages) + 1
                with self._at(number):
                    arrived, lines = coming.result()
                    following = self._followed(place, arrived, lines, trail)
                stopping = self.stop()
                if following is not None and not stopping:
                    coming = self._ask(ahead, following)
                with self._at(number):
                    self._verify(arrived)
                pages.append(self._commit(number, arrived, lines, following))
                if following is None:
                    return pages
                if stopping:
                    raise StopRequested
                place = following

    def _ask(self, ahead: ThreadPoolExecutor, place: str) -> Future[tuple[Page, bytes]]:
        request = self._request(place)
        return ahead.submit(self.client.fetch_as, request, self._split)

    def _request(self, place: str) -> Request:
        """The request for the page at `place`, held against the pinned hosts before anything is committed."""
        stop = self.route.stop(place)
        base = self.client.at(path_of(self.question.resource.path, stop.parent))
        asked = self.question.paging.request(base.with_params(params_of(self.question, self.batch)), stop.position)
        return self.client.pinned(asked)

    def _split(self, response: Response) -> tuple[Page, bytes]:
        records = split(response, path=self.question.resource.records)
        return Page(response=response, records=records), as_lines(records)

    def _followed(self, place: str, page: Page, lines: bytes, trail: Trail) -> str | None:
        """The place that follows, after the page was held against the way that lies behind."""
        following = self.route.after(place, page)
        trail.step(following, lines)
        if following is not None:
            self._request(following)
            if self.route.stop(following).parent != self.route.stop(place).parent:
                trail.turn()
        return following

    @contextmanager
    def _at(self, number: int) -> Iterator[None]:
        """Whatever the service does wrong inside is said to be on that page of this feed."""
        try:
            yield
        except ServiceError as error:
            error.where = f"{self.batch.feed}, page {number}" + (f", {error.where}" if error.where else "")
            raise

    def _verify(self, page: Page) -> None:
        """Refused when a record came that the filter should have kept out: some services ignore what they do not know."""
        window, changes = asked_window(self.question, self.batch), self.question.changes
        if window is None or changes is None:
            return
        stray = changes.stray(page.records, window)
        if stray is None:
            return
        place, stamp = stray
        key = ", ".join(f"{path} {value(page.records[place], path)}" for path in self.question.resource.key)
        raise Refused(
            "the service ignored the filter: it sent a record that was not asked for",
            saw=f"the record with {key} has {changes.field} {stamp}, asked was {window}",
            hint="look at `params:` of the cursor; nothing was advanced",
        )

    def _commit(self, number: int, page: Page, lines: bytes, following: str | None) -> PageRow:
        row = self.parts.write(number, lines, rows=page.rows, following=following)
        self.ledger.record(self.batch, row)
        feed = self.batch.feed
        self.listen(PageCommitted(tenant=feed.tenant, batch=self.batch, page=number, rows=row.rows, size=row.size))
        return row
