"""Customers and their contacts: how they are created, changed and deleted."""

from __future__ import annotations

import itertools

from headwater.sandbox.connectwise.business import sample_text
from headwater.sandbox.connectwise.business.random_draw import choose, draw_bool, draw_int, shuffle
from headwater.sandbox.connectwise.business.staff import draw_person_name
from headwater.sandbox.connectwise.clock import START, format_timestamp
from headwater.sandbox.connectwise.records.base import Reference
from headwater.sandbox.connectwise.records.customer import Company, Contact
from headwater.sandbox.connectwise.setup import (
    COMPANY_STATUSES,
    ICELAND,
    KRONA,
    OFFICES,
    TERRITORIES,
    UTC_ZONE,
    build_location_ref,
)
from headwater.sandbox.connectwise.state import OWN_COMPANY, PsaState, build_company_ref, build_contact_ref

_CUSTOMER = Reference(1, "Viðskiptavinur")
_OWN = Reference(2, "Eigið félag")
_MARKETS = ("Sjávarútvegur", "Verslun", "Þjónusta", "Iðnaður", "Ferðaþjónusta")


def create_companies(state: PsaState, count: int) -> None:
    """Create the simulated company itself and its first customers."""
    create_company(state, "Upptök ehf.", kind=_OWN)
    for name in _draw_names(state, count):
        create_company(state, name)


def create_customer(state: PsaState) -> Company:
    """Create a customer with a unique name."""
    names = {company.name for company in state.companies.rows.values()}
    return create_company(state, next(name for name in _draw_names(state, len(names) + 1) if name not in names))


def create_company(state: PsaState, name: str, *, kind: Reference = _CUSTOMER) -> Company:
    """Create a company with its contacts."""
    company = state.companies.add(_build_company(state, name, kind))
    state.indexes.contacts_by_company[company.id] = []
    state.indexes.agreements_by_company[company.id] = []
    for _ in range(draw_int(state.rng, 3, 6)):
        add_contact(state, company)
    first = state.contacts.rows[state.indexes.contacts_by_company[company.id][0]]
    company.default_contact = company.billing_contact = build_contact_ref(first)
    return state.companies.touch(company, state.build_stamp())


def add_contact(state: PsaState, company: Company) -> Contact:
    """Add a contact to a company."""
    first, last = draw_person_name(state)
    phone = f"+354 {draw_int(state.rng, 420, 899)} {draw_int(state.rng, 1000, 9999)}"
    contact_ids = state.indexes.contacts_by_company[company.id]
    email = f"{sample_text.to_ascii(first)}.{sample_text.to_ascii(last)}@{company.website}"
    contact = Contact(
        id=state.contacts.issue_id(),
        info=state.build_stamp(),
        first_name=first,
        last_name=last,
        company=build_company_ref(company),
        inactive_flag=False,
        address_line1=company.address_line1,
        city=company.city,
        zip=company.zip,
        country=ICELAND,
        relationship=Reference(1, "Starfsmaður"),
        department=Reference(1, "Skrifstofa"),
        manager_contact=build_contact_ref(state.contacts.rows[contact_ids[0]]) if contact_ids else None,
        title=choose(state.rng, sample_text.TITLES),
        disable_portal_login_flag=True,
        unsubscribe_flag=False,
        default_phone_type="Sími",
        default_phone_nbr=phone,
        default_flag=not contact_ids,
        default_billing_flag=not contact_ids,
        communication_items=[
            _build_communication_item(1, "Netfang", email, kind="Email"),
            _build_communication_item(2, "Sími", phone, kind="Phone"),
        ],
        types=[Reference(1, "Notandi")],
    )
    contact_ids.append(contact.id)
    return state.contacts.add(contact)


def choose_caller(state: PsaState, company_id: int) -> Contact:
    """Choose a contact who calls for a company: never the last one, because `delete_contact` may delete it."""
    contact_ids = state.indexes.contacts_by_company[company_id]
    if not contact_ids:
        return add_contact(state, state.companies.rows[company_id])
    return state.contacts.rows[choose(state.rng, contact_ids[:2])]


def delete_contact(state: PsaState, company_id: int) -> None:
    """Delete a contact that no record refers to."""
    contact_ids = state.indexes.contacts_by_company[company_id]
    if len(contact_ids) > 2:
        state.contacts.remove(contact_ids.pop())


