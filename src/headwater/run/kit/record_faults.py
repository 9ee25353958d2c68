"""Scenarios of records that change, move, slide, vanish or appear late, and of pages that loop or lead elsewhere."""

from __future__ import annotations

from datetime import timedelta

from headwater.run.kit.scenario import Scenario, Shape
from headwater.run.kit.scenario_run import RECORDS, ScenarioRun
from headwater.testing.kit.sample import get_path
from headwater.testing.kit.weather import Weather
from headwater.wire.cursor import ChangeFilter, Delta, IdSweep
from headwater.wire.records import split_path

LATE = timedelta(seconds=60)
"""How long after its change time a record appears."""


def play_complete(trial: ScenarioRun) -> None:
    """Everything is read, and a second run writes nothing."""
    trial.create_records()
    first = trial.sync()
    trial.wait()
    again = trial.sync()
    _expect_quiet(trial)
    if first.written > RECORDS or again.written:
        trial.complaints.append(
            f"the first run wrote {first.written} versions of {RECORDS} records, the second {again.written}"
        )


def play_empty(trial: ScenarioRun) -> None:
    """The resource has no records yet."""
    trial.create_records(1)
    owner = trial.first_parent
    trial.things.records.clear()
    trial.sync()
    trial.things.add(50, trial.clock.now(), parent=owner)
    trial.wait()
    trial.sync()
    _expect_quiet(trial)


def play_changes(trial: ScenarioRun) -> None:
    """Records change and are created between two runs."""
    trial.create_records()
    trial.sync()
    trial.things.change(2, trial.clock.now())
    trial.things.change(RECORDS - 1, trial.clock.now())
    trial.things.add(60, trial.clock.now(), parent=trial.first_parent)
    trial.wait()
    trial.sync()
    _expect_quiet(trial)


def play_ties(trial: ScenarioRun) -> None:
    """Records on both sides of the end of a page have the same change time."""
    trial.create_records(ties=7)
    trial.sync()
    now = trial.clock.now()
    for number in range(1, 9):
        trial.things.change(number, now)
    trial.wait()
    trial.sync()


def play_late_rows(trial: ScenarioRun) -> None:
    """A record appears a minute after its change time, and another change is seen late."""
    trial.create_records()
    now = trial.clock.now().replace(microsecond=0)
    trial.things.add(70, now, parent=trial.first_parent, visible_at=now + LATE)
    trial.clock.advance(timedelta(seconds=20))
    trial.sync()
    trial.wait()
    trial.sync()


def play_moving_rows(trial: ScenarioRun) -> None:
    """Records change while their pages are read."""
    trial.create_records()

    def move(page: int) -> None:
        if page == 1:
            trial.things.change(1, trial.clock.now())
            trial.things.change(7, trial.clock.now())

    trial.sync(Weather(on_page=move))
    trial.wait()
    trial.sync()


def play_vanishing_rows(trial: ScenarioRun) -> None:
    """A record of the first page is deleted while the second is read, so that all others slide."""
    trial.create_records()

    def remove(page: int) -> None:
        if page == 1:
            trial.things.delete(0, trial.clock.now())
            if not trial.notices_deletes:
                trial.may_differ.add(0)

    trial.sync(Weather(on_page=remove))
    trial.wait()
    trial.sync(allow_drop=True)


def play_appearing_rows(trial: ScenarioRun) -> None:
    """A record appears before the first one while pages are read, so that all others slide."""
    trial.create_records()

    def insert(page: int) -> None:
        if page == 1:
            first = trial.things.records[0].changed_at - timedelta(days=1)
            trial.things.add(80, first, parent=trial.first_parent, visible_at=trial.clock.now())
            # Its change time is old, so a read of changes may never see it.
            trial.may_differ.add(80)

    trial.sync(Weather(on_page=insert))
    trial.wait()
    trial.sync()


def play_capped_pages(trial: ScenarioRun) -> None:
    """The service sends fewer records a page than requested."""
    trial.create_records()
    trial.sync(Weather(cap=2))
    trial.things.change(5, trial.clock.now())
    trial.wait()
    trial.sync(Weather(cap=3))


