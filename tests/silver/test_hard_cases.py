"""The hard cases of history, each drawn: what was there, what arrives, what is there afterwards."""

from __future__ import annotations

import pytest

from headwater.testing.drawn import drawn, mismatch
from tests.oracle import OPEN
from tests.silver.stand import made, put, seen, versions

NAMES = ("key", "thing_id", "name", "size", "note", "from", "to", "current", "number", "batch")


@pytest.fixture
def warehouse(engine):
    return made(engine)


def arrive(warehouse, *tables):
    """Each table is a batch: `key`, `at`, `op`, and what the source says; a cell `...` is a column it does not know."""
    done = None
    for table in tables:
        events = [
            seen(row.pop("key"), row.pop("at"), row.pop("op", "U"), row.pop("batch", "b"), **row)
            for row in drawn(table)
        ]
        done = put(warehouse, events)
    return done


def check(warehouse, picture):
    rows = [dict(zip(NAMES, row, strict=True)) for row in versions(warehouse)]
    for row in rows:
        row["to"] = "open" if row["to"] == OPEN else row["to"]
    assert mismatch(picture, rows) == "", mismatch(picture, rows)


BEFORE = """
    | key | at | name  |
    | --- | -- | ----- |
    | A   | 10 | red   |
    | A   | 30 | blue  |
"""


def test_late_before_everything_known(warehouse):
    arrive(
        warehouse,
        BEFORE,
        """
    | key | at | name  |
    | --- | -- | ----- |
    | A   | 5  | white |
    """,
    )
    check(
        warehouse,
        """
    | key | name  | from | to   | number |
    | --- | ----- | ---- | ---- | ------ |
    | A   | white | 5    | 10   | 1      |
    | A   | red   | 10   | 30   | 2      |
    | A   | blue  | 30   | open | 3      |
    """,
    )


def test_late_between_two_known(warehouse):
    done = arrive(
        warehouse,
        BEFORE,
        """
    | key | at | name  |
    | --- | -- | ----- |
    | A   | 20 | white |
    """,
    )
    assert (done.deleted, done.inserted) == (2, 3)
    check(
        warehouse,
        """
    | key | name  | from | to   | number |
    | --- | ----- | ---- | ---- | ------ |
    | A   | red   | 10   | 20   | 1      |
    | A   | white | 20   | 30   | 2      |
    | A   | blue  | 30   | open | 3      |
    """,
    )


def test_later_than_all_known_rewrites_only_the_last(warehouse):
    done = arrive(
        warehouse,
        BEFORE,
        """
    | key | at | name  |
    | --- | -- | ----- |
    | A   | 40 | white |
    """,
    )
    assert (done.deleted, done.inserted) == (1, 2)
    check(
        warehouse,
        """
    | key | name  | from | to   | current |
    | --- | ----- | ---- | ---- | ------- |
    | A   | red   | 10   | 30   | false   |
    | A   | blue  | 30   | 40   | false   |
    | A   | white | 40   | open | true    |
    """,
    )


def test_late_and_equal_to_what_followed_begins_it_earlier(warehouse):
    arrive(
        warehouse,
        BEFORE,
        """
    | key | at | name |
    | --- | -- | ---- |
    | A   | 20 | blue |
    """,
    )
    check(
        warehouse,
        """
    | key | name | from | to   |
    | --- | ---- | ---- | ---- |
    | A   | red  | 10   | $at  |
    | A   | blue | $at  | open |
    """,
    )


def test_an_event_that_changes_nothing_still_counts_when_late_news_come_before_it(warehouse):
    arrive(
        warehouse,
        """
    | key | at | name |
    | --- | -- | ---- |
    | A   | 10 | red  |
    """,
        """
    | key | at | name |
    | --- | -- | ---- |
    | A   | 20 | red  |
    """,
        """
    | key | at | name |
    | --- | -- | ---- |
    | A   | 15 | blue |
    """,
    )
    check(
        warehouse,
        """
    | key | name | from | to   |
    | --- | ---- | ---- | ---- |
    | A   | red  | 10   | 15   |
    | A   | blue | 15   | 20   |
    | A   | red  | 20   | open |
    """,
    )


