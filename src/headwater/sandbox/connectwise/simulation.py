"""The company that lives: days full of events, each day's dice drawn from the seed and the day alone."""

from __future__ import annotations

import functools
from collections import deque
from collections.abc import Callable
from datetime import datetime, timedelta
from random import Random

from headwater.sandbox.connectwise.business import (
    agreements,
    invoicing,
    people,
    projects,
    sales,
    staff,
    tickets,
    time_entries,
)
from headwater.sandbox.connectwise.business.random_draw import between, chance, pick, times
from headwater.sandbox.connectwise.clock import DAY, START, months_after
from headwater.sandbox.connectwise.setup import found_setup
from headwater.sandbox.connectwise.state import HOUSE, Firm

Act = Callable[[Firm], object]

_OPENS, _CLOSES = 8 * 3600, 17 * 3600

_COMPANY_CHANGES: tuple[tuple[float, Callable[[Firm, int], object]], ...] = (
    (0.0025, people.rename_company),
    (0.004, people.change_company_status),
    (0.003, people.move_company),
    (0.004, people.delete_contact),
    (0.004, people.change_contact),
    (0.008, projects.start_project),
)
"""How often, a company and day, each of these happens."""

_AGREEMENT_CHANGES: tuple[tuple[float, Callable[[Firm, int], object]], ...] = (
    (0.003, agreements.change_amount),
    (0.001, agreements.change_type),
    (0.0006, agreements.cancel),
    (0.0004, agreements.end),
)


class Simulation:
    """A firm and the events that wait for it. The same seed gives the same life, in whatever steps it is lived."""

    def __init__(self, firm: Firm) -> None:
        self.firm = firm
        self._day = START
        self._dice = Random(0)
        self._agenda: deque[tuple[datetime, int, Act]] = deque()

    def advance(self, span: timedelta) -> datetime:
        """Live on; the clock then stands at the end of `span`, before whatever happens at that instant."""
        until = self.firm.now + span
        while self._day < until or self._agenda:
            if not self._agenda:
                self._wake()
                continue
            if self._agenda[0][0] >= until:
                break
            self.firm.now, _, act = self._agenda.popleft()
            self.firm.rng = self._dice
            act(self.firm)
        self.firm.now = until
        return until

    def _wake(self) -> None:
        self._dice = Random(f"{self.firm.seed}:{self._day.date()}")
        acts = _plan(self.firm, self._day, self._dice)
        self._agenda.extend((self._day + timedelta(seconds=second), at, act) for second, at, act in acts)
        self._day += DAY


def live(*, seed: int = 7, companies: int = 12, months: int = 6) -> Simulation:
    """A company with so many customers, after so many months of life since the start of its history."""
    firm = Firm(seed)
    found_setup(firm)
    staff.found_members(firm, 8 + companies // 3)
    people.found_companies(firm, companies)
    agreements.sign_house(firm)
    for ident in people.customers(firm):
        agreements.sign_customer(firm, firm.companies.rows[ident])
    projects.start_project(firm, HOUSE)
    simulation = Simulation(firm)
    simulation.advance(months_after(START, months) - START)
    return simulation


def _plan(firm: Firm, day: datetime, rng: Random) -> list[tuple[int, int, Act]]:
    """The events of a day in their order; each throws the day's dice again when it happens."""
    working = day.weekday() < 5
    acts = _desk_acts(firm, rng, working=working)
    if working:
        acts += _office_acts(firm, rng)
        acts += _changes(firm, rng)
    timed = [(between(rng, _OPENS, _CLOSES), act) for act in acts]
    timed += _fixed_acts(day, working=working)
    return sorted(((second, at, act) for at, (second, act) in enumerate(timed)), key=lambda event: event[:2])


def _desk_acts(firm: Firm, rng: Random, *, working: bool) -> list[Act]:
    pace = 1.0 if working else 0.06
    acts: list[Act] = []
    for company in firm.companies.rows:
        many = times(rng, (0.5 if company == HOUSE else 0.85) * pace)
        acts += [functools.partial(tickets.open_ticket, company_id=company)] * many
    acts += [functools.partial(tickets.work_ticket, ticket_id=ident) for ident in firm.desk.open_tickets
             if chance(rng, 0.75 * pace)]  # fmt: skip
    acts += [functools.partial(tickets.settle_ticket, ticket_id=ident) for ident in firm.desk.resolved
             if chance(rng, 0.4 * pace)]  # fmt: skip
    return acts


def _office_acts(firm: Firm, rng: Random) -> list[Act]:
    staff, customers = len(firm.members.rows), len(firm.companies.rows) - 1
    acts: list[Act] = [time_entries.log_internal] * times(rng, staff * 0.3)
    acts += [time_entries.log_company] * times(rng, customers * 0.04) + [time_entries.spend] * times(
        rng, customers * 0.05
    )
    acts += [sales.sell] * times(rng, customers * 0.05) + [sales.offer] * times(rng, customers * 0.015)
    acts += [sales.win] * times(rng, customers * 0.0004)
    acts += [functools.partial(projects.work_project_ticket, ticket_id=ident)
             for ident in firm.desk.open_project_tickets if chance(rng, 0.12)]  # fmt: skip
    acts += [functools.partial(sales.pursue, opportunity_id=ident)
             for ident in firm.desk.open_opportunities if chance(rng, 0.05)]  # fmt: skip
    if chance(rng, 0.02):
        acts.append(functools.partial(projects.start_project, company_id=HOUSE))
    return acts


def _changes(firm: Firm, rng: Random) -> list[Act]:
    companies, members = people.customers(firm), list(firm.members.rows)
    in_force, additions = agreements.agreements_in_force(firm), list(firm.additions.rows)
    acts: list[Act] = []
    for rate, change in _COMPANY_CHANGES:
        acts += [_on(change, pick(rng, companies)) for _ in range(times(rng, rate * len(companies)))]
    for rate, change in _AGREEMENT_CHANGES:
        chosen = {pick(rng, in_force): None for _ in range(times(rng, rate * len(in_force)))}
        acts += [_on(_if_in_force(change), ident) for ident in chosen]
    acts += [_on(agreements.change_addition, pick(rng, additions)) for _ in range(times(rng, len(additions) * 0.003))]
    acts += [_on(staff.change_member_cost, pick(rng, members)) for _ in range(times(rng, len(members) * 0.004))]
    return acts


def _if_in_force(change: Callable[[Firm, int], object]) -> Callable[[Firm, int], object]:
    """The change, unless the agreement has ended earlier on the same day."""

    def changed(firm: Firm, ident: int) -> object:
        active = firm.agreements.rows[ident].agreement_status == "Active"
        return change(firm, ident) if active else None

    return changed


def _on(change: Callable[[Firm, int], object], ident: int) -> Act:
    return lambda firm: change(firm, ident)


def _fixed_acts(day: datetime, *, working: bool) -> list[tuple[int, Act]]:
    acts: list[tuple[int, Act]] = [(15 * 3600, invoicing.collect)] if working else []
    if working:
        acts.append((18 * 3600, time_entries.approve))
    if day.day == 2:
        acts.append((10 * 3600, invoicing.invoice_month))
    return acts
