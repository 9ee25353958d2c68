"""The state of the simulated company: its records, its clock, and what it has on its desk."""

from __future__ import annotations

import functools
import itertools
from datetime import datetime
from random import Random
from typing import Any

from headwater.sandbox.connectwise.clock import START, stamp
from headwater.sandbox.connectwise.collection import Collection
from headwater.sandbox.connectwise.records import customer, finance, service, setup, work
from headwater.sandbox.connectwise.records.base import SITE, Record, Reference, Stamp

HOUSE = 1
"""The id of the company itself among the companies."""

SYSTEM = "kerfi"
"""Who changes records when nobody does."""


class Firm:
    """Everything its PSA knows, and the dice of the day."""

    def __init__(self, seed: int) -> None:
        tickets = itertools.count(1001)
        self.seed = seed
        self.now: datetime = START
        self.rng = Random(f"{seed}:founding")
        self.locations = Collection("system/locations", setup.Location)
        self.departments = Collection("system/departments", setup.Department)
        self.work_roles = Collection("time/workRoles", setup.WorkRole)
        self.work_types = Collection("time/workTypes", setup.WorkType)
        self.members = Collection("system/members", setup.Member)
        self.companies = Collection("company/companies", customer.Company)
        self.contacts = Collection("company/contacts", customer.Contact)
        self.opportunities = Collection("sales/opportunities", customer.Opportunity)
        self.boards = Collection("service/boards", service.Board)
        self.tickets = Collection("service/tickets", service.Ticket, ids=tickets)
        self.project_tickets = Collection("project/tickets", service.ProjectTicket, ids=tickets)
        self.projects = Collection("project/projects", service.Project)
        self.schedule = Collection("schedule/entries", service.ScheduleEntry)
        self.times = Collection("time/entries", work.TimeEntry)
        self.expenses = Collection("expense/entries", work.ExpenseEntry)
        self.agreement_types = Collection("finance/agreements/types", finance.AgreementType)
        self.agreements = Collection("finance/agreements", finance.Agreement)
        self.additions = Collection("finance/agreements/additions", finance.Addition)
        self.invoices = Collection("finance/invoices", finance.Invoice)
        self.products = Collection("procurement/products", finance.Product)
        self.desk = Desk()

    @property
    def collections(self) -> dict[str, Collection[Any]]:
        """Every collection by its path."""
        return {shelf.path: shelf for shelf in vars(self).values() if isinstance(shelf, Collection)}

    def entered(self, by: str = SYSTEM) -> Stamp:
        """The stamp of a record that is entered now."""
        at = stamp(self.now)
        return Stamp(last_updated=at, updated_by=by, date_entered=at, entered_by=by)

    def changed(self, record: Record, by: str = SYSTEM) -> Stamp:
        """The stamp of a record that changes now."""
        was = record.info
        return Stamp(
            last_updated=stamp(self.now), updated_by=by, date_entered=was.date_entered, entered_by=was.entered_by
        )


class Desk:
    """What waits for somebody. Dicts are used as sets that remember their order."""

    def __init__(self) -> None:
        self.open_tickets: dict[int, None] = {}
        self.resolved: dict[int, None] = {}
        self.open_project_tickets: dict[int, None] = {}
        self.project_tickets: dict[int, int] = {}
        self.unapproved: dict[int, None] = {}
        self.ready_times: dict[int, None] = {}
        self.unbilled_products: dict[int, None] = {}
        self.unbilled_expenses: dict[int, None] = {}
        self.unpaid: dict[int, None] = {}
        self.open_opportunities: dict[int, None] = {}
        self.people: dict[int, list[int]] = {}
        self.covers: dict[int, list[int]] = {}
        self.kinds: dict[int, str] = {}


@functools.lru_cache(maxsize=65_536)
def link(
    path: str, ident: int, name: str | None, *, key: str, identifier: str | None = None, kind: str | None = None
) -> Reference:
    """A record, as others name it; `key` is the service's word for the link. Equal ones are the same object."""
    return Reference(ident, name, identifier, kind, info={f"{key}_href": f"{SITE}/{path}/{ident}"})


def board_ref(board: service.Board) -> Reference:
    """A board, as others name it."""
    return link("service/boards", board.id, board.name, key="board")


def project_ref(project: service.Project) -> Reference:
    """A project, as others name it."""
    return link("project/projects", project.id, project.name, key="project")


def company_ref(company: customer.Company) -> Reference:
    """A company, as others name it."""
    return link("company/companies", company.id, company.name, key="company", identifier=company.identifier)


def contact_ref(contact: customer.Contact) -> Reference:
    """A contact, as others name it."""
    return link("company/contacts", contact.id, f"{contact.first_name} {contact.last_name}", key="contact")


def member_ref(member: setup.Member) -> Reference:
    """A member, as others name it."""
    name = f"{member.first_name} {member.last_name}"
    return link("system/members", member.id, name, key="member", identifier=member.identifier)


def agreement_ref(agreement: finance.Agreement | None) -> Reference | None:
    """An agreement, as others name it."""
    if agreement is None:
        return None
    return link("finance/agreements", agreement.id, agreement.name, key="agreement", kind=agreement.type.name)
