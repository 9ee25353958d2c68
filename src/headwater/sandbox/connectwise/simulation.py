"""Simulates the company day by day. The random numbers of a day depend on the seed and the day only."""

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
from headwater.sandbox.connectwise.business.random_draw import choose, draw_bool, draw_count, draw_int
from headwater.sandbox.connectwise.clock import DAY, START, add_months
from headwater.sandbox.connectwise.setup import create_setup
from headwater.sandbox.connectwise.state import OWN_COMPANY, PsaState

Action = Callable[[PsaState], object]

_OPENING, _CLOSING = 8 * 3600, 17 * 3600

_COMPANY_CHANGES: tuple[tuple[float, Callable[[PsaState, int], object]], ...] = (
    (0.0025, people.rename_company),
    (0.004, people.change_company_status),
    (0.003, people.move_company),
    (0.004, people.delete_contact),
    (0.004, people.change_contact),
    (0.008, projects.start_project),
)
"""The probability of each change, per company and working day."""

_AGREEMENT_CHANGES: tuple[tuple[float, Callable[[PsaState, int], object]], ...] = (
    (0.003, agreements.change_amount),
    (0.001, agreements.change_type),
    (0.0006, agreements.cancel_agreement),
    (0.0004, agreements.expire_agreement),
)


class Simulation:
    """The state of a company and its scheduled events. The same seed gives the same data, whatever the size of the steps."""

    def __init__(self, state: PsaState) -> None:
        self.state = state
        self._day = START
        self._rng = Random(0)
        self._queue: deque[tuple[datetime, int, Action]] = deque()

    def advance(self, span: timedelta) -> datetime:
        """Advance the clock by `span` and run the events before its new time. Return the new time."""
        end = self.state.now + span
        while self._day < end or self._queue:
            if not self._queue:
                self._schedule_day()
                continue
            if self._queue[0][0] >= end:
                break
            self.state.now, _, action = self._queue.popleft()
            self.state.rng = self._rng
            action(self.state)
        self.state.now = end
        return end

    def _schedule_day(self) -> None:
        self._rng = Random(f"{self.state.seed}:{self._day.date()}")
        actions = _plan_day(self.state, self._day, self._rng)
        self._queue.extend((self._day + timedelta(seconds=second), at, action) for second, at, action in actions)
        self._day += DAY


def build_simulation(*, seed: int = 7, companies: int = 12, months: int = 6) -> Simulation:
    """Create a company with `companies` customers, and simulate `months` months from `START`."""
    state = PsaState(seed)
    create_setup(state)
    staff.hire_members(state, 8 + companies // 3)
    people.create_companies(state, companies)
    agreements.sign_own_agreement(state)
    for ident in people.list_customers(state):
        agreements.sign_customer(state, state.companies.rows[ident])
    projects.start_project(state, OWN_COMPANY)
    simulation = Simulation(state)
    simulation.advance(add_months(START, months) - START)
    return simulation


def _plan_day(state: PsaState, day: datetime, rng: Random) -> list[tuple[int, int, Action]]:
    """Return the events of a day in order: second of the day, sequence number, action.

    Each action draws from the random numbers of the day when it runs.
    """
    is_workday = day.weekday() < 5
    actions = _plan_tickets(state, rng, is_workday=is_workday)
    if is_workday:
        actions += _plan_office_work(state, rng)
        actions += _plan_changes(state, rng)
    events = [(draw_int(rng, _OPENING, _CLOSING), action) for action in actions]
    events += _plan_fixed_events(day, is_workday=is_workday)
    return sorted(((second, at, action) for at, (second, action) in enumerate(events)), key=lambda event: event[:2])


def _plan_tickets(state: PsaState, rng: Random, *, is_workday: bool) -> list[Action]:
    pace = 1.0 if is_workday else 0.06
    actions: list[Action] = []
    for company in state.companies.rows:
        count = draw_count(rng, (0.5 if company == OWN_COMPANY else 0.85) * pace)
        actions += [functools.partial(tickets.open_ticket, company_id=company)] * count
    actions += [functools.partial(tickets.advance_ticket, ticket_id=ident) for ident in state.indexes.open_tickets
             if draw_bool(rng, 0.75 * pace)]  # fmt: skip
    actions += [functools.partial(tickets.close_or_reopen_ticket, ticket_id=ident) for ident in state.indexes.resolved_tickets
             if draw_bool(rng, 0.4 * pace)]  # fmt: skip
    return actions


def _plan_office_work(state: PsaState, rng: Random) -> list[Action]:
    staff, customers = len(state.members.rows), len(state.companies.rows) - 1
    actions: list[Action] = [time_entries.log_internal_time] * draw_count(rng, staff * 0.3)
    actions += [time_entries.log_company_time] * draw_count(rng, customers * 0.04) + [
        time_entries.add_expense
    ] * draw_count(rng, customers * 0.05)
    actions += [sales.sell_product] * draw_count(rng, customers * 0.05) + [sales.create_opportunity] * draw_count(
        rng, customers * 0.015
    )
    actions += [sales.win_customer] * draw_count(rng, customers * 0.0004)
    actions += [functools.partial(projects.advance_project_ticket, ticket_id=ident)
             for ident in state.indexes.open_project_tickets if draw_bool(rng, 0.12)]  # fmt: skip
    actions += [functools.partial(sales.advance_opportunity, opportunity_id=ident)
             for ident in state.indexes.open_opportunities if draw_bool(rng, 0.05)]  # fmt: skip
    if draw_bool(rng, 0.02):
        actions.append(functools.partial(projects.start_project, company_id=OWN_COMPANY))
    return actions


def _plan_changes(state: PsaState, rng: Random) -> list[Action]:
    companies, members = people.list_customers(state), list(state.members.rows)
    agreement_ids, additions = agreements.list_active_agreements(state), list(state.additions.rows)
    actions: list[Action] = []
    for rate, change in _COMPANY_CHANGES:
        actions += [_bind_record(change, choose(rng, companies)) for _ in range(draw_count(rng, rate * len(companies)))]
    for rate, change in _AGREEMENT_CHANGES:
        changed_ids = {choose(rng, agreement_ids): None for _ in range(draw_count(rng, rate * len(agreement_ids)))}
        actions += [_bind_record(_skip_if_ended(change), ident) for ident in changed_ids]
    actions += [
        _bind_record(agreements.change_addition, choose(rng, additions))
        for _ in range(draw_count(rng, len(additions) * 0.003))
    ]
    actions += [
        _bind_record(staff.change_member_cost, choose(rng, members))
        for _ in range(draw_count(rng, len(members) * 0.004))
    ]
    return actions


def _skip_if_ended(change: Callable[[PsaState, int], object]) -> Callable[[PsaState, int], object]:
    """Wrap `change` so that it does nothing if the agreement has ended earlier on the same day."""

    def change_active(state: PsaState, ident: int) -> object:
        active = state.agreements.rows[ident].agreement_status == "Active"
        return change(state, ident) if active else None

    return change_active


def _bind_record(change: Callable[[PsaState, int], object], ident: int) -> Action:
    return lambda state: change(state, ident)


def _plan_fixed_events(day: datetime, *, is_workday: bool) -> list[tuple[int, Action]]:
    actions: list[tuple[int, Action]] = [(15 * 3600, invoicing.collect_payments)] if is_workday else []
    if is_workday:
        actions.append((18 * 3600, time_entries.approve_entries))
    if day.day == 2:
        actions.append((10 * 3600, invoicing.create_monthly_invoices))
    return actions
