"""Customers and their people: how they come, change and go."""

from __future__ import annotations

import itertools

from headwater.sandbox.connectwise.business import sample_text
from headwater.sandbox.connectwise.business.random_draw import between, chance, pick, shuffled
from headwater.sandbox.connectwise.business.staff import person
from headwater.sandbox.connectwise.clock import START, stamp
from headwater.sandbox.connectwise.records.base import Reference
from headwater.sandbox.connectwise.records.customer import Company, Contact
from headwater.sandbox.connectwise.setup import (
    COMPANY_STATUSES,
    ICELAND,
    KRONA,
    OFFICES,
    TERRITORIES,
    UTC_ZONE,
    location_ref,
)
from headwater.sandbox.connectwise.state import HOUSE, Firm, company_ref, contact_ref

_CUSTOMER = Reference(1, "Viðskiptavinur")
_OWN = Reference(2, "Eigið félag")
_MARKETS = ("Sjávarútvegur", "Verslun", "Þjónusta", "Iðnaður", "Ferðaþjónusta")


def found_companies(firm: Firm, count: int) -> None:
    """Enter the company itself and its first customers."""
    welcome(firm, "Upptök ehf.", kind=_OWN)
    for name in _names(firm, count):
        welcome(firm, name)


def win_customer(firm: Firm) -> Company:
    """A new customer, its name unlike all the others."""
    taken = {company.name for company in firm.companies.rows.values()}
    return welcome(firm, next(name for name in _names(firm, len(taken) + 1) if name not in taken))


def welcome(firm: Firm, name: str, *, kind: Reference = _CUSTOMER) -> Company:
    """Enter a company with its people."""
    company = firm.companies.add(_company(firm, name, kind))
    firm.desk.people[company.id] = []
    firm.desk.covers[company.id] = []
    for _ in range(between(firm.rng, 3, 6)):
        add_contact(firm, company)
    first = firm.contacts.rows[firm.desk.people[company.id][0]]
    company.default_contact = company.billing_contact = contact_ref(first)
    return firm.companies.touch(company, firm.entered())


def add_contact(firm: Firm, company: Company) -> Contact:
    """Somebody new at a company."""
    first, last = person(firm)
    phone = f"+354 {between(firm.rng, 420, 899)} {between(firm.rng, 1000, 9999)}"
    people = firm.desk.people[company.id]
    mail = f"{sample_text.ascii_only(first)}.{sample_text.ascii_only(last)}@{company.website}"
    contact = Contact(
        id=firm.contacts.next_id(),
        info=firm.entered(),
        first_name=first,
        last_name=last,
        company=company_ref(company),
        inactive_flag=False,
        address_line1=company.address_line1,
        city=company.city,
        zip=company.zip,
        country=ICELAND,
        relationship=Reference(1, "Starfsmaður"),
        department=Reference(1, "Skrifstofa"),
        manager_contact=contact_ref(firm.contacts.rows[people[0]]) if people else None,
        title=pick(firm.rng, sample_text.TITLES),
        disable_portal_login_flag=True,
        unsubscribe_flag=False,
        default_phone_type="Sími",
        default_phone_nbr=phone,
        default_flag=not people,
        default_billing_flag=not people,
        communication_items=[_item(1, "Netfang", mail, kind="Email"), _item(2, "Sími", phone, kind="Phone")],
        types=[Reference(1, "Notandi")],
    )
    people.append(contact.id)
    return firm.contacts.add(contact)


def caller(firm: Firm, company_id: int) -> Contact:
    """Who calls on behalf of a company: never the last in its list, who may leave."""
    people = firm.desk.people[company_id]
    if not people:
        return add_contact(firm, firm.companies.rows[company_id])
    return firm.contacts.rows[pick(firm.rng, people[:2])]


def delete_contact(firm: Firm, company_id: int) -> None:
    """Somebody whom no record names leaves, without a trace."""
    people = firm.desk.people[company_id]
    if len(people) > 2:
        firm.contacts.remove(people.pop())


def change_contact(firm: Firm, company_id: int) -> None:
    """Somebody gets another title and number."""
    if not firm.desk.people[company_id]:
        return
    contact = firm.contacts.rows[pick(firm.rng, firm.desk.people[company_id])]
    contact.title = pick(firm.rng, sample_text.TITLES)
    contact.default_phone_nbr = f"+354 {between(firm.rng, 420, 899)} {between(firm.rng, 1000, 9999)}"
    firm.contacts.touch(contact, firm.changed(contact, _somebody(firm)))