def play_loop(trial: ScenarioRun) -> None:
    """From page 2 on, the service sends the same page again and again."""
    trial.create_records()
    if not trial.sync(Weather(repeats_from=2)).is_reported:
        trial.complaints.append("a loop of pages was not reported")
    trial.recover()


def play_foreign_link(trial: ScenarioRun) -> None:
    """A link to the next page leads to another host."""
    trial.create_records()
    trial.sync(Weather(link_base=trial.stranger.url))
    trial.recover()


def play_ignored_filter(trial: ScenarioRun) -> None:
    """The service ignores the filter, as some do with a parameter that they do not know."""
    trial.create_records()
    trial.sync()
    trial.things.change(4, trial.clock.now())
    trial.wait()
    trial.sync(Weather(ignores_filter=True))
    trial.recover()


def play_expired_delta(trial: ScenarioRun) -> None:
    """The service no longer knows the link to the next changes."""
    trial.create_records()
    trial.sync()
    now = trial.clock.now()
    trial.things.change(2, now)
    trial.things.add(61, now, parent=trial.first_parent)
    if trial.notices_deletes:
        trial.things.delete(3, now)
    trial.wait()
    trial.sync(Weather(expires_links=True))
    trial.wait()
    trial.sync()


def play_kill(trial: ScenarioRun) -> None:
    """The process is killed when it asks for page 2. The next run goes on."""
    trial.create_records()
    if not trial.sync_and_kill(2):
        trial.complaints.append("the run ended before page 2")
    trial.sync()
    trial.recover()


def play_deletes(trial: ScenarioRun) -> None:
    """Records are deleted between two runs."""
    trial.create_records()
    trial.sync()
    trial.things.delete(1, trial.clock.now())
    trial.things.delete(8, trial.clock.now())
    trial.wait()
    trial.sync()
    _expect_quiet(trial)


def play_missing_ids(trial: ScenarioRun) -> None:
    """A list of ids lacks a record that exists."""
    trial.create_records()
    trial.sync()
    trial.wait()
    trial.sync(Weather(hidden={3}))
    trial.wait()
    trial.sync()


def play_new_parent(trial: ScenarioRun) -> None:
    """A parent is created with a child, and a child of an old parent changes."""
    trial.create_records()
    trial.sync()
    parents = list(trial.service.collections.values())[-2]
    now = trial.clock.now()
    parents.add(40, now, parent=next(iter(parents.records.values())).parent)
    parent = trial.resource.parent
    assert parent is not None
    key = str(get_path(parents.records[40].values, split_path(parent.field)))
    trial.things.add(90, now, parent=key)
    trial.things.change(2, now)
    trial.wait()
    trial.sync()


def _expect_quiet(trial: ScenarioRun) -> None:
    """No run of a scenario without faults may complain."""
    for sync in trial.syncs[:-1]:
        if sync.exit_code != 0:
            message = sync.messages[0] if sync.messages else "nothing"
            trial.complaints.append(f"a run without faults ended with exit code {sync.exit_code}: {message}")


def _find_paging_obstacle(shape: Shape) -> str:
    return "" if shape.is_paged else "the resource has one page"


def _find_filter_obstacle(shape: Shape) -> str:
    return "" if isinstance(shape.cursor, ChangeFilter) else "the cursor has no filter"


def _find_link_obstacle(shape: Shape) -> str:
    has_links = shape.paging.kind in ("next_url", "link_header") or getattr(shape.paging, "links", False)
    return "" if has_links else "the paging follows no links"


def _find_delta_obstacle(shape: Shape) -> str:
    return "" if isinstance(shape.cursor, Delta) else "the cursor is no delta"


def _find_delete_obstacle(shape: Shape) -> str:
    deletes = shape.resource.deletes
    is_default = deletes is None and not isinstance(shape.cursor, ChangeFilter)
    has_proof = is_default or (deletes is not None and deletes.kind != "none")
    return "" if has_proof else "the manifest does not notice deletes (`deletes:`)"


def _find_sweep_obstacle(shape: Shape) -> str:
    if not isinstance(shape.resource.deletes, IdSweep):
        return "the manifest does not sweep ids"
    if shape.resource.count is None and shape.resource.verify is None:
        return "without `count:` and `verify:`, a list of ids cannot be checked"
    return ""