def test_ten_changes_in_one_batch(warehouse):
    lines = "\n".join(f"| A | {at} | v{at} |" for at in range(10, 0, -1))
    arrive(warehouse, f"| key | at | name |\n|---|---|---|\n{lines}")
    found = [(row[2], row[5], row[8]) for row in versions(warehouse)]
    assert found == [(f"v{at}", at, at) for at in range(1, 11)]


def test_of_equal_stamps_the_state_after_the_last_counts_whatever_the_order(warehouse):
    arrive(
        warehouse,
        """
    | key | at | thing_id | name | size |
    | --- | -- | -------- | ---- | ---- |
    | A   | 10 | same     | red  | 1    |
    | B   | 10 | same     | blue | 2    |
    """,
        """
    | key | at | thing_id | name | size |
    | --- | -- | -------- | ---- | ---- |
    | A   | 10 | same     | blue | 2    |
    | B   | 10 | same     | red  | 1    |
    """,
    )
    check(
        warehouse,
        """
    | key | thing_id | name  | size  | from | to   | number |
    | --- | -------- | ----- | ----- | ---- | ---- | ------ |
    | A   | same     | $name | $size | 10   | open | 1      |
    | B   | same     | $name | $size | 10   | open | 1      |
    """,
    )


def test_a_delete_and_an_update_at_one_instant_leave_no_gap(warehouse):
    arrive(
        warehouse,
        BEFORE,
        """
    | key | at | op | name  |
    | --- | -- | -- | ----- |
    | A   | 40 | D  | ...   |
    | A   | 40 | U  | white |
    """,
    )
    check(
        warehouse,
        """
    | key | name  | from | to   |
    | --- | ----- | ---- | ---- |
    | A   | red   | 10   | 30   |
    | A   | blue  | 30   | 40   |
    | A   | white | 40   | open |
    """,
    )


def test_a_delete_after_a_delete_is_nothing(warehouse):
    done = arrive(
        warehouse,
        BEFORE,
        """
    | key | at | op |
    | --- | -- | -- |
    | A   | 40 | D  |
    """,
        """
    | key | at | op |
    | --- | -- | -- |
    | A   | 50 | D  |
    """,
    )
    assert (done.events, done.deleted, done.inserted) == (1, 0, 0)
    check(
        warehouse,
        """
    | key | name | from | to | current |
    | --- | ---- | ---- | -- | ------- |
    | A   | red  | 10   | 30 | false   |
    | A   | blue | 30   | 40 | false   |
    """,
    )


def test_update_delete_update_gives_two_versions_with_a_gap(warehouse):
    arrive(
        warehouse,
        """
    | key | at | op | name |
    | --- | -- | -- | ---- |
    | A   | 10 | U  | red  |
    | A   | 20 | D  | ...  |
    | A   | 30 | U  | red  |
    """,
    )
    check(
        warehouse,
        """
    | key | name | from | to   | number |
    | --- | ---- | ---- | ---- | ------ |
    | A   | red  | 10   | 20   | 1      |
    | A   | red  | 30   | open | 2      |
    """,
    )


def test_sources_that_know_a_part_complete_each_other_and_carry_over_a_delete(warehouse):
    arrive(
        warehouse,
        """
    | key | at | op | name | size |
    | --- | -- | -- | ---- | ---- |
    | A   | 10 | U  | red  | ...  |
    """,
        """
    | key | at | op | name | size |
    | --- | -- | -- | ---- | ---- |
    | A   | 20 | U  | ...  | 7    |
    """,
        """
    | key | at | op | name | size |
    | --- | -- | -- | ---- | ---- |
    | A   | 30 | D  | ...  | ...  |
    """,
        """
    | key | at | op | name | size |
    | --- | -- | -- | ---- | ---- |
    | A   | 40 | U  | blue | ...  |
    """,
    )
    check(
        warehouse,
        """
    | key | name | size | from | to   |
    | --- | ---- | ---- | ---- | ---- |
    | A   | red  | NULL | 10   | 20   |
    | A   | red  | 7    | 20   | 30   |
    | A   | blue | 7    | 40   | open |
    """,
    )


