"""Setup tables that rarely change: locations, departments, work roles, work types, boards, agreement types."""

from __future__ import annotations

from headwater.sandbox.connectwise.records.base import Reference
from headwater.sandbox.connectwise.records.finance import AgreementType
from headwater.sandbox.connectwise.records.service import Board
from headwater.sandbox.connectwise.records.setup import Department, Location, WorkRole, WorkType
from headwater.sandbox.connectwise.state import PsaState, build_reference

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


def create_setup(state: PsaState) -> None:
    """Create the records of all setup tables."""
    _create_locations(state)
    for name, rate in WORK_ROLES:
        role = WorkRole(id=state.work_roles.issue_id(), info=state.build_stamp(), name=name, hourly_rate=rate,
                        inactive_flag=False, location_ids=list(range(1, len(OFFICES) + 1)))  # fmt: skip
        state.work_roles.add(role)
    for name, bill, rate in WORK_TYPES:
        _create_work_type(state, name, bill, rate=rate)
    for name, department, project in BOARDS:
        _create_board(state, name, department=department, project=project)
    for name, kind in AGREEMENT_TYPES:
        _create_agreement_type(state, name, kind)


def build_location_ref(state: PsaState, ident: int) -> Reference:
    """Build the reference to a location."""
    return build_reference("system/locations", ident, state.locations.rows[ident].name, key="location")


def build_unit_ref(state: PsaState, ident: int) -> Reference:
    """Build the reference to a department without its identifier, as invoices and time entries have it."""
    return build_reference("system/departments", ident, state.departments.rows[ident].name, key="department")


def build_department_ref(state: PsaState, ident: int) -> Reference:
    """Build the reference to a department."""
    department = state.departments.rows[ident]
    return build_reference(
        "system/departments", ident, department.name, key="department", identifier=department.identifier
    )


def _create_locations(state: PsaState) -> None:
    places = [(city, city, code) for city, code in OFFICES] + [(name, None, None) for name in TERRITORIES]
    for name, city, code in places:
        state.locations.add(
            Location(
                id=state.locations.issue_id(),
                info=state.build_stamp(),
                name=name,
                structure_level=Reference(2, "Starfsstöð" if city else "Svæði"),
                location_flag=city is not None,
                client_flag=city is None,
                override_city=city,
                override_zip=code,
            )
        )
    for identifier, name in DEPARTMENTS:
        ident = state.departments.issue_id()
        state.departments.add(Department(id=ident, info=state.build_stamp(), identifier=identifier, name=name))


def _create_work_type(state: PsaState, name: str, bill: str, *, rate: float) -> None:
    state.work_types.add(
        WorkType(
            id=state.work_types.issue_id(),
            info=state.build_stamp(),
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


def _create_board(state: PsaState, name: str, *, department: int, project: bool) -> None:
    state.boards.add(
        Board(
            id=state.boards.issue_id(),
            info=state.build_stamp(),
            name=name,
            location=build_location_ref(state, 1),
            department=build_department_ref(state, department),
            inactive_flag=False,
            project_flag=project,
            bill_time="DoNotBill" if name == "Innri mál" else "NoDefault",
            work_role=Reference(1, WORK_ROLES[0][0]),
            work_type=Reference(1, WORK_TYPES[0][0]),
        )
    )


def _create_agreement_type(state: PsaState, name: str, kind: str) -> None:
    ident = state.agreement_types.issue_id()
    bill = {"internal": "DoNotBill", "operations": "NoCharge"}.get(kind, "Billable")
    state.indexes.billing_kinds[ident] = kind
    state.agreement_types.add(
        AgreementType(
            id=ident,
            info=state.build_stamp(),
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
