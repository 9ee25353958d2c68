"""The version history of one record: what changed when, and its sources."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from headwater.clock import format_instant
from headwater.errors import DeclarationError, StateError
from headwater.run import app
from headwater.testing.tables import find_mismatch
from tests.run.inspect.builders import make_contact_event, make_project, remember

WHO = {"contact_id": 1, "company_id": 7, "first_name": "Anna", "title": None}


def read_history(root, key="psa:1", entity="contact", **options):
    with app.open_project(root) as workspace:
        return app.read_history(workspace.open_tenant("acme"), entity, key, **options)


def summarize(history):
    return [
        {
            "from": format_instant(change.at)[:10],
            "to": format_instant(change.until)[:10] if change.until else "open",
            "kind": change.kind,
            "changes": "; ".join(f"{one.column}: {one.old!r} -> {one.new!r}" for one in change.changes),
            "batch": change.batch_id,
        }
        for change in history.moments
    ]


def test_a_life_with_changes_deletes_gaps_and_a_return(tmp_path):
    root = make_project(tmp_path / "shop")
    remember(
        root,
        make_contact_event("psa:1", "2026-01-01", batch="b1", **WHO, last_name="Alt"),
        make_contact_event("psa:1", "2026-01-05", batch="b1", **WHO, last_name="Alt"),
        make_contact_event("psa:1", "2026-02-01", batch="b2", **WHO, last_name=""),
        make_contact_event("psa:1", "2026-03-01", "D", batch="b3"),
        make_contact_event("psa:1", "2026-03-05", "D", batch="b3"),
        make_contact_event("psa:1", "2026-04-01", batch="b4", **WHO, last_name=None),
        make_contact_event("psa:1", "2026-05-01", batch="b5", **{**WHO, "title": "boss"}, last_name="Neu"),
        make_contact_event("psa:1", "2026-06-01", "A", batch="b6"),
    )
    history = read_history(root)
    assert (history.entity, history.entity_key, history.events) == ("contact", "psa:1", 8)
    assert (
        find_mismatch(
            """
    | from       | to         | kind    | changes                                          | batch |
    | ---------- | ---------- | ------- | ------------------------------------------------ | ----- |
    | 2026-01-01 | 2026-02-01 | first   | $all                                             | b1    |
    | 2026-02-01 | 2026-03-01 | changed | last_name: 'Alt' -> ''                           | b2    |
    | 2026-03-01 | 2026-04-01 | deleted |                                                  | b3    |
    | 2026-04-01 | 2026-05-01 | back    | last_name: '' -> None                            | b4    |
    | 2026-05-01 | 2026-06-01 | changed | last_name: None -> 'Neu'; title: None -> 'boss'  | b5    |
    | 2026-06-01 | open       | absent  |                                                  | b6    |
    """,
            summarize(history),
        )
        == ""
    )
    first = history.moments[0]
    assert [(one.column, one.new) for one in first.changes] == [
        ("contact_id", 1), ("company_id", 7), ("first_name", "Anna"), ("last_name", "Alt"),
    ]  # fmt: skip
    assert (first.connection, first.source) == ("psa", "connectwise.contacts")
    assert first.read_at == datetime(2026, 1, 6, tzinfo=UTC)


def test_late_news_tell_when_they_were_read(tmp_path):
    root = make_project(tmp_path / "shop")
    remember(root, make_contact_event("psa:1", "2026-01-01", batch="b1", **WHO, last_name="Alt"))
    remember(root, make_contact_event("psa:1", "2026-03-01", batch="b2", **WHO, last_name="Neu"))
    remember(root, make_contact_event("psa:1", "2026-02-01", batch="b3", **WHO, last_name="Mittel"))
    assert [(row["from"], row["batch"]) for row in summarize(read_history(root))] == [
        ("2026-01-01", "b1"),
        ("2026-02-01", "b3"),
        ("2026-03-01", "b2"),
    ]


def test_a_key_may_be_given_without_its_connection_where_one_alone_has_it(tmp_path):
    root = make_project(tmp_path / "shop", "psa", "psa2")
    remember(
        root,
        make_contact_event("psa:1", "2026-01-01", **WHO),
        make_contact_event("psa:2", "2026-01-01", **WHO),
        make_contact_event("psa2:2", "2026-01-01", **WHO),
    )
    assert read_history(root, "1").entity_key == "psa:1"
    with pytest.raises(StateError, match="Several connections have a contact") as caught:
        read_history(root, "2")
    assert caught.value.hint == "pass one of: psa2:2, psa:2"
    with pytest.raises(StateError, match="There is no contact with this key") as unseen:
        read_history(root, "99")
    assert unseen.value.hint == "keys are written like `psa2:2`"


def test_what_was_only_ever_deleted_has_a_life_too(tmp_path):
    root = make_project(tmp_path / "shop")
    remember(root, make_contact_event("psa:1", "2026-01-01", "D", batch="b1"))
    (moment,) = read_history(root).moments
    assert (moment.kind, moment.until, moment.batch_id) == ("deleted", None, "b1")


def test_an_unknown_entity_is_refused_with_the_nearest_one(tmp_path):
    root = make_project(tmp_path / "shop")
    with pytest.raises(DeclarationError, match="There is no entity `dim_contact`") as caught:
        read_history(root, entity="dim_contact")
    assert caught.value.hint == "did you mean `contact`?"