def test_what_was_said_at_the_instant_of_an_absence_is_remembered(warehouse):
    arrive(
        warehouse,
        """
    | key | at | op | name | size |
    | --- | -- | -- | ---- | ---- |
    | A   | 10 | U  | red  | 1    |
    | A   | 20 | U  | ...  | 2    |
    | A   | 20 | A  | ...  | ...  |
    """,
        """
    | key | at | op | name | size |
    | --- | -- | -- | ---- | ---- |
    | A   | 30 | U  | blue | ...  |
    """,
    )
    check(
        warehouse,
        """
    | key | name | size | from | to   |
    | --- | ---- | ---- | ---- | ---- |
    | A   | red  | 1    | 10   | 20   |
    | A   | blue | 2    | 30   | open |
    """,
    )


def test_null_empty_and_absent_are_three_things(warehouse):
    arrive(
        warehouse,
        """
    | key | at | name | size |
    | --- | -- | ---- | ---- |
    | A   | 10 | red  | 1    |
    | A   | 20 | ...  | 2    |
    | A   | 30 | NULL | 2    |
    | A   | 40 | ''   | 2    |
    """,
    )
    check(
        warehouse,
        """
    | key | name | size | from | to   |
    | --- | ---- | ---- | ---- | ---- |
    | A   | red  | 1    | 10   | 20   |
    | A   | red  | 2    | 20   | 30   |
    | A   | NULL | 2    | 30   | 40   |
    | A   | ''   | 2    | 40   | open |
    """,
    )


def test_what_is_overwritten_makes_no_version_and_stands_on_all(warehouse):
    done = arrive(
        warehouse,
        BEFORE,
        """
    | key | at | note   |
    | --- | -- | ------ |
    | A   | 40 | called |
    """,
    )
    assert (done.deleted, done.inserted) == (2, 2)
    arrive(
        warehouse,
        """
    | key | at | note     |
    | --- | -- | -------- |
    | A   | 20 | too late |
    """,
    )
    check(
        warehouse,
        """
    | key | name | note   | from | to   |
    | --- | ---- | ------ | ---- | ---- |
    | A   | red  | called | 10   | 30   |
    | A   | blue | called | 30   | open |
    """,
    )


def test_one_microsecond_is_a_version(warehouse):
    arrive(
        warehouse,
        """
    | key | at               | name |
    | --- | ---------------- | ---- |
    | A   | 1767225600000000 | red  |
    | A   | 1767225600000001 | blue |
    """,
    )
    check(
        warehouse,
        """
    | key | name | from             | to               |
    | --- | ---- | ---------------- | ---------------- |
    | A   | red  | 1767225600000000 | 1767225600000001 |
    | A   | blue | 1767225600000001 | open             |
    """,
    )


def test_an_event_seen_by_two_batches_belongs_to_the_earlier_one_whichever_came_first(warehouse):
    later = """
    | key | at | name | batch |
    | --- | -- | ---- | ----- |
    | A   | 10 | red  | b2    |
    """
    arrive(warehouse, later, later.replace("b2", "b1"), later)
    check(
        warehouse,
        """
    | key | name | from | batch |
    | --- | ---- | ---- | ----- |
    | A   | red  | 10   | b1    |
    """,
    )


def test_a_late_delete_between_two_known_opens_a_gap_up_to_the_next_update(warehouse):
    arrive(
        warehouse,
        BEFORE,
        """
    | key | at | op |
    | --- | -- | -- |
    | A   | 20 | D  |
    """,
    )
    check(
        warehouse,
        """
    | key | name | from | to   | number |
    | --- | ---- | ---- | ---- | ------ |
    | A   | red  | 10   | 20   | 1      |
    | A   | blue | 30   | open | 2      |
    """,
    )


