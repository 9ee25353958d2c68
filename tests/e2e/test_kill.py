"""`kill -9` at any moment, and the next run ends where an undisturbed one does, without asking for a page twice."""

from __future__ import annotations

import itertools
import random
import sqlite3
import threading
import time
from collections import Counter
from contextlib import closing
from dataclasses import dataclass

import pytest

from headwater.clock import format_instant, from_micros
from tests.e2e.builders import create_shop, kill, parse_position

AGAIN = 6
"""How often a project is killed at most before it is left to finish."""

COLLECTIONS = {
    "companies": "company/companies",
    "contacts": "company/contacts",
    "members": "system/members",
    "time_entries": "time/entries",
}


def read_committed_pages(project):
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
    return {_build_position(*row) for row in rows}


def list_request_positions(service):
    """The pages that were asked for since last, in order; a sweep's count is no page."""
    return [parse_position(line) for line in service.list_requests(clear=True) if "/count" not in line]


def _build_position(resource, purpose, since, until, number, before):
    sweep = purpose == "sweep"
    since_then = f"lastUpdated >= [{_subtract_overlap(since)}] and " if since > 0 else ""
    conditions = "" if sweep else f"{since_then}lastUpdated < [{_format_iso(until)}]"
    return (COLLECTIONS[resource], conditions, before or "", "", sweep)


def _subtract_overlap(since):
    return _format_iso(max(0, since - 600_000_000))


def _format_iso(stamp):
    return format_instant(from_micros(stamp))


class WatchedRun:
    """A command under way, whose lines of progress are counted, so that it can be met in the middle of its work."""

    def __init__(self, project, command="run"):
        self.lines = []
        self.process = project.start(command)
        self._began = time.monotonic()
        self._readers = [
            threading.Thread(target=self.process.stdout.read, daemon=True),
            threading.Thread(target=lambda: self.lines.extend(self.process.stderr), daemon=True),
        ]
        for reader in self._readers:
            reader.start()

    def kill_at(self, moment, *, left):
        """Kill it at a moment, unless it is over by then; whether it was killed."""
        while self.process.poll() is None and not moment.has_come(
            time.monotonic() - self._began, self.lines, left=left
        ):
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
        words = self.lines[-1].split() if self.lines else ["", "start-up"]
        return next(word for word in words[1:] if word not in ("debug", "warning", "error"))


def count_built_tables(lines):
    """How many tables of silver and gold were said to be done."""
    return sum("versions_written" in line or "table_built" in line for line in lines)


@dataclass(frozen=True)
class Moment:
    """When to kill: at a share of a whole run's time, of its lines, or of its tables of silver and gold."""

    of: str
    share: float
    pause: float
    whole: tuple[float, int, int]

    def has_come(self, passed, output, *, left):
        """Whether it is there; `left`: what of a run is left to do, for one that goes on where another died is shorter."""
        seconds, lines, tables = self.whole
        if self.of == "time":
            return passed >= self.share * seconds * (0.4 + 0.6 * left)
        seen, all_ = (len(output), left * lines) if self.of == "lines" else (count_built_tables(output), tables - 1)
        if seen <= self.share * all_:
            return False
        time.sleep(self.pause)
        return True


def draw_moments(chance, whole):
    """Random moments without end, of each kind in turn. Those by progress keep to the phases on a busy machine."""
    for of in itertools.cycle(("time", "lines", "tables")):
        yield Moment(of, chance.random(), chance.uniform(0, 0.05), whole)


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("kills", [6, pytest.param(50, marks=pytest.mark.long)])
def test_kills_at_random_moments_end_in_the_tables_of_an_undisturbed_run(tmp_path, service, kills):
    started = time.monotonic()
    undisturbed = create_shop(tmp_path / "undisturbed", service, size=25)
    with undisturbed.start("run") as process:
        lines = process.communicate()[1].splitlines()
    seconds, wanted = time.monotonic() - started, undisturbed.read_tables()
    pages = set(list_request_positions(service))
    assert read_committed_pages(undisturbed) == pages
    chances = draw_moments(random.Random(20261120), (seconds, len(lines), count_built_tables(lines)))
    phases, spared, lives = Counter(), 0, 0
    while phases.total() < kills:
        lives += 1
        project, done, left = create_shop(tmp_path / f"life{lives}", service, size=25), set(), 1.0
        for moment in itertools.islice(chances, AGAIN):
            run = WatchedRun(project)
            dead = run.kill_at(moment, left=left)
            asked, now = Counter(list_request_positions(service)), read_committed_pages(project)
            assert not set(asked) & done, "a page that was committed was asked for again"
            assert done <= now, "a page that was committed was forgotten"
            assert set(asked.values()) <= {1}
            if not dead:
                assert run.process.returncode == 0, run.lines
                assert asked == Counter(pages - done), "a run that lives asks for what is missing, and for nothing else"
                break
            done = now
            phases[run.phase] += 1
            left = max(0.2, left - len(run.lines) / len(lines))
        else:
            project.run()
            asked = Counter(list_request_positions(service))
            assert asked == Counter(pages - done)
        spared += len(done)
        assert project.read_tables() == wanted
        assert not [file for file in project.data.rglob("*") if file.suffix in (".tmp", ".parts")]
    print(
        f"{phases.total()} kills in {lives} lives, after: {dict(phases)}; {len(pages)} pages, {spared} not asked again"
    )


@pytest.mark.slow
def test_a_rebuild_that_is_killed_goes_on_with_the_next_run(shop_after_run, service):
    project = shop_after_run
    wanted, chance = project.read_tables(), random.Random(7)
    for _ in range(4):
        rebuild = WatchedRun(project, "rebuild")
        rebuild.kill_at(Moment("lines", chance.random(), chance.uniform(0, 0.05), (0, 12, 0)), left=1.0)
        service.list_requests(clear=True)
        assert project.run()["outcome"] == "succeeded"
        assert service.list_requests() == []
        assert project.read_tables() == wanted


@pytest.mark.slow
def test_what_was_killed_yesterday_goes_on_today_with_the_windows_of_both_days(tmp_path, service, shop_after_run):
    project, undisturbed = create_shop(tmp_path / "killed", service), shop_after_run
    WatchedRun(project).kill_at(Moment("lines", 0.5, 0, (0, 100, 0)), left=1.0)
    service.advance(days=2)
    assert project.run()["outcome"] == "succeeded"
    undisturbed.run()
    for table, columns in (
        ("company", "name, status, valid_from"),
        ("time_entry", "* EXCLUDE (batch_id, version_number)"),
        ("contact", "contact_id"),
    ):
        same = f"SELECT {columns} FROM silver.{table}_current ORDER BY ALL"
        assert project.query(same) == undisturbed.query(same), table
    hours = "SELECT time_entry_id, hours, cost, member_key, company_key FROM gold.fact_time_entry ORDER BY ALL"
    assert project.query(hours) == undisturbed.query(hours)
