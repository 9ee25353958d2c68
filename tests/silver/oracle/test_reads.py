"""What reads mean, drawn: each history below was worked out by hand from the rules."""

from __future__ import annotations

from dataclasses import replace

from tests.silver.oracle import history
from tests.silver.oracle.batch import Source
from tests.silver.oracle.tables import check

A = Source("a", ("n",))
SNAP = A
SWEPT = replace(A, deletes="sweep")
NONE = replace(A, deletes="none")
B = Source("b", ("n",))


def test_of_two_states_under_one_stamp_the_one_observed_last_wins():
    check(
        """
        1 | a | changes | 10 | 10 | k@5 n=new
        2 | a | changes | 20 | 20 | k@5 n=old
        """,
        "k | 5 | | n=old | 2",
        SWEPT,
    )


def test_a_state_seen_again_wins_again():
    check(
        """
        1 | a | changes | 10 | 10 | k@5 n=x
        2 | a | changes | 20 | 20 | k@5 n=y
        3 | a | changes | 30 | 30 | k@5 n=x
        """,
        "k | 5 | | n=x | 1",
        SWEPT,
    )


def test_in_one_read_the_later_record_wins():
    check("1 | a | changes | 10 | 10 | k@5 n=x; k@5 n=a", "k | 5 | | n=a | 1", SWEPT)


def test_a_delete_flag_under_an_unmoved_stamp_wins_when_seen_later_and_loses_again():
    check("1 | a | changes | 10 | 10 | k@5 n=x\n2 | a | changes | 20 | 20 | k@5!", "", SWEPT)
    check(
        """
        1 | a | changes | 10 | 10 | k@5 n=x
        2 | a | changes | 20 | 20 | k@5!
        3 | a | changes | 30 | 30 | k@5 n=x
        """,
        "k | 5 | | n=x | 1",
        SWEPT,
    )


def test_what_a_later_sweep_shows_is_there_again_though_its_stamp_is_unmoved():
    check(
        """
        1 | a | changes | 10 | 10 | k@5 n=x; j@5 n=y
        2 | a | sweep   | 20 | 20 | j@-
        3 | a | sweep   | 30 | 30 | k@-; j@-
        """,
        """
        j | 5  |    | n=y | 1
        k | 5  | 20 | n=x | 1
        k | 30 |    | n=x | 3
        """,
        SWEPT,
    )


def test_a_sweep_that_shows_a_flagged_record_does_not_reopen_it():
    check(
        """
        1 | a | changes | 10 | 10 | k@5 n=x
        2 | a | changes | 20 | 20 | k@15!
        3 | a | sweep   | 30 | 30 | k@-
        """,
        "k | 5 | 15 | n=x | 1",
        SWEPT,
    )


def test_a_delete_seen_while_absent_is_not_undone_by_presence():
    check(
        """
        1 | a | changes | 10 | 10 | k@5 n=x
        2 | a | sweep   | 20 | 20 |
        3 | a | changes | 30 | 30 | k@25!
        4 | a | sweep   | 40 | 40 | k@-
        """,
        "k | 5 | 20 | n=x | 1",
        SWEPT,
    )


def test_where_ids_alone_do_not_say_that_a_record_fits_it_is_read_again_by_id():
    filtered = replace(SWEPT, has_where=True)
    reads = """
        1 | a | changes | 10 | 10 | k@5 n=x
        2 | a | sweep   | 20 | 20 |
        3 | a | changes | 25 | 25 | k@6/
        4 | a | sweep   | 30 | 30 | k@-
        """
    check(reads, "k | 5 | 6 | n=x | 1", filtered)
    check(
        reads + "5 | a | verify | 30 | 31 | k@5 n=x",
        "k | 5 | 6 | n=x | 1\nk | 30 | | n=x | 4",
        filtered,
    )


def test_an_id_is_enough_where_the_last_record_of_it_lives_and_fits():
    check(
        """
        1 | a | changes | 10 | 10 | k@5 n=x
        2 | a | sweep   | 20 | 20 |
        3 | a | sweep   | 30 | 30 | k@-
        """,
        "k | 5 | 20 | n=x | 1\nk | 30 | | n=x | 3",
        replace(SWEPT, has_where=True, has_deleted=True),
    )


def test_one_bad_sweep_closes_nothing_where_the_missing_are_asked_for_by_id():
    check(
        """
        1 | a | changes | 10 | 10 | k@5 n=x; j@5 n=y
        2 | a | sweep   | 20 | 20 |
        3 | a | verify  | 20 | 21 | k@5 n=x
        """,
        "j | 5 | 20 | n=y | 1\nk | 5 | | n=x | 1",
        SWEPT,
    )


