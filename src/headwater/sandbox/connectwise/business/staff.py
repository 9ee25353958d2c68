"""The members of the company: how they are hired, and what an hour of them costs."""

from __future__ import annotations

from headwater.sandbox.connectwise.business import sample_text
from headwater.sandbox.connectwise.business.random_draw import between, chance, pick
from headwater.sandbox.connectwise.clock import START, stamp
from headwater.sandbox.connectwise.records.base import Reference
from headwater.sandbox.connectwise.records.setup import Member
from headwater.sandbox.connectwise.setup import OFFICES, WORK_ROLES, department_ref, location_ref
from headwater.sandbox.connectwise.state import Firm, member_ref


def found_members(firm: Firm, count: int) -> None:
    """Hire the people the company begins with."""
    for number in range(count):
        _hire(firm, number)


def change_member_cost(firm: Firm, member_id: int) -> None:
    """An hour of a member gets dearer, or has a cost for the first time."""
    member = firm.members.rows[member_id]
    member.hourly_cost = round((member.hourly_cost or 8_000.0) * (1.03 + firm.rng.random() * 0.05), 0)
    firm.members.touch(member, firm.changed(member, "stjorn"))


def person(firm: Firm) -> tuple[str, str]:
    """First name and patronymic of somebody."""
    woman = chance(firm.rng, 0.5)
    first, father = pick(firm.rng, sample_text.WOMEN if woman else sample_text.MEN), pick(firm.rng, sample_text.FATHERS)
    return first, father + ("dóttir" if woman else "son")


def _hire(firm: Firm, number: int) -> None:
    rng = firm.rng
    first, last = person(firm)
    identifier = f"{sample_text.ascii_only(first)}{sample_text.ascii_only(last)[:1]}{number + 1}"
    role = number % len(WORK_ROLES) + 1
    boss = firm.members.rows.get(1)
    firm.members.add(
        Member(
            id=firm.members.next_id(),
            info=firm.entered(),
            identifier=identifier,
            first_name=first,
            last_name=last,
            title=WORK_ROLES[role - 1][0],
            license_class="F",
            hire_date=stamp(START.replace(year=between(rng, 2008, 2024), month=between(rng, 1, 12))),
            inactive_flag=False,
            office_email=f"{identifier}@upptok.example",
            default_email="Office",
            default_phone="Office",
            office_phone=f"+354 520 {1000 + number}",
            default_location=location_ref(firm, between(rng, 1, len(OFFICES))),
            default_department=department_ref(firm, number % 5 + 1),
            work_role=Reference(role, WORK_ROLES[role - 1][0]),
            work_type=Reference(1, "Dagvinna"),
            reports_to=member_ref(boss) if boss else None,
            daily_capacity=8.0,
            hourly_cost=None if number % 5 == 3 else float(between(rng, 70, 135) * 100),
            hourly_rate=WORK_ROLES[role - 1][1],
            billable_forecast=75.0,
            include_in_utilization_reporting_flag=number % 9 != 8,
        )
    )
