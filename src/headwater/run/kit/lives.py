"""Random lives: some runs in a row, with changes between them and a fault in each, all drawn from a seed."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from random import Random

from headwater.run.kit.record_faults import LATE
from headwater.run.kit.scenario import Scenario
from headwater.run.kit.scenario_run import ScenarioRun
from headwater.testing.kit.gate import JSON
from headwater.testing.kit.http_server import Answer
from headwater.testing.kit.weather import Weather
from headwater.wire.cursor import ChangeFilter

_RUNS = 3
_BUSY = Answer(status=429, headers={**JSON, "Retry-After": "7"}, body=b"{}")
_BROKEN = Answer(status=500, headers=JSON, body=b"{}")


def build_lives(count: int) -> tuple[Scenario, ...]:
    """A scenario for each life."""
    return tuple(
        Scenario(
            name=f"life-{number}",
            promise="after random changes and faults, history is right or the runs said that it is not",
            play=partial(play_life, number=number),
            look_at="the scenarios above; the same `--seed` repeats this life",
            aspects=("paging", "cursor"),
        )
        for number in range(1, count + 1)
    )


def play_life(trial: ScenarioRun, *, number: int) -> None:
    """One life. The last run has no fault."""
    random = Random(f"{trial.seed} {number} {trial.resource.resource}")
    trial.create_records(random.choice((4, 11, 16)), ties=random.choice((1, 3)))
    for at in range(_RUNS):
        trial.sync(draw_weather(trial, random), allow_drop=True)
        for _ in range(random.randint(1, 4)):
            change_record(trial, random, new=100 * (at + 1) + len(trial.things.records))
        trial.wait()
    trial.sync(allow_drop=True)


def draw_weather(trial: ScenarioRun, random: Random) -> Weather:
    """What is wrong during one run."""
    kinds = (
        Weather(),
        Weather(cap=random.choice((1, 2, 3))),
        Weather(refusals=random.sample([_BUSY, _BUSY, _BROKEN], 2)),
        Weather(broken_from=random.choice((2, 3))),
        Weather(spoiled={random.choice((1, 2)): Answer(is_cut=True)}),
        Weather(repeats_from=2),
        Weather(expires_at=2),
        Weather(on_page=lambda page: change_record(trial, random, new=1000 + page) if page < 3 else None),
    )
    return random.choice(kinds)


def change_record(trial: ScenarioRun, random: Random, *, new: int) -> None:
    """Create, change or delete a record now."""
    now, things = trial.clock.now(), trial.things
    alive = [record.number for record in things.list_alive()]
    choice = random.choice(("add", "change", "change", "delete", "late"))
    if choice == "add" and new not in things.records:
        things.add(new, now, parent=trial.first_parent)
    elif choice == "late" and new not in things.records:
        stamp = now.replace(microsecond=0)
        is_stamped = isinstance(trial.resource.cursor, ChangeFilter)
        things.add(new, stamp, parent=trial.first_parent, visible_at=stamp + (LATE if is_stamped else timedelta(0)))
    elif choice == "delete" and len(alive) > 2:
        number = random.choice(alive)
        things.delete(number, now)
        if not trial.notices_deletes:
            trial.may_differ.add(number)
    elif alive:
        things.change(random.choice(alive), now)
