"""The tables of the company that hardly ever change, as founded."""

from __future__ import annotations

from headwater.sandbox.connectwise.records.base import Reference
from headwater.sandbox.connectwise.records.finance import AgreementType
from headwater.sandbox.connectwise.records.service import Board
from headwater.sandbox.connectwise.records.setup import Department, Location, WorkRole, WorkType
from headwater.sandbox.connectwise.state import Firm, link

OFFICES = (("Reykjavík", "108"), ("Akureyri", "600"), ("Egilsstaðir", "700"))
TERRITORIES = ("Höfuðborgarsvæðið", "Norðurland", "Austurland", "Suðurland", "Vestfirðir", "Reykjanes")
DEPARTMENTS = (
    ("Thjonusta", "Þjónustuborð"),
    ("Rekstur", "Kerfisrekstur"),
    ("Hugbunadur", "Hugbúnaðargerð"),
    ("Radgjof", "Ráðgjöf"),
    ("Stjornun", "Stjórnun"),
)
WORK_ROLES = (
    ("Tæknimaður", 16_900.0),
    ("Kerfisstjóri", 19_900.0),
    ("Sérfræðingur", 23_900.0),
    ("Forritari", 22_500.0),
    ("Verkefnastjóri", 24_900.0),
)
WORK_TYPES = (
    ("Dagvinna", "Billable", 1.0),
    ("Yfirvinna", "Billable", 1.6),
    ("Útkall", "Billable", 2.0),
    ("Fjarvinna", "Billable", 1.0),
    ("Akstur", "NoCharge", 1.0),
    ("Ábyrgðarvinna", "NoCharge", 1.0),
    ("Innri vinna", "DoNotBill", 1.0),
)
DAYTIME, OVERTIME, CALL_OUT, REMOTE, DRIVING, WARRANTY, INTERNAL_WORK = range(1, 8)

BOARDS = (
    ("Þjónustuborð", 1, False),
    ("Eftirlit", 2, False),
    ("Rekstrarbeiðnir", 2, False),
    ("Innri mál", 5, False),
    ("Verkefni", 4, True),
)
HELP_DESK, ALERT_BOARD, OPERATIONS_BOARD, INTERNAL_BOARD, PROJECT_BOARD = range(1, 6)

AGREEMENT_TYPES = (
    ("Alrekstur", "operations"),
    ("Rekstrarþjónusta", "operations"),
    ("yÞjónusta", "billable"),
    ("Hugbúnaðarþjónusta", "billable"),
    ("Office 365", "billable"),
    ("Tímapottur", "prepaid"),
    ("Tímapottur:", "prepaid"),
    ("Innri verkefni", "internal"),
    ("Vefhýsing", "other"),
)
FULL, OPERATIONS, SERVICE, SOFTWARE, OFFICE, POT, POT_COLON, INTERNAL, HOSTING = range(1, 10)

STATUSES = {name: Reference(at, name) for at, name in enumerate(("Nýtt", "Í vinnslu", "Bíður", "Leyst", "Lokað"), 1)}
PRIORITIES = {
    "Brýnt": (Reference(1, "Forgangur 1 - Brýnt"), 30, 240),
    "Hátt": (Reference(2, "Forgangur 2 - Hátt"), 60, 480),
    "Venjulegt": (Reference(3, "Forgangur 3 - Venjulegt"), 240, 1440),
    "Lágt": (Reference(4, "Forgangur 4 - Lágt"), 480, 4320),
}
COMPANY_STATUSES = (Reference(1, "Virkur"), Reference(2, "Í bið"), Reference(3, "Vanskil"), Reference(4, "Óvirkur"))
ICELAND = Reference(90, "Iceland", "ISL")
KRONA = Reference(1, "Íslensk króna", currency_code="ISK")
UTC_ZONE = Reference(1, "Greenwich Standard Time")


def found_setup(firm: Firm) -> None:
    """Places, departments, roles, kinds of work, boards, kinds of agreement."""
    _found_places(firm)
    for name, rate in WORK_ROLES:
        role = WorkRole(id=firm.work_roles.next_id(), info=firm.entered(), name=name, hourly_rate=rate,
                        inactive_flag=False, location_ids=list(range(1, len(OFFICES) + 1)))  # fmt: skip
        firm.work_roles.add(role)
    for name, bill, rate in WORK_TYPES:
        _found_work_type(firm, name, bill, rate=rate)
    for name, department, project in BOARDS:
        _found_board(firm, name, department=department, project=project)
    for name, kind in AGREEMENT_TYPES:
        _found_agreement_type(firm, name, kind)


def location_ref(firm: Firm, ident: int) -> Reference:
    """A location, as others name it."""
    return link("system/locations", ident, firm.locations.rows[ident].name, key="location")


def unit_ref(firm: Firm, ident: int) -> Reference:
    """A department, as bills and hours name it: without its identifier."""
    return link("system/departments", ident, firm.departments.rows[ident].name, key="department")


def department_ref(firm: Firm, ident: int) -> Reference:
    """A department, as others name it."""
    department = firm.departments.rows[ident]
    return link("system/departments", ident, department.name, key="department", identifier=department.identifier)


def _found_places(firm: Firm) -> None:
    places = [(city, city, code) for city, code in OFFICES] + [(name, None, None) for name in TERRITORIES]
    for name, city, code in places:
        firm.locations.add(
            Location(
                id=firm.locations.next_id(),
                info=firm.entered(),
                name=name,
                structure_level=Reference(2, "Starfsstöð" if city else "Svæði"),
                location_flag=city is not None,
                client_flag=city is None,
                override_city=city,
                override_zip=code,
            )
        )
    for identifier, name in DEPARTMENTS:
        ident = firm.departments.next_id()
        firm.departments.add(Department(id=ident, info=firm.entered(), identifier=identifier, name=name))


def _found_work_type(firm: Firm, name: str, bill: str, *, rate: float) -> None:
    firm.work_types.add(
        WorkType(
            id=firm.work_types.next_id(),
            info=firm.entered(),
            name=name,
            bill_time=bill,
            rate_type="Multiplier",
            rate=rate,
            inactive_flag=False,
            overall_default_flag=name == "Dagvinna",
            utilization_flag=bill == "Billable",
            cost_multiplier=rate,
        )
    )


def _found_board(firm: Firm, name: str, *, department: int, project: bool) -> None:
    firm.boards.add(
        Board(
            id=firm.boards.next_id(),
            info=firm.entered(),
            name=name,
            location=location_ref(firm, 1),
            department=department_ref(firm, department),
            inactive_flag=False,
            project_flag=project,
            bill_time="DoNotBill" if name == "Innri mál" else "NoDefault",
            work_role=Reference(1, WORK_ROLES[0][0]),
            work_type=Reference(1, WORK_TYPES[0][0]),
        )
    )


def _found_agreement_type(firm: Firm, name: str, kind: str) -> None:
    ident = firm.agreement_types.next_id()
    bill = {"internal": "DoNotBill", "operations": "NoCharge"}.get(kind, "Billable")
    firm.desk.kinds[ident] = kind
    firm.agreement_types.add(
        AgreementType(
            id=ident,
            info=firm.entered(),
            name=name,
            default_flag=False,
            inactive_flag=False,
            pre_payment_flag=kind == "prepaid",
            employee_comp_rate="Actual",
            employee_comp_not_exceed="Billing",
            invoicing_cycle="CalendarYear",
            bill_time=bill,
            bill_expenses=bill,
            bill_products="Billable",
            application_units="Hours" if kind == "prepaid" else "Amount",
            application_unlimited_flag=kind != "prepaid",
        )
    )
