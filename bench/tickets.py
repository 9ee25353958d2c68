"""100,000 tickets in the shape of ConnectWise, as the pages a server would send: 100 bodies of about 2.65 MB."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

START = datetime(2026, 1, 1, tzinfo=UTC)
"""When the first ticket was last updated; each next one a few seconds later."""

_BASE = "https://api-eu.myconnectwise.net/v4_6_release/apis/3.0"
_ENTRY = {"entryMethod": "EntryField", "numberOfDecimals": 0}
_WORDS = (
    "netþjónn", "prentari", "aðgangur", "lykilorð", "póstur", "afrit", "eldveggur", "beinir", "leyfi", "uppfærsla",
    "hægt", "villa", "nettenging", "skjár",
)  # fmt: skip


def pages(count: int = 100, size: int = 1000, *, seed: int = 7) -> Iterator[bytes]:
    """`count` bodies of `size` tickets each, ids from 1 up without a gap."""
    chance = random.Random(seed)
    for page in range(count):
        tickets = [_ticket(page * size + row + 1, chance) for row in range(size)]
        yield json.dumps(tickets, ensure_ascii=False, separators=(",", ":")).encode()


def _ticket(number: int, chance: random.Random) -> dict[str, Any]:
    entered = START + timedelta(seconds=20 * number)
    company = chance.randint(1, 400)
    return {
        "id": number,
        "summary": f"{' '.join(chance.choices(_WORDS, k=5))} {number}",
        "recordType": "ServiceTicket",
        **_references(chance, company),
        "siteName": f"Útibú {company % 9}",
        "addressLine1": f"Laugavegur {company}",
        "city": "Reykjavík",
        "zip": f"{100 + company % 90}",
        "contactName": f"Jón Jónsson {company}",
        "contactPhoneNumber": f"+354 5{chance.randint(100000, 999999)}",
        "contactEmailAddress": f"jon{company}@dæmi.is",
        "requiredDate": _stamp(entered + timedelta(days=3)),
        "budgetHours": chance.randint(0, 40) / 4,
        "actualHours": chance.randint(0, 80) / 4,
        "agreementType": chance.choice(("Tímapottur", "Rekstrarþjónusta", "yÞjónusta")),
        "severity": chance.choice(("Low", "Medium", "High")),
        "impact": chance.choice(("Low", "Medium", "High")),
        "allowAllClientsPortalView": False,
        "customerUpdatedFlag": chance.random() < 0.2,
        "automaticEmailContactFlag": False,
        "closedFlag": chance.random() < 0.7,
        "closedBy": "kerfi",
        "closedDate": _stamp(entered + timedelta(hours=chance.randint(1, 90))),
        "approved": True,
        "estimatedTimeCost": 0.0,
        "estimatedTimeRevenue": 0.0,
        "billingMethod": "ActualRates",
        "subBillingMethod": "ActualRates",
        "dateResolved": _stamp(entered + timedelta(hours=4)),
        "dateResplan": _stamp(entered + timedelta(hours=2)),
        "dateResponded": _stamp(entered + timedelta(hours=1)),
        "resolveMinutes": chance.randint(10, 900),
        "resPlanMinutes": chance.randint(10, 300),
        "respondMinutes": chance.randint(1, 90),
        "isInSla": True,
        "hasChildTicket": False,
        "hasMergedChildTicketFlag": False,
        "billTime": "Billable",
        "billExpenses": "Billable",
        "billProducts": "Billable",
        "locationId": 2,
        "businessUnitId": 10,
        "mobileGuid": f"{chance.getrandbits(64):016x}-0000-4000-8000-{number:012d}",
        "currency": {"id": 7, "name": "Íslensk króna", "isoCode": "ISK", "_info": {"currency_href": _BASE}},
        "customFields": [
            {"id": 5, "caption": "Samningsnúmer", "type": "Text", **_ENTRY, "value": f"S-{company}"},
            {"id": 9, "caption": "Mikilvægt", "type": "Checkbox", **_ENTRY, "value": True},
        ],
        "_info": {
            "lastUpdated": _stamp(entered),
            "updatedBy": "jons",
            "dateEntered": _stamp(entered - timedelta(hours=1)),
            "enteredBy": "vefur",
        },
    }  # fmt: skip


def _references(chance: random.Random, company: int) -> dict[str, Any]:
    return {
        "board": _reference("board", "service/boards", chance.randint(1, 12), "Þjónustuborð"),
        "status": {**_reference("status", "service/boards/1/statuses", chance.randint(1, 30), "Í vinnslu"), "Sort": 0},
        "company": {
            **_reference("company", "company/companies", company, f"Fyrirtæki {company} ehf."),
            "identifier": f"F{company}",
        },
        "site": _reference("site", f"company/companies/{company}/sites", company, "Aðalútibú"),
        "contact": _reference("contact", "company/contacts", company * 3, f"Jón Jónsson {company}"),
        "type": _reference("type", "service/boards/1/types", chance.randint(1, 9), "Bilun"),
        "subType": _reference("subType", "service/boards/1/subtypes", chance.randint(1, 9), "Vélbúnaður"),
        "item": _reference("item", "service/boards/1/items", chance.randint(1, 9), "Fartölva"),
        "team": _reference("team", "service/boards/1/teams", chance.randint(1, 5), "Kerfisteymi"),
        "owner": {**_reference("member", "system/members", chance.randint(1, 60), "Anna Ýr"), "identifier": "annay"},
        "priority": {**_reference("priority", "service/priorities", chance.randint(1, 5), "Forgangur 3"), "sort": 3},
        "serviceLocation": _reference("location", "service/locations", 1, "Á staðnum"),
        "source": _reference("source", "service/sources", chance.randint(1, 4), "Tölvupóstur"),
        "agreement": {**_reference("agreement", "finance/agreements", company, "Rekstur"), "type": "Rekstrarþjónusta"},
        "location": _reference("location", "system/locations", 2, "Reykjavík"),
        "department": {**_reference("department", "system/departments", 10, "Þjónusta"), "identifier": "THJ"},
        "sla": _reference("sla", "service/SLAs", 1, "Almennt"),
    }


def _reference(kind: str, path: str, number: int, name: str) -> dict[str, Any]:
    links = {"_info": {f"{kind}_href": f"{_BASE}/{path}/{number}"}} if kind in ("company", "board") else {}
    return {"id": number, "name": name, **links}


def _stamp(instant: datetime) -> str:
    return instant.strftime("%Y-%m-%dT%H:%M:%SZ")
