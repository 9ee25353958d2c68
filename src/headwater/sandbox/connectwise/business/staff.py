"""Members (employees): how they are hired, and what an hour costs."""

from __future__ import annotations

from headwater.sandbox.connectwise.business import sample_text
from headwater.sandbox.connectwise.business.random_draw import choose, draw_bool, draw_int
from headwater.sandbox.connectwise.clock import START, format_timestamp
from headwater.sandbox.connectwise.records.base import Reference
from headwater.sandbox.connectwise.records.setup import Member
from headwater.sandbox.connectwise.setup import OFFICES, WORK_ROLES, build_department_ref, build_location_ref
from headwater.sandbox.connectwise.state import PsaState, build_member_ref


def hire_members(state: PsaState, count: int) -> None:
    """Hire the first `count` members."""
    for number in range(count):
        _hire_member(state, number)


def change_member_cost(state: PsaState, member_id: int) -> None:
    """Raise the hourly cost of a member, or set it for the first time."""
    member = state.members.rows[member_id]
    member.hourly_cost = round((member.hourly_cost or 8_000.0) * (1.03 + state.rng.random() * 0.05), 0)
    state.members.touch(member, state.build_change_stamp(member, "stjorn"))


def draw_person_name(state: PsaState) -> tuple[str, str]:
    """Draw a first name and a patronymic."""
    woman = draw_bool(state.rng, 0.5)
    first, father = (
        choose(state.rng, sample_text.WOMEN if woman else sample_text.MEN),
        choose(state.rng, sample_text.FATHERS),
    )
    return first, father + ("dóttir" if woman else "son")


def _hire_member(state: PsaState, number: int) -> None:
    rng = state.rng
    first, last = draw_person_name(state)
    identifier = f"{sample_text.to_ascii(first)}{sample_text.to_ascii(last)[:1]}{number + 1}"
    role = number % len(WORK_ROLES) + 1
    manager = state.members.rows.get(1)
    state.members.add(
        Member(
            id=state.members.issue_id(),
            info=state.build_stamp(),
            identifier=identifier,
            first_name=first,
            last_name=last,
            title=WORK_ROLES[role - 1][0],
            license_class="F",
            hire_date=format_timestamp(START.replace(year=draw_int(rng, 2008, 2024), month=draw_int(rng, 1, 12))),
            inactive_flag=False,
            office_email=f"{identifier}@upptok.example",
            default_email="Office",
            default_phone="Office",
            office_phone=f"+354 520 {1000 + number}",
            default_location=build_location_ref(state, draw_int(rng, 1, len(OFFICES))),
            default_department=build_department_ref(state, number % 5 + 1),
            work_role=Reference(role, WORK_ROLES[role - 1][0]),
            work_type=Reference(1, "Dagvinna"),
            reports_to=build_member_ref(manager) if manager else None,
            daily_capacity=8.0,
            hourly_cost=None if number % 5 == 3 else float(draw_int(rng, 70, 135) * 100),
            hourly_rate=WORK_ROLES[role - 1][1],
            billable_forecast=75.0,
            include_in_utilization_reporting_flag=number % 9 != 8,
        )
    )