def test_a_snapshot_restates_what_a_delete_closed_though_its_stamp_is_older():
    check(
        """
        1 | a | snapshot | 10 | 10 | k@5 n=x
        2 | b | changes  | 20 | 20 | k@15!
        3 | a | snapshot | 30 | 30 | k@5 n=x
        """,
        "k | 5 | 15 | n=x | 1\nk | 30 | | n=x | 3",
        SNAP,
        replace(B, deletes="none"),
    )


def test_a_stamp_of_the_future_counts_as_of_its_observation():
    check(
        """
        1 | a | changes | 10  | 12  | k@9999 n=x
        2 | a | changes | 900 | 900 | k@800 n=y
        """,
        "k | 12 | 800 | n=x | 1\nk | 800 | | n=y | 2",
        SWEPT,
    )


def test_a_stamp_within_the_tolerance_counts_as_it_is():
    check("1 | a | changes | 10 | 12 | k@312 n=x", "k | 312 | | n=x | 1", SWEPT)
    check("1 | a | changes | 10 | 12 | k@313 n=x", "k | 12 | | n=x | 1", SWEPT)


def test_stamps_before_1970_count_and_none_counts_as_of_the_windows_end():
    check("1 | a | changes | 10 | 12 | k@-100 n=x; j@- n=y", "j | 10 | | n=y | 1\nk | -100 | | n=x | 1", SWEPT)


def test_gone_is_what_every_source_that_showed_it_shows_no_more():
    check(
        """
        1 | a | snapshot | 10 | 10 | k@- n=x
        2 | b | snapshot | 11 | 11 | k@- n=x
        3 | a | snapshot | 20 | 20 |
        4 | b | snapshot | 21 | 21 | k@- n=x
        5 | a | snapshot | 30 | 30 |
        6 | b | snapshot | 31 | 31 |
        """,
        "k | 10 | 31 | n=x | 1",
        A,
        B,
    )


def test_a_flag_of_one_source_deletes_for_all():
    check(
        """
        1 | a | snapshot | 10 | 10 | k@1 n=x
        2 | b | snapshot | 11 | 11 | k@2 n=x
        3 | b | changes  | 20 | 20 | k@15!
        """,
        "k | 1 | 15 | n=x | 1",
        A,
        B,
    )


def test_deletes_none_deletes_nothing_on_a_snapshot_too():
    check("1 | a | snapshot | 10 | 10 | k@5 n=x\n2 | a | snapshot | 20 | 20 |", "k | 5 | | n=x | 1", NONE)


def test_what_was_not_proved_complete_proves_no_absence():
    check("1 | a | snapshot | 10 | 10 | k@5 n=x\n2 | a | snapshot? | 20 | 20 |", "k | 5 | | n=x | 1", SNAP)


def test_what_a_read_shows_is_there_though_it_was_not_proved_complete():
    check(
        """
        1 | a | changes | 10 | 10 | k@5 n=x; j@5 n=y
        2 | a | sweep   | 20 | 20 | j@-
        3 | a | sweep?  | 30 | 30 | k@-
        """,
        "j | 5 | | n=y | 1\nk | 5 | 20 | n=x | 1\nk | 30 | | n=x | 3",
        SWEPT,
    )


def test_a_delete_before_its_update_is_read_still_ends_it():
    check("1 | a | changes | 10 | 10 | k@8!\n2 | a | changes | 20 | 20 | k@5 n=x", "k | 5 | 8 | n=x | 2", SWEPT)
    left = replace(SWEPT, has_where=True)
    check("1 | a | changes | 10 | 10 | k@8/\n2 | a | changes | 20 | 20 | k@5 n=x", "k | 5 | 8 | n=x | 2", left)


def test_the_guard_counts_from_ten_rows_on_unless_declared():
    small = "1 | a | snapshot | 10 | 10 | k1@5; k2@5; k3@5; k4@5\n2 | a | snapshot | 20 | 20 | k1@5; k2@5; k3@5; k5@15"
    gone = """
        k1 | 5 | | n=~ | 1
        k2 | 5 | | n=~ | 1
        k3 | 5 | | n=~ | 1
        k4 | 5 | 20 | n=~ | 1
        k5 | 15 | | n=~ | 2
        """
    check(small, gone, SNAP)
    check(small, gone.replace("| 20 |", "| |"), replace(SNAP, max_drop=0.2))
    check(small, gone, replace(SNAP, max_drop=0.2), allow_drop=True)


def test_the_guard_stops_deletes_and_not_news():
    first = "; ".join(f"k{place:02}@5" for place in range(10))
    reads = f"1 | a | snapshot | 10 | 10 | {first}\n2 | a | snapshot | 20 | 20 | m@15"
    kept = [f"k{place:02} | 5 | {{}} | n=~ | 1" for place in range(10)]
    check(reads, "\n".join([*kept, "m | 15 | | n=~ | 2"]).replace("{}", ""), SNAP)
    check(reads, "\n".join([*kept, "m | 15 | | n=~ | 2"]).replace("{}", "20"), SNAP, allow_drop=True)