def test_a_late_update_within_a_gap_ends_the_gap_there(warehouse):
    arrive(
        warehouse,
        """
    | key | at | op | name |
    | --- | -- | -- | ---- |
    | A   | 10 | U  | red  |
    | A   | 20 | D  | ...  |
    | A   | 40 | U  | red  |
    """,
        """
    | key | at | name |
    | --- | -- | ---- |
    | A   | 30 | red  |
    """,
    )
    check(
        warehouse,
        """
    | key | name | from | to   | number |
    | --- | ---- | ---- | ---- | ------ |
    | A   | red  | 10   | 20   | 1      |
    | A   | red  | 30   | open | 2      |
    """,
    )


def test_a_late_delete_before_everything_known_is_nothing(warehouse):
    done = arrive(
        warehouse,
        BEFORE,
        """
    | key | at | op |
    | --- | -- | -- |
    | A   | 5  | D  |
    """,
    )
    assert (done.events, done.deleted, done.inserted) == (1, 0, 0)


def test_a_late_update_before_the_delete_of_a_thing_that_is_gone_does_not_bring_it_back(warehouse):
    arrive(
        warehouse,
        """
    | key | at | op | name |
    | --- | -- | -- | ---- |
    | A   | 10 | U  | red  |
    | A   | 40 | D  | ...  |
    """,
        """
    | key | at | name |
    | --- | -- | ---- |
    | A   | 30 | blue |
    """,
    )
    check(
        warehouse,
        """
    | key | name | from | to | current |
    | --- | ---- | ---- | -- | ------- |
    | A   | red  | 10   | 30 | false   |
    | A   | blue | 30   | 40 | false   |
    """,
    )


def test_deleted_twice_and_back_twice(warehouse):
    arrive(
        warehouse,
        """
    | key | at | op | name |
    | --- | -- | -- | ---- |
    | A   | 50 | U  | red  |
    | A   | 20 | D  | ...  |
    | A   | 40 | D  | ...  |
    | A   | 10 | U  | red  |
    | A   | 30 | U  | blue |
    | A   | 45 | D  | ...  |
    """,
    )
    check(
        warehouse,
        """
    | key | name | from | to   | number | current |
    | --- | ---- | ---- | ---- | ------ | ------- |
    | A   | red  | 10   | 20   | 1      | false   |
    | A   | blue | 30   | 40   | 2      | false   |
    | A   | red  | 50   | open | 3      | true    |
    """,
    )


def test_late_news_of_a_source_that_knows_a_part_reach_what_others_said_since(warehouse):
    arrive(
        warehouse,
        """
    | key | at | name | size |
    | --- | -- | ---- | ---- |
    | A   | 10 | red  | ...  |
    | A   | 30 | blue | ...  |
    | A   | 40 | ...  | NULL |
    """,
        """
    | key | at | name | size |
    | --- | -- | ---- | ---- |
    | A   | 20 | ...  | 7    |
    | A   | 5  | ...  | 1    |
    """,
    )
    check(
        warehouse,
        """
    | key | name | size | from | to   |
    | --- | ---- | ---- | ---- | ---- |
    | A   | NULL | 1    | 5    | 10   |
    | A   | red  | 1    | 10   | 20   |
    | A   | red  | 7    | 20   | 30   |
    | A   | blue | 7    | 30   | 40   |
    | A   | blue | NULL | 40   | open |
    """,
    )


def test_what_two_sources_say_of_different_columns_at_one_instant_is_one_version(warehouse):
    arrive(
        warehouse,
        """
    | key | at | name | size |
    | --- | -- | ---- | ---- |
    | A   | 10 | red  | ...  |
    """,
        """
    | key | at | name | size |
    | --- | -- | ---- | ---- |
    | A   | 10 | ...  | 7    |
    """,
    )
    check(
        warehouse,
        """
    | key | name | size | from | to   | number |
    | --- | ---- | ---- | ---- | ---- | ------ |
    | A   | red  | 7    | 10   | open | 1      |
    """,
    )