def rename_company(firm: Firm, company_id: int) -> None:
    """A company gets another name; its identifier stays."""
    company = firm.companies.rows[company_id]
    taken = {other.name for other in firm.companies.rows.values()}
    company.name = next(name for name in _names(firm, len(taken) + 1) if name not in taken)
    firm.companies.touch(company, firm.changed(company, _somebody(firm)))


def change_company_status(firm: Firm, company_id: int) -> None:
    """A company pauses, falls into arrears or comes back."""
    company = firm.companies.rows[company_id]
    company.status = pick(firm.rng, [status for status in COMPANY_STATUSES if status.id != company.status.id])
    firm.companies.touch(company, firm.changed(company, _somebody(firm)))


def move_company(firm: Firm, company_id: int) -> None:
    """A company moves to another territory."""
    company = firm.companies.rows[company_id]
    company.territory = _territory(firm)
    company.city, company.zip = pick(firm.rng, sample_text.TOWNS)
    company.address_line1 = f"{pick(firm.rng, sample_text.STREETS)} {between(firm.rng, 1, 80)}"
    firm.companies.touch(company, firm.changed(company, _somebody(firm)))


def customers(firm: Firm) -> list[int]:
    """The companies that are not the company itself."""
    return [ident for ident in firm.companies.rows if ident != HOUSE]


def _company(firm: Firm, name: str, kind: Reference) -> Company:
    rng, ident = firm.rng, firm.companies.next_id()
    town, code = pick(rng, sample_text.TOWNS)
    plain = sample_text.ascii_only(name.rsplit(" ", 1)[0])
    market = between(rng, 1, len(_MARKETS))
    return Company(
        id=ident,
        info=firm.entered(),
        identifier=f"{plain.upper()[:22]}{ident}",
        name=name,
        status=COMPANY_STATUSES[0],
        types=[kind],
        address_line1=f"{pick(rng, sample_text.STREETS)} {between(rng, 1, 80)}",
        city=town,
        zip=code,
        country=ICELAND,
        phone_number=f"+354 {between(rng, 420, 599)} {between(rng, 1000, 9999)}",
        website=f"{plain}.example",
        territory=_territory(firm),
        market=Reference(market, _MARKETS[market - 1]),
        account_number=f"V{ident:05}",
        date_acquired=stamp(START.replace(year=between(rng, 2010, 2024), month=between(rng, 1, 12))),
        annual_revenue=float(between(rng, 40, 3_000) * 1_000_000),
        number_of_employees=between(rng, 4, 250),
        ownership_type=Reference(1, "Einkahlutafélag"),
        time_zone_setup=UTC_ZONE,
        lead_source="Meðmæli" if chance(rng, 0.5) else None,
        lead_flag=False,
        unsubscribe_flag=False,
        tax_identifier=f"{between(rng, 410_000, 719_999)}-{between(rng, 1000, 9999)}",
        tax_code=Reference(1, "VSK 24%"),
        billing_terms=Reference(1, "15 dagar"),
        bill_to_company=None if kind is _OWN else Reference(ident, name),
        invoice_to_email_address=f"bokhald@{plain}.example",
        currency=KRONA,
        deleted_flag=False,
    )


def _names(firm: Firm, count: int) -> list[str]:
    places, trades = shuffled(firm.rng, sample_text.PLACES), shuffled(firm.rng, sample_text.TRADES)
    pairs = (
        f"{trades[(at + turn) % len(trades)]} {place}" for turn in range(len(trades)) for at, place in enumerate(places)
    )
    return [f"{name} {pick(firm.rng, sample_text.FORMS)}" for name in itertools.islice(pairs, count)]


def _territory(firm: Firm) -> Reference:
    ident = len(OFFICES) + between(firm.rng, 1, len(TERRITORIES))
    return location_ref(firm, ident)


def _somebody(firm: Firm) -> str:
    return pick(firm.rng, list(firm.members.rows.values())).identifier


def _item(ident: int, name: str, value: str, *, kind: str) -> dict[str, object]:
    return {
        "id": ident,
        "type": {"id": ident, "name": name},
        "value": value,
        "defaultFlag": True,
        "communicationType": kind,
    }