def test_what_no_longer_fits_leaves_and_comes_back():
    check(
        """
        1 | a | changes | 10 | 10 | k@5 n=x
        2 | a | changes | 20 | 20 | k@15/
        3 | a | changes | 30 | 30 | k@25 n=z
        """,
        "k | 5 | 15 | n=x | 1\nk | 25 | | n=z | 3",
        replace(SWEPT, has_where=True),
    )


def test_what_no_longer_fits_one_source_stays_by_the_other():
    check(
        """
        1 | a | changes | 10 | 10 | k@5 n=x
        2 | b | changes | 11 | 11 | k@6 n=x
        3 | a | changes | 20 | 20 | k@15/
        """,
        "k | 5 | | n=x | 1",
        replace(SWEPT, has_where=True),
        replace(B, deletes="none"),
    )


def test_days_of_a_snapshot_whenever_they_come():
    check(
        """
        1 | a | snapshot | 10 | 10 | k@- n=A
        2 | a | snapshot | 20 | 20 | k@- n=B
        3 | a | snapshot | 30 | 30 | k@- n=C
        """,
        "k | 10 | 20 | n=A | 1\nk | 20 | 30 | n=B | 2\nk | 30 | | n=C | 3",
        SNAP,
    )


def test_a_record_that_was_refused_enters_at_the_time_of_its_own_read():
    check(
        """
        1 | a | snapshot | 10 | 10 | k@- n=A
        2 | a | snapshot | 20 | 20 | #k
        3 | a | snapshot | 30 | 30 |
        """,
        "k | 10 | 30 | n=A | 1",
        SNAP,
    )
    check(
        """
        1 | a | snapshot | 10 | 10 | k@- n=A
        2 | a | snapshot | 20 | 20 | k@- n=B
        3 | a | snapshot | 30 | 30 |
        """,
        "k | 10 | 20 | n=A | 1\nk | 20 | 30 | n=B | 2",
        SNAP,
    )


def test_the_refused_are_there_and_one_without_a_key_stops_every_absence():
    first = "1 | a | snapshot | 10 | 10 | k@5 n=x; j@5 n=y\n"
    check(first + "2 | a | snapshot | 20 | 20 | #k", "j | 5 | 20 | n=y | 1\nk | 5 | | n=x | 1", SNAP)
    check(first + "2 | a | snapshot | 20 | 20 | #k; #?", "j | 5 | | n=y | 1\nk | 5 | | n=x | 1", SNAP)


def test_a_refused_record_is_present_again():
    check(
        """
        1 | a | snapshot | 10 | 10 | k@5 n=x
        2 | a | snapshot | 20 | 20 |
        3 | a | snapshot | 30 | 30 | #k
        """,
        "k | 5 | 20 | n=x | 1\nk | 30 | | n=x | 3",
        SNAP,
    )


def test_a_complete_read_that_has_a_record_no_longer_live_ends_what_a_newer_stamp_said():
    check(
        """
        1 | a | snapshot | 10 | 10 | k@7 n=x
        2 | a | snapshot | 20 | 20 | k@6!
        """,
        "k | 7 | 20 | n=x | 1",
        replace(SNAP, has_deleted=True),
    )


def test_an_unstamped_observation_counts_though_an_older_instant_is_read_later():
    check(
        """
        1 | b | changes | 10 | 10 | k@- n=S
        2 | b | changes | 30 | 30 | k@- n=S
        3 | b | changes | 40 | 40 | k@20 n=T
        """,
        "k | 10 | 20 | n=S | 1\nk | 20 | 30 | n=T | 3\nk | 30 | | n=S | 2",
        replace(B, deletes="none"),
    )


DISAGREEING = """
        1 | b | changes | 10 | 10 | k@- n=S
        2 | b | changes | 30 | 30 | k@- n=S
        3 | a | changes | 40 | 40 | k@20 n=T
        """


def test_an_unstamped_repetition_of_what_its_own_source_said_does_not_overrule_another_source():
    check(
        DISAGREEING,
        "k | 10 | 20 | n=S | 1\nk | 20 | | n=T | 3",
        SWEPT,
        replace(B, deletes="none"),
    )


def test_where_every_repetition_counts_sources_that_disagree_take_turns(monkeypatch):
    monkeypatch.setattr(history, "IDLE_COUNTS", True)
    check(
        DISAGREEING,
        "k | 10 | 20 | n=S | 1\nk | 20 | 30 | n=T | 3\nk | 30 | | n=S | 2",
        SWEPT,
        replace(B, deletes="none"),
    )