def change_contact(state: PsaState, company_id: int) -> None:
    """Change the title and the phone number of a contact."""
    if not state.indexes.contacts_by_company[company_id]:
        return
    contact = state.contacts.rows[choose(state.rng, state.indexes.contacts_by_company[company_id])]
    contact.title = choose(state.rng, sample_text.TITLES)
    contact.default_phone_nbr = f"+354 {draw_int(state.rng, 420, 899)} {draw_int(state.rng, 1000, 9999)}"
    state.contacts.touch(contact, state.build_change_stamp(contact, _choose_user(state)))


def rename_company(state: PsaState, company_id: int) -> None:
    """Rename a company. Its identifier does not change."""
    company = state.companies.rows[company_id]
    names = {other.name for other in state.companies.rows.values()}
    company.name = next(name for name in _draw_names(state, len(names) + 1) if name not in names)
    state.companies.touch(company, state.build_change_stamp(company, _choose_user(state)))


def change_company_status(state: PsaState, company_id: int) -> None:
    """Change the status of a company."""
    company = state.companies.rows[company_id]
    company.status = choose(state.rng, [status for status in COMPANY_STATUSES if status.id != company.status.id])
    state.companies.touch(company, state.build_change_stamp(company, _choose_user(state)))


def move_company(state: PsaState, company_id: int) -> None:
    """Move a company to another address and territory."""
    company = state.companies.rows[company_id]
    company.territory = _draw_territory(state)
    company.city, company.zip = choose(state.rng, sample_text.TOWNS)
    company.address_line1 = f"{choose(state.rng, sample_text.STREETS)} {draw_int(state.rng, 1, 80)}"
    state.companies.touch(company, state.build_change_stamp(company, _choose_user(state)))


def list_customers(state: PsaState) -> list[int]:
    """Return the ids of all companies except the simulated company itself."""
    return [ident for ident in state.companies.rows if ident != OWN_COMPANY]


def _build_company(state: PsaState, name: str, kind: Reference) -> Company:
    rng, ident = state.rng, state.companies.issue_id()
    town, code = choose(rng, sample_text.TOWNS)
    domain = sample_text.to_ascii(name.rsplit(" ", 1)[0])
    market = draw_int(rng, 1, len(_MARKETS))
    return Company(
        id=ident,
        info=state.build_stamp(),
        identifier=f"{domain.upper()[:22]}{ident}",
        name=name,
        status=COMPANY_STATUSES[0],
        types=[kind],
        address_line1=f"{choose(rng, sample_text.STREETS)} {draw_int(rng, 1, 80)}",
        city=town,
        zip=code,
        country=ICELAND,
        phone_number=f"+354 {draw_int(rng, 420, 599)} {draw_int(rng, 1000, 9999)}",
        website=f"{domain}.example",
        territory=_draw_territory(state),
        market=Reference(market, _MARKETS[market - 1]),
        account_number=f"V{ident:05}",
        date_acquired=format_timestamp(START.replace(year=draw_int(rng, 2010, 2024), month=draw_int(rng, 1, 12))),
        annual_revenue=float(draw_int(rng, 40, 3_000) * 1_000_000),
        number_of_employees=draw_int(rng, 4, 250),
        ownership_type=Reference(1, "Einkahlutafélag"),
        time_zone_setup=UTC_ZONE,
        lead_source="Meðmæli" if draw_bool(rng, 0.5) else None,
        lead_flag=False,
        unsubscribe_flag=False,
        tax_identifier=f"{draw_int(rng, 410_000, 719_999)}-{draw_int(rng, 1000, 9999)}",
        tax_code=Reference(1, "VSK 24%"),
        billing_terms=Reference(1, "15 dagar"),
        bill_to_company=None if kind is _OWN else Reference(ident, name),
        invoice_to_email_address=f"bokhald@{domain}.example",
        currency=KRONA,
        deleted_flag=False,
    )


def _draw_names(state: PsaState, count: int) -> list[str]:
    places, trades = shuffle(state.rng, sample_text.PLACES), shuffle(state.rng, sample_text.TRADES)
    pairs = (
        f"{trades[(at + turn) % len(trades)]} {place}" for turn in range(len(trades)) for at, place in enumerate(places)
    )
    return [f"{name} {choose(state.rng, sample_text.FORMS)}" for name in itertools.islice(pairs, count)]


def _draw_territory(state: PsaState) -> Reference:
    ident = len(OFFICES) + draw_int(state.rng, 1, len(TERRITORIES))
    return build_location_ref(state, ident)


def _choose_user(state: PsaState) -> str:
    return choose(state.rng, list(state.members.rows.values())).identifier


def _build_communication_item(ident: int, name: str, value: str, *, kind: str) -> dict[str, object]:
    return {
        "id": ident,
        "type": {"id": ident, "name": name},
        "value": value,
        "defaultFlag": True,
        "communicationType": kind,
    }
