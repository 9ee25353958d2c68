"""`kill -9` at any moment, and the next run ends where an undisturbed one does, without asking for a page twice."""

from __future__ import annotations

import itertools
import random
import sqlite3
import threading
import time
from collections import Counter
from contextlib import closing

import pytest

from headwater.clock import from_micros, iso
from tests.e2e.stand import kill, place, shop

KILLS = 50
AGAIN = 5
"""How often a project is killed at most before it is left to finish."""

COLLECTIONS = {
    "companies": "company/companies",
    "contacts": "company/contacts",
    "members": "system/members",
    "time_entries": "time/entries",
}


def committed(project):
    """The places of all pages that the ledger holds as read."""
    path = project.data / "ledger.db"
    if not path.exists():
        return set()
    with closing(sqlite3.connect(path)) as ledger:
        try:
            rows = ledger.execute(
                "SELECT b.resource, b.purpose, b.since, b.until, p.number, "
                "LAG(p.next) OVER (PARTITION BY b.id ORDER BY p.number) "
                "FROM page p JOIN batch b ON b.tenant = p.tenant AND b.id = p.batch_id"
            ).fetchall()
        except sqlite3.OperationalError:  # killed before there was a table
            return set()
    return {_place(*row) for row in rows}


def _place(resource, purpose, since, until, number, before):
    sweep = purpose == "sweep"
    conditions = "" if sweep else f"lastUpdated >= [{_overlapped(since)}] and lastUpdated < [{_iso(until)}]"
    return (COLLECTIONS[resource], conditions, before or "", "", sweep)


def _overlapped(since):
    return _iso(max(0, since - 600_000_000))


def _iso(stamp):
    return iso(from_micros(stamp))


class Watched:
    """A command under way, whose lines of progress are counted, so that it can be met in the middle of its work."""

    def __init__(self, project):
        self.lines = []
        self.process = project.start("run")
        self._began = time.monotonic()
        self._readers = [
            threading.Thread(target=self.process.stdout.read, daemon=True),
            threading.Thread(target=lambda: self.lines.extend(self.process.stderr), daemon=True),
        ]
        for reader in self._readers:
            reader.start()

    def killed(self, moment):
        """Kill it at a moment, unless it is over by then; whether it was killed."""
        while self.process.poll() is None and not moment(time.monotonic() - self._began, len(self.lines)):
            time.sleep(0.001)
        dead = kill(self.process)
        for reader in self._readers:
            reader.join()
        self.process.stdout.close()
        self.process.stderr.close()
        return dead

    @property
    def phase(self):
        """The last thing that it said it had done."""
        return self.lines[-1].split()[1] if self.lines else "start-up"


def moments(chance, *, seconds, lines):
    """Random moments without end: by the clock, start-up included, and by progress, which keeps to the phases."""
    while True:
        by_clock, by_line, pause = chance.uniform(0, seconds), chance.uniform(0, lines), chance.uniform(0, 0.03)
        yield lambda passed, told, at=by_clock: passed >= at
        yield lambda passed, told, at=by_line, pause=pause: told >= at and not time.sleep(pause)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_fifty_kills_at_random_moments_end_in_the_tables_of_an_undisturbed_run(tmp_path, service):
    started = time.monotonic()
    undisturbed = shop(tmp_path / "undisturbed", service, size=25)
    with undisturbed.start("run") as process:
        told = process.communicate()[1].splitlines()
    seconds, wanted = time.monotonic() - started, undisturbed.tables()
    pages = {place(line) for line in service.asked(forget=True)}
    assert committed(undisturbed) == pages
    chances = moments(random.Random(20261120), seconds=seconds, lines=len(told))
    phases, spared, lives = Counter(), 0, 0
    while phases.total() < KILLS:
        lives += 1
        project, done = shop(tmp_path / f"life{lives}", service, size=25), set()
        for moment in itertools.islice(chances, AGAIN):
            run = Watched(project)
            dead = run.killed(moment)
            asked, now = Counter(place(line) for line in service.asked(forget=True)), committed(project)
            assert not set(asked) & done, "a page that was committed was asked for again"
            assert done <= now, "a page that was committed was forgotten"
            assert set(asked.values()) <= {1}
            done = now
            if not dead:
                assert run.process.returncode == 0, run.lines
                break
            phases[run.phase] += 1
        else:
            project.run()
            asked = Counter(place(line) for line in service.asked(forget=True))
            assert asked == Counter(pages - done), "the last run asks for what was missing, and for nothing else"
            spared += len(done)
        assert project.tables() == wanted
        assert not [left for left in project.data.rglob("*") if left.suffix in (".tmp", ".parts")]
    print(f"{phases.total()} kills in {lives} lives, after: {dict(phases)}; {len(pages)} pages, {spared} not asked again")
