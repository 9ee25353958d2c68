"""The state of the simulated company: its records, its clock and its open work."""

from __future__ import annotations

import functools
import itertools
from datetime import datetime
from random import Random
from typing import Any

from headwater.sandbox.connectwise.clock import START, format_timestamp
from headwater.sandbox.connectwise.collection import Collection
from headwater.sandbox.connectwise.records import customer, finance, service, setup, work
from headwater.sandbox.connectwise.records.base import LINK_URL, ChangeStamp, Record, Reference

OWN_COMPANY = 1
"""Id of the simulated company itself in `companies`."""

SYSTEM_USER = "kerfi"
"""The user of changes that no member makes."""


class PsaState:
    """All records of the simulated PSA, its clock, and the random numbers of the current day."""

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
        self.time_entries = Collection("time/entries", work.TimeEntry)
        self.expenses = Collection("expense/entries", work.ExpenseEntry)
        self.agreement_types = Collection("finance/agreements/types", finance.AgreementType)
        self.agreements = Collection("finance/agreements", finance.Agreement)
        self.additions = Collection("finance/agreements/additions", finance.Addition)
        self.invoices = Collection("finance/invoices", finance.Invoice)
        self.products = Collection("procurement/products", finance.Product)
        self.indexes = Indexes()

    @property
    def collections(self) -> dict[str, Collection[Any]]:
        """All collections, by path."""
        return {collection.path: collection for collection in vars(self).values() if isinstance(collection, Collection)}

    def build_stamp(self, by: str = SYSTEM_USER) -> ChangeStamp:
        """Build the `_info` of a record that is created now."""
        at = format_timestamp(self.now)
        return ChangeStamp(last_updated=at, updated_by=by, date_entered=at, entered_by=by)

    def build_change_stamp(self, record: Record, by: str = SYSTEM_USER) -> ChangeStamp:
        """Build the `_info` of a record that changes now."""
        info = record.info
        return ChangeStamp(
            last_updated=format_timestamp(self.now),
            updated_by=by,
            date_entered=info.date_entered,
            entered_by=info.entered_by,
        )


class Indexes:
    """Ids of open work, and lookups by id. A dict with None values is an ordered set."""

    def __init__(self) -> None:
        self.open_tickets: dict[int, None] = {}
        self.resolved_tickets: dict[int, None] = {}
        self.open_project_tickets: dict[int, None] = {}
        self.open_tickets_by_project: dict[int, int] = {}
        self.unapproved_entries: dict[int, None] = {}
        self.ready_to_bill: dict[int, None] = {}
        self.unbilled_products: dict[int, None] = {}
        self.unbilled_expenses: dict[int, None] = {}
        self.unpaid_invoices: dict[int, None] = {}
        self.open_opportunities: dict[int, None] = {}
        self.contacts_by_company: dict[int, list[int]] = {}
        self.agreements_by_company: dict[int, list[int]] = {}
        self.billing_kinds: dict[int, str] = {}


@functools.lru_cache(maxsize=65_536)
def build_reference(
    path: str, ident: int, name: str | None, *, key: str, identifier: str | None = None, kind: str | None = None
) -> Reference:
    """Build the reference to a record. `key` is the name of its link in `_info`. Equal references are the same object."""
    return Reference(ident, name, identifier, kind, info={f"{key}_href": f"{LINK_URL}/{path}/{ident}"})


def build_board_ref(board: service.Board) -> Reference:
    """Build the reference to a board."""
    return build_reference("service/boards", board.id, board.name, key="board")


def build_project_ref(project: service.Project) -> Reference:
    """Build the reference to a project."""
    return build_reference("project/projects", project.id, project.name, key="project")


def build_company_ref(company: customer.Company) -> Reference:
    """Build the reference to a company."""
    return build_reference("company/companies", company.id, company.name, key="company", identifier=company.identifier)


def build_contact_ref(contact: customer.Contact) -> Reference:
    """Build the reference to a contact."""
    return build_reference("company/contacts", contact.id, f"{contact.first_name} {contact.last_name}", key="contact")


def build_member_ref(member: setup.Member) -> Reference:
    """Build the reference to a member."""
    name = f"{member.first_name} {member.last_name}"
    return build_reference("system/members", member.id, name, key="member", identifier=member.identifier)


def build_agreement_ref(agreement: finance.Agreement | None) -> Reference | None:
    """Build the reference to an agreement. None gives None."""
    if agreement is None:
        return None
    return build_reference(
        "finance/agreements", agreement.id, agreement.name, key="agreement", kind=agreement.type.name
    )
