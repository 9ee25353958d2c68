"""One failing resource fails alone."""

from __future__ import annotations

from tests.e2e.test_faults import assert_true


def test_a_resource_that_answers_500_for_ever_fails_alone_and_what_hangs_on_it_is_skipped_by_name(small, service):
    service.add_fault("error", status=500, path="company/contacts", times=9999)
    report = small.run(code=3)
    states = {step["step"]: step for step in report["steps"]}
    failed = [name for name, step in states.items() if step["state"] == "failed"]
    assert failed
    assert all(name.startswith("extract:psa/contacts:") for name in failed)
    skipped = {name: step["detail"] for name, step in states.items() if step["state"] == "skipped"}
    # dim_company takes attributes from contacts, and the fact looks companies up.
    assert {"conform:contact", "dimension:contact"} <= set(skipped)
    assert all("did not succeed" in because for because in skipped.values())
    print(failed, skipped)
    for name in ("conform:company", "conform:member", "conform:time_entry", "dimension:member", "dimension:date"):
        assert states[name]["state"] == "succeeded"
    assert len(small.query("SELECT * FROM silver.time_entry_current")) == len(service.read_truth("time/entries"))
    again = small.run(code=3)
    assert again["rows"] == 0
    service.clear_faults()
    assert small.run()["outcome"] == "succeeded"
    assert_true(small, service)


def test_one_of_two_connections_without_its_secret_leaves_the_other_one_at_work(small, service):
    broken = {
        "private_key": "env:NOBODY_SET_THIS",
        "public_key": "env:NOBODY_SET_THIS",
        "client_id": "env:NOBODY_SET_THIS",
    }
    good = small.tenants["acme"]["connections"]["psa"]
    small.tenants["acme"]["connections"]["other"] = good | {"secrets": broken}
    small.declare(tenants=small.tenants)
    report = small.run(code=3)
    failed = [step["step"] for step in report["steps"] if step["state"] == "failed"]
    assert failed[0] == "connect:other"
    assert len(small.query("SELECT * FROM silver.time_entry_current")) == len(service.read_truth("time/entries"))
    small.tenants["acme"]["connections"].pop("other")
    small.declare(tenants=small.tenants)
    assert small.run()["outcome"] == "succeeded"
    assert_true(small, service)


def test_a_read_that_was_begun_waits_for_its_secret_and_then_goes_on(small, service):
    service.add_fault("error", status=500, path="time/entries", after=2, times=9999)
    small.run(code=3)
    service.clear_faults()
    key = small.env.pop("CONNECTWISE_PRIVATE_KEY")
    assert "CONNECTWISE_PRIVATE_KEY" in small("run", code=2).error["message"]
    small.env["CONNECTWISE_PRIVATE_KEY"] = key
    assert small.run()["outcome"] == "succeeded"
    assert_true(small, service)
