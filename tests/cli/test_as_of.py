"""`as-of` and `history`: what they hand on, and what they print."""

from __future__ import annotations

from datetime import UTC, datetime

from headwater.run.results import Change, History, QueryResult, RawRecord, VersionChange

AT = datetime(2026, 3, 1, tzinfo=UTC)


def test_a_past_day_is_asked_for_and_answered(shell):
    asked = []
    found = QueryResult(columns=("name", "since"), rows=(("Bonus", AT),))
    shell.verb("read_as_of", lambda tenant, instant, name, **more: asked.append((tenant, instant, name, more)) or found)
    shell(
        "as-of",
        "2026-03-01",
        "company",
        "--where",
        "name = 'Bonus'",
        "--columns",
        "name, since",
        "--limit",
        "5",
        "--json",
    )
    assert asked == [
        ("acme", AT, "company", {"where": "name = 'Bonus'", "columns": ["name", "since"], "limit": 5}),
    ]
    assert shell.json == {
        "as_of": "2026-03-01T00:00:00Z",
        "columns": ["name", "since"],
        "rows": [["Bonus", "2026-03-01T00:00:00Z"]],
    }
    shell("as-of", "2026-03-01T08:00:00+01:00", "company", "--tenant", "umbrella")
    assert asked[1] == (
        "umbrella", datetime(2026, 3, 1, 7, tzinfo=UTC), "company", {"where": "", "columns": [], "limit": None},
    )  # fmt: skip
    assert "1 row" in shell.out


def test_what_is_no_instant_is_refused_and_shown_how(shell):
    assert shell("as-of", "yesterday", "company").code == 2
    assert "INSTANT" in shell.err
    assert "2026-03-01T08:00:00Z" in shell.err


LIFE = History(
    entity="company",
    entity_key="psa:17",
    events=4,
    overwritten={"note": ""},
    moments=(
        VersionChange(
            at=AT,
            until=AT.replace(day=5),
            kind="first",
            changes=(Change(column="name", old=None, new="[red]"),),
            batch_id="b1",
            connection="psa",
            source="connectwise.companies",
            read_at=AT.replace(day=2),
            records=(RawRecord(path="acme/raw/psa/companies/b1.jsonl.zst", line=3, record='{"id": 17}'),),
        ),
        VersionChange(at=AT.replace(day=5), until=AT.replace(day=6), kind="deleted", batch_id="b2"),
        VersionChange(
            at=AT.replace(day=6),
            until=None,
            kind="back",
            changes=(Change(column="name", old="[red]", new=None),),
            batch_id="b3",
        ),
    ),
)


def test_a_life_is_drawn_line_by_line(shell):
    asked = []
    shell.verb("read_history", lambda tenant, entity, key, **more: asked.append((entity, key, more)) or LIFE)
    shell("history", "company", "psa:17", "--raw")
    assert asked == [("company", "psa:17", {"raw": True})]
    lines = shell.out.splitlines()
    assert lines[0] == "company psa:17: 2 versions of 4 observations"
    assert "name = [red]" in lines[3]
    assert "psa connectwise.companies" in lines[3]
    assert "deleted by the source" in lines[4]
    assert lines[5].split() == ["2026-03-06T00:00:00Z", "open", "back", "b3"]
    assert lines[6].split() == ["name:", "[red]", "->", "NULL"]
    assert lines[7] == "newest values of columns without versions: note = ''"
    assert lines[-2:] == ["2026-03-01T00:00:00Z  acme/raw/psa/companies/b1.jsonl.zst, line 3", '{"id": 17}']


def test_a_life_is_one_object_for_a_machine(shell):
    shell.verb("read_history", LIFE)
    told = shell("history", "company", "17", "--json").json
    assert told["moments"][0]["changes"] == [{"column": "name", "old": None, "new": "[red]"}]
    assert told["moments"][0]["records"][0]["line"] == 3
    assert told["moments"][2]["until"] is None
