from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.sandbox.connectwise.conditions import ConditionError, parse_conditions
from headwater.sandbox.connectwise.records.base import ChangeStamp, CustomField, Reference
from headwater.sandbox.connectwise.records.service import Ticket

TICKET = Ticket(
    id=7,
    info=ChangeStamp(last_updated="2026-01-05T09:13:22Z", updated_by="anna", date_entered="2026-01-01T00:00:00Z"),
    summary="Prentari í Þverholti",
    board=Reference(1, "Þjónustuborð"),
    status=Reference(5, "Lokað"),
    company=Reference(12, "Ögur ehf.", "OGUR12", info={"company_href": "x"}),
    record_type="ServiceTicket",
    closed_flag=True,
    actual_hours=2.5,
    custom_fields=[CustomField(id=1, caption="x")],
)


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("id = 7", True),
        ("id=7", True),
        ("id != 7", False),
        ("id > 6 and id < 8", True),
        ("id >= 7 and id <= 7", True),
        ("actualHours > 2.25", True),
        ("actualHours < -1", False),
        ("company/id = 12", True),
        ("company/identifier = 'ogur12'", True),
        ('status/name = "lokað"', True),
        ('summary = "PRENTARI Í ÞVERHOLTI"', True),
        ('summary contains "þver"', True),
        ('summary not contains "þver"', False),
        ('summary like "prentari%"', True),
        ('summary like "%holti"', True),
        ('summary like "prentari"', False),
        ('summary not like "%skjár%"', True),
        ('summary like "%.%"', False),
        ("id in (1, 7, 9)", True),
        ("id not in (1,7)", False),
        ('status/name in ("Nýtt", "Lokað")', True),
        ("closedFlag = true", True),
        ("closedFlag = False", False),
        ("closedFlag = 1", False),
        ("owner = null", True),
        ("owner/id = null", True),
        ("owner/id != null", False),
        ("owner/id != 4", False),
        ("owner/id not in (4)", False),
        ("company != null", True),
        ("lastUpdated = [2026-01-05T09:13:22Z]", True),
        ("lastUpdated > [2026-01-05T09:13:21.999Z]", True),
        ("lastUpdated < [2026-01-05T09:13:22.001Z]", True),
        ("lastUpdated >= [2026-01-05T10:13:22+01:00]", True),
        ("lastUpdated >= [2026-01-05]", True),
        ("_info/lastUpdated < [2026-01-05]", False),
        ("dateEntered < [2026-01-02]", True),
        ("updatedBy = 'anna'", True),
        ("lastUpdated > 5", False),
        ("id = 1 or id = 7 and closedFlag = false", False),
        ("(id = 1 or id = 7) and closedFlag = true", True),
        ("id = 7 or id = 1 and closedFlag = false", True),
        ("ID_like = 7", None),
        ("((id = 7))", True),
        ("id = 7 AND closedFlag = TRUE OR id = 1", True),
    ],
)
def test_a_condition_holds_as_the_service_would_say(text: str, holds: bool | None) -> None:
    if holds is None:
        with pytest.raises(ConditionError):
            parse_conditions(text, Ticket)
    else:
        assert parse_conditions(text, Ticket)(TICKET) is holds


@pytest.mark.parametrize(
    "text",
    [
        "id",
        "id =",
        "= 7",
        "id == 7",
        "id = 7 and",
        "id = 7 id = 8",
        "(id = 7",
        "id = 7)",
        "id in 7",
        "id in ()",
        "id in (1,)",
        "id not = 7",
        "id like 7",
        "id > null",
        "unknown = 7",
        'summary = "open',
        "lastUpdated > [yesterday]",
        "lastUpdated > 2026-01-05",
        "id = seven",
        "and = 1",
        "id = 7; drop",
    ],
)
def test_what_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(ConditionError):
        parse_conditions(text, Ticket)


SIMPLE = st.sampled_from(
    [("id = 7", True), ("id = 8", False), ("owner = null", True), ("closedFlag = false", False), ("id in (7)", True)]
)
TREES = st.recursive(
    SIMPLE,
    lambda inner: st.tuples(inner, st.sampled_from(["and", "or"]), inner).map(
        lambda tree: (
            f"({tree[0][0]}) {tree[1]} ({tree[2][0]})",
            (tree[0][1] and tree[2][1]) if tree[1] == "and" else (tree[0][1] or tree[2][1]),
        )
    ),
    max_leaves=12,
)


@given(TREES)
def test_any_tree_of_and_and_or_means_what_its_parts_mean(tree: tuple[str, bool]) -> None:
    text, holds = tree
    assert parse_conditions(text, Ticket)(TICKET) is holds


@given(
    st.lists(st.booleans(), min_size=1, max_size=6), st.lists(st.sampled_from(["and", "or"]), min_size=5, max_size=5)
)
def test_and_binds_tighter_than_or(values: list[bool], words: list[str]) -> None:
    parts = [f"id = {7 if value else 8}" for value in values]
    text = parts[0] + "".join(f" {word} {part}" for word, part in zip(words, parts[1:], strict=False))
    python = str(values[0]) + "".join(f" {word} {value}" for word, value in zip(words, values[1:], strict=False))
    assert parse_conditions(text, Ticket)(TICKET) is eval(python)


@given(st.text(max_size=40))
def test_any_text_is_either_read_or_refused(text: str) -> None:
    try:
        predicate = parse_conditions(text, Ticket)
    except ConditionError:
        return
    assert predicate(TICKET) in (True, False)


@given(st.text(alphabet=st.characters(blacklist_characters='"', blacklist_categories=("Cs",)), max_size=20))
def test_any_text_in_quotes_is_compared_as_it_stands(text: str) -> None:
    ticket = Ticket(
        id=1,
        info=TICKET.info,
        summary=text,
        board=TICKET.board,
        status=TICKET.status,
        company=TICKET.company,
        record_type="x",
    )
    assert parse_conditions(f'summary = "{text}"', Ticket)(ticket)
