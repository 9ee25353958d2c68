"""Custom fields are text, from the service to history: the numbers of agreements, without quotes."""

from __future__ import annotations

from tests.e2e.stand import msp


def test_the_number_of_an_agreement_is_what_the_service_says(tmp_path, serve):
    service = serve(companies=2, months=1)
    project = msp(tmp_path / "msp", service)
    project.connect(service, resources=["agreements"])
    project.run("--layer", "bronze")
    project.run("--layer", "silver", code=None)
    truth = {
        key: next(
            (one.get("value") for one in record.get("customFields") or () if one["caption"] == "Samningsnúmer"), None
        )
        for key, record in service.truth("finance/agreements").items()
    }
    assert any(truth.values())
    shown = dict(project.ask("SELECT agreement_id, number FROM silver.agreement_current"))
    assert shown == {key: value or None for key, value in truth.items()}