def _find_parent_obstacle(shape: Shape) -> str:
    return "" if shape.resource.parent is not None else "the resource has no parent"


RECORD_FAULTS = (
    Scenario(
        name="complete", promise="every record is read once, and a second run writes nothing", play=play_complete,
        look_at="`path`, `key`, `records`, `paging`, `cursor` and the contract of the resource",
    ),
    Scenario(
        name="empty", aspects=("paging",),
        promise="an empty collection is no error", play=play_empty,
        look_at="`records:`, and `records_optional:` if the list is missing then",
    ),
    Scenario(
        name="changes", aspects=("paging", "cursor"),
        promise="changed and new records arrive in the next run", play=play_changes,
        look_at="`cursor:` (`params`, `field`, `format`, `zone`)",
    ),
    Scenario(
        name="ties", aspects=("paging", "cursor"),
        promise="records with the same change time are not lost at the end of a page", play=play_ties,
        look_at="`paging:` (the second key of a `keyset`)", find_obstacle=_find_filter_obstacle,
    ),
    Scenario(
        name="late-rows", aspects=("cursor",),
        promise="a record that appears a minute after its change time is not lost", play=play_late_rows,
        look_at="`hold_back:` of the connector, or `overlap:` of the resource: both are shorter than a minute",
        find_obstacle=_find_filter_obstacle,
    ),
    Scenario(
        name="moving-rows", aspects=("paging", "parent"),
        promise="records that change while pages are read are not lost", play=play_moving_rows,
        look_at="`paging:` and its `stable:`", find_obstacle=_find_paging_obstacle,
    ),
    Scenario(
        name="vanishing-rows", aspects=("paging", "parent"),
        promise="a delete between two pages hides no other record", play=play_vanishing_rows,
        look_at="`paging:` and its `stable:`, and `count:`", find_obstacle=_find_paging_obstacle,
    ),
    Scenario(
        name="appearing-rows", aspects=("paging",),
        promise="an insert between two pages doubles no record", play=play_appearing_rows,
        look_at="`paging:` and `key:`", find_obstacle=_find_paging_obstacle,
    ),
    Scenario(
        name="capped-pages", aspects=("paging",),
        promise="a short page is not taken for the last one", play=play_capped_pages,
        look_at="`paging:` (`size`, `links`, `more`, `total`)", find_obstacle=_find_paging_obstacle,
    ),
    Scenario(
        name="loop", aspects=("paging",),
        promise="a page that comes again and again is reported", play=play_loop,
        look_at="`paging:`", find_obstacle=_find_paging_obstacle,
    ),
    Scenario(
        name="foreign-link", aspects=("paging",),
        promise="nothing is sent to a host that is not declared", play=play_foreign_link,
        look_at="`hosts:`", find_obstacle=_find_link_obstacle,
    ),
    Scenario(
        name="ignored-filter", aspects=("cursor",),
        promise="an ignored filter is noticed", play=play_ignored_filter,
        look_at="`cursor:` (`params`, `field`)", find_obstacle=_find_filter_obstacle,
    ),
    Scenario(
        name="expired-delta", aspects=("paging",),
        promise="an expired link loses no change", play=play_expired_delta,
        look_at="`errors:` with `means: expired`, if the service does not answer 410", find_obstacle=_find_delta_obstacle,
    ),
    Scenario(
        name="kill", aspects=("paging",),
        promise="a killed run goes on where it was", play=play_kill,
        look_at="`paging:`", find_obstacle=_find_paging_obstacle,
    ),
    Scenario(
        name="deletes", aspects=("deletes", "parent"),
        promise="a deleted record is noticed", play=play_deletes,
        look_at="`deletes:` (`field`, `equals`)", find_obstacle=_find_delete_obstacle,
    ),
    Scenario(
        name="missing-ids", aspects=("deletes",),
        promise="an incomplete list of ids deletes nothing silently", play=play_missing_ids,
        look_at="`count:` and `verify:`", find_obstacle=_find_sweep_obstacle,
    ),
    Scenario(
        name="new-parent", aspects=("cursor",),
        promise="records below a new parent are read", play=play_new_parent,
        look_at="`parent:` (`field`, `every`)", find_obstacle=_find_parent_obstacle,
    ),
)  # fmt: skip
"""The scenarios about one resource."""
