"""A service that holds records whose truth is known, and answers as its ways and the weather have it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from random import Random
from typing import Any
from urllib.parse import urlencode

from tests.e2e.hostile.scenario import QUIET, Scenario, Weather
from tests.e2e.http_server import serve_http

BEGIN = datetime(2026, 3, 1, 8, tzinfo=UTC)
ANCIENT = ("0001-01-01T00:00:00Z", "1969-12-31T00:00:00Z")
FUTURE = "2062-01-01T00:00:00Z"
Record = dict[str, Any]


def format_stamp(instant: datetime) -> str:
    """An instant as the service writes it."""
    return f"{instant:%Y-%m-%dT%H:%M:%SZ}"


class HostileService:
    """Living records and dead ones. Every change is made by `live`, and says what of it nobody can know from outside."""

    def __init__(self, scenario: Scenario) -> None:
        self.ways = scenario.ways
        self.scenario = scenario
        self.chance = Random(scenario.seed + 1)
        self.now = BEGIN
        self.asked_at = datetime(1900, 1, 1, tzinfo=UTC)
        """When it was last asked: a stamp from before that is not looked for again."""
        self.records: dict[int, Record] = {}
        self.dead: dict[int, Record] = {}
        self.hidden: set[int] = set()
        """Ids of whose present content no filter tells: it changed under a stamp that did not move into the open."""
        self.regressed: set[int] = set()
        """Ids whose stamp went back: the service itself says that what is there now is older than what was there."""
        self.latest: dict[int, str] = {}
        """As of when each id was known at the latest: a later stamp that it had, or a read where it counted as of that."""
        self.reshown: set[int] = set()
        """Ids that reads did not show for a while: shown again, they count as of that read."""
        self.outside: set[int] = set()
        """Ids whose record did not fit the condition when it was shown last: nobody asks for it again."""
        self.malformed: set[int] = set()
        self.odd: set[int] = set()
        """Ids in whose life anything happened but changes under a stamp of their own: when they began to be so is arguable."""
        self.weather = QUIET
        self.requests = 0
        self.pages = 0
        self.log: list[str] = []
        self.on_kill: Callable[[], None] = lambda: None
        self.url = ""
        self._lock = threading.Lock()
        self._next = 1
        self._failed: set[int] = set()
        self._missing: set[int] = set()
        self._ghosts: dict[int, Record] = {}
        for _ in range(scenario.records):
            self._create("change")

    # life
    def pass_time(self, chance: Random) -> None:
        """Let time go by, and records live."""
        start, span = self.now, timedelta(hours=chance.choice((2, 9, 30)))
        for number in range(self.scenario.changes):
            self.now = start + span * (number + 1) / (self.scenario.changes + 1)
            self.live(chance.choice(self.scenario.kinds))
        self.now = start + span

    def live(self, kind: str) -> None:
        """One change of one record, if there is one that it can happen to."""
        living = sorted(self.records)
        if kind == "create" or not living:
            self._create(
                self.chance.choice(("change", "change", "unstamped", "ancient", "future"))
                if kind == "create"
                else "change"
            )
        elif kind == "delete":
            self.delete(self.chance.choice(living))
        elif kind == "restore":
            if self.dead:
                ident = self.chance.choice(sorted(self.dead))
                record = self.dead.pop(ident)
                record.pop("gone", None)
                self.records[ident] = record
                self.odd.add(ident)
                self.reshown.add(ident)
                if record["amount"] == "abc":
                    self.malformed.add(ident)
                if not record["changed"] or record["changed"] <= format_stamp(self.asked_at):
                    self.hidden.add(ident)
                if self.ways.deletes == "flag":
                    self._stamp(ident, self.chance.choice(("change", "change", "unmoved")))
        else:
            ident = self.chance.choice(living)
            record = self.records[ident]
            record["name"] = f"name {self.chance.randrange(10**6)}"
            if kind in {"leave", "enter"}:
                record["status"] = "spam" if kind == "leave" else "good"
                self.odd.add(ident)
            record["amount"] = "abc" if kind == "malform" else self.chance.randrange(10**6) + 0.25
            (self.malformed.add if kind == "malform" else self.malformed.discard)(ident)
            self._stamp(ident, "change" if kind in {"leave", "enter", "malform"} else kind)

    def delete(self, ident: int) -> None:
        """A record goes, or is flagged."""
        self.dead[ident] = self.records.pop(ident)
        self.malformed.discard(ident)
        if self.ways.deletes == "flag":
            record = self.dead[ident]
            record["gone"] = True
            record["amount"] = 1.5
            self._stamp(ident, self.chance.choice(("change", "change", "unmoved")))

    def _create(self, kind: str) -> None:
        ident, self._next = self._next, self._next + self.chance.choice((1, 1, 3))
        self.records[ident] = {
            "id": ident,
            "name": f"name {ident}",
            "status": "good",
            "amount": ident + 0.5,
            "changed": None,
        }
        self._stamp(ident, kind)

    def _stamp(self, ident: int, kind: str) -> None:
        if (
            kind != "change"
            or ident in self.malformed
            or ident in self.dead
            or (self.ways.follows and self.weather.date != "right")
        ):
            self.odd.add(ident)
        record = self.records.get(ident) or self.dead[ident]
        before = record["changed"]
        if kind == "change":
            record["changed"] = format_stamp(self._stamps())
        elif kind != "unmoved":
            record["changed"] = {"unstamped": None, "future": FUTURE}.get(kind, self.chance.choice(ANCIENT))
        after = record["changed"]
        seen = after is not None and after != before and format_stamp(self.asked_at) < after < FUTURE
        (self.hidden.discard if seen else self.hidden.add)(ident)
        real = before and before != FUTURE and ident not in self.reshown
        # What counts as of its read counts as of a part of that second.
        known = before if real else format_stamp(self.asked_at + timedelta(seconds=1))
        self.latest[ident] = max(known, self.latest.get(ident, ""))
        went_back = after is not None and after < self.latest[ident]
        (self.regressed.add if went_back else self.regressed.discard)(ident)

    def _stamps(self) -> datetime:
        return self._read_clock() if self.ways.follows and self.weather.date in {"behind", "ahead"} else self.now

    # answers
    def start(self, weather: Weather, chance: Random) -> None:
        """The weather of one sync."""
        self.weather, self.requests, self.pages, self._failed = weather, 0, 0, set()
        living, dead = sorted(self.records), sorted(self.dead)
        self._missing = set(chance.sample(living, min(weather.missing, len(living))))
        self.odd |= self._missing
        self.reshown |= self._missing
        self._ghosts = {ident: self.dead[ident] for ident in chance.sample(dead, min(weather.ghosts, len(dead)))}

    def build_answer(self, path: str, params: dict[str, str]) -> tuple[int, dict[str, str], Any]:
        """Status, headers and body."""
        with self._lock:
            self.requests += 1
            self.asked_at = max(self.asked_at, self.now)
            self.log.append(f"{path}?{urlencode(params)}")
            weather = self.weather
            if weather.kill and self.requests == weather.kill:
                self.on_kill()
            date = {"Date": format_datetime(self._read_clock())}
            if path == "/time":
                return 200, date, {}
            failing = weather.broken_from and self.requests >= weather.broken_from
            if failing or (self.requests in weather.errors and self.requests not in self._failed):
                self._failed.add(self.requests)
                return 500, date, {"message": "no"}
            if path == "/things/count":
                return 200, date, {"count": self._count(len(self._filter_records(params)))}
            if path.startswith("/things/"):
                found = self._list_visible().get(int(path.rpartition("/")[2]))
                self._note_shown([found] if found else [])
                return (200, date, found) if found else (404, date, {"message": "no such thing"})
            status, headers, body = self._page(params)
            if params.get("fields") != "id":
                self._note_shown(body)
            return status, date | headers, body

    def _note_shown(self, records: list[Record]) -> None:
        for record in records:
            (self.outside.discard if record["status"] == "good" else self.outside.add)(record["id"])

    def _list_visible(self) -> dict[int, Record]:
        """Return the records that the service shows, including those flagged as deleted."""
        return self.records | (self.dead if self.ways.deletes == "flag" else {})

    def _read_clock(self) -> datetime:
        shift = {
            "behind": -timedelta(hours=3),
            "ahead": timedelta(hours=2),
            "jumping": timedelta(hours=self.chance.choice((-30, 0, 5, 400))),
        }.get(self.weather.date, timedelta(0))
        return datetime(2062, 1, 1, tzinfo=UTC) if self.weather.date == "2062" else self.now + shift

    def _count(self, true: int) -> int:
        return {"capped": min(true, 5), "wrong": max(0, true + self.chance.choice((-2, 1)))}.get(
            self.weather.counts, true
        )

    def _filter_records(self, params: dict[str, str]) -> list[Record]:
        shown = self._list_visible()
        listing = params.get("fields") == "id"
        if listing or self.ways.cursor == "snapshot":
            shown = {one: record for one, record in shown.items() if one not in self._missing} | self._ghosts
        low = params.get("since", "") if self.ways.knows in {"both", "since"} else ""
        high = params.get("until", "") if self.ways.knows == "both" else ""
        found = []
        for _, record in sorted(shown.items()):
            stamp = record["changed"]
            if stamp is None and (low or high) and not self.ways.nulls:
                continue
            if stamp is not None and ((low and stamp < low) or (high and stamp >= high)):
                continue
            found.append({"id": record["id"]} if listing else record)
        return found

    def _page(self, params: dict[str, str]) -> tuple[int, dict[str, str], Any]:
        found = self._filter_records(params)
        size = min(self.ways.cap, int(params.get("size", 1000)))
        number = int(params.get("page", "1"))
        if "after" in params or self.ways.paging == "forward_only":
            found = [record for record in found if record["id"] > int(params.get("after", 0))]
            rows, more = found[:size], len(found) > size
        elif self.ways.paging == "unpaged":
            rows, more = found, False
        else:
            rows, more = found[(number - 1) * size : number * size], number * size < len(found)
        headers = {}
        if more and self.ways.links:
            following = (
                {"after": str(rows[-1]["id"])} if self.ways.paging == "forward_only" else {"page": str(number + 1)}
            )
            headers["Link"] = f'<{self.url}/things?{urlencode({**params, **following})}>; rel="next"'
        self._spoil(rows := list(rows), params)
        return 200, headers, rows

    def _spoil(self, rows: list[Record], params: dict[str, str]) -> None:
        self.pages += 1
        listing = params.get("fields") == "id"
        first = rows[0]["id"] if rows else 0
        if self.weather.twice and rows and not listing:
            rows.append(dict(self.chance.choice(rows)))
        if self.weather.keyless and self.pages == 1 and not listing:
            rows.append(
                {"id": None, "name": "nobody", "status": "good", "amount": 1.5, "changed": format_stamp(self.now)}
            )
        if self.weather.slide and self.pages == self.weather.slide and first in self.records and self.ways.drops:
            rows[:] = [dict(row) for row in rows]
            self.delete(first)


@contextmanager
def serve(service: HostileService) -> Iterator[HostileService]:
    """Serve the service while the block runs."""
    with serve_http(lambda request: service.build_answer(request.path, request.params)) as service.url:
        yield service
