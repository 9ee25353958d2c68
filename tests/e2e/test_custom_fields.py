"""Custom fields are text, from the service to history: the numbers of agreements, without quotes."""

from __future__ import annotations

import msgspec
import pytest

from headwater.sandbox.connectwise.app import build_connectwise_app
from headwater.sandbox.connectwise.auth import Credentials
from headwater.sandbox.connectwise.business.agreements import NUMBER_CAPTION
from headwater.sandbox.connectwise.records.base import CustomField
from headwater.sandbox.connectwise.simulation import build_simulation
from headwater.sandbox.server import serve_in_thread
from tests.e2e.builders import KEYS, Shop, create_msp

SENT = [
    ('"A-17"', "A-17", "A-17"),
    ('""', "", None),
    ('"  "', "  ", None),
    ('" A-18 "', " A-18 ", "A-18"),
    ('"null"', "null", "null"),
    ("null", None, None),
    ('"1"', "1", "1"),
    ('"1.0"', "1.0", "1.0"),
    ('"007"', "007", "007"),
    ("1", "1", "1"),
    ("1.50", "1.5", "1.5"),
    ("1e2", "100", "100"),
    ("1884518522.1684267241", "1884518522.1684267241", "1884518522.1684267241"),
    ("true", "true", "true"),
    ('"true"', "true", "true"),
    ('"2026-01-31"', "2026-01-31", "2026-01-31"),
    ('"2026-01-31T00:00:00Z"', "2026-01-31T00:00:00Z", "2026-01-31T00:00:00Z"),
    (r'"say \"x\" \\ y"', 'say "x" \\ y', 'say "x" \\ y'),
    (r'"\"quoted\""', '"quoted"', '"quoted"'),
    (r'"a\u2028b\nc"', "a\u2028b\nc", "a\u2028b\nc"),
    (r'"\u00fe\ud83d\ude00"', "þ😀", "þ😀"),
    (r'{"b":1.0,"a":"x"}', '{"a":"x","b":1}', '{"a":"x","b":1}'),
    ("[1,2]", "[1,2]", "[1,2]"),
    ("[]", "[]", "[]"),
]
"""The JSON of a value; the text that it is; what the blueprint has: no blanks around it, NULL where nothing is left."""


@pytest.fixture
def custom_fields_project(tmp_path, monkeypatch):
    """The whole blueprint at a service whose agreements have these values, and an entity that takes them as they are."""
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    company = build_simulation(companies=8, months=1)
    agreements = list(company.state.agreements.rows.values())[: len(SENT)]
    assert len(agreements) == len(SENT)
    for agreement, (value, _, _) in zip(agreements, SENT, strict=True):
        other = CustomField(id=1, caption="Annað", value="another", type="Text")
        own = CustomField(id=2, caption=NUMBER_CAPTION, value=msgspec.Raw(value.encode()), type="Text")
        agreement.custom_fields = [other, own]
        company.state.agreements.touch(agreement, agreement.info)
    credentials = Credentials(private_key=KEYS["CONNECTWISE_PRIVATE_KEY"], client_id=KEYS["CONNECTWISE_CLIENT_ID"])
    with serve_in_thread(build_connectwise_app(simulation=company, credentials=credentials)) as url:
        made = create_msp(tmp_path / "msp", url)
        made.connect(url, resources=["agreements"])
        made.declare(settings={"agreement_number_caption": NUMBER_CAPTION})
        entity = made.root / "models" / "entities" / "agreement_note.yaml"
        entity.parent.mkdir(parents=True, exist_ok=True)
        entity.write_text(
            "entity: agreement_note\nkey: agreement_id\ncolumns: {agreement_id: bigint, note: text, other: text}\nsources:\n"
            "  connectwise.agreements:\n    changed_at: _info.lastUpdated\n    map:\n      agreement_id: id\n"
            f"      note: custom_field(customFields, '{NUMBER_CAPTION}')\n      other: custom_field(customFields, 'Annað')\n"
        )
        yield Shop(made.root, **made.tenants), [one.id for one in agreements]


def test_the_value_of_a_custom_field_is_the_text_that_the_service_has(custom_fields_project):
    project, ids = custom_fields_project
    report = project.run("--layer", "bronze")
    assert report["quarantined"] == 0
    project.run("--layer", "silver", code=None)
    notes = {
        row[0]: row[1:] for row in project.query("SELECT agreement_id, note, other FROM silver.agreement_note_current")
    }
    numbers = dict(project.query("SELECT agreement_id, number FROM silver.agreement_current"))
    for one, (sent, text, number) in zip(ids, SENT, strict=True):
        assert (sent, notes[one], numbers[one]) == (sent, (text, "another"), number)
    files = str(project.data / "lake" / "acme" / "bronze" / "psa" / "agreements" / "*-changes-*.parquet")
    columns = f"SELECT id, customFields_2 FROM read_parquet('{files}', union_by_name = true)"
    pivoted = dict(project.query(columns))
    assert [pivoted[one] for one in ids] == [text for _, text, _ in SENT]
    # Read once more, nothing of it is another text.
    project("rebuild", "--entity", "agreement_note", code=None)
    again = {
        row[0]: row[1:] for row in project.query("SELECT agreement_id, note, other FROM silver.agreement_note_current")
    }
    assert again == notes


def test_the_number_of_an_agreement_is_what_the_service_says(tmp_path, start_service):
    service = start_service(companies=2, months=1)
    project = create_msp(tmp_path / "msp", service)
    project.connect(service, resources=["agreements"])
    project.run("--layer", "bronze")
    project.run("--layer", "silver", code=None)
    truth = {
        key: next(
            (one.get("value") for one in record.get("customFields") or () if one["caption"] == "Samningsnúmer"), None
        )
        for key, record in service.read_truth("finance/agreements").items()
    }
    assert any(truth.values())
    shown = dict(project.query("SELECT agreement_id, number FROM silver.agreement_current"))
    assert shown == {key: value or None for key, value in truth.items()}
