"""Deletes come from complete sweeps only, and not from one that would take too much away."""

from __future__ import annotations

import pytest


def current(project, entity):
    return {key for (key,) in project.query(f"SELECT {entity}_id FROM silver.{entity}_current")}


def test_what_vanished_is_closed_by_the_next_sweep(shop_after_run, service):
    (gone,) = service.add_fault("drop_contact")["ids"]
    shop_after_run.run()
    assert gone in current(shop_after_run, "contact"), "a sweep is due once a day"
    service.advance(days=1.1)
    shop_after_run.run()
    assert current(shop_after_run, "contact") == set(service.read_truth("company/contacts"))
    ((until, is_current),) = shop_after_run.query(
        f"SELECT valid_to, is_current FROM silver.contact WHERE contact_id = {gone} ORDER BY valid_from DESC LIMIT 1"
    )
    assert not is_current
    assert until.year < 9999
    assert shop_after_run.query(f"SELECT bool_or(is_current) FROM gold.dim_contact WHERE contact_id = {gone}") == [
        (False,)
    ]
    assert shop_after_run.run()["written"] == {}


def drop_many(service, keep):
    """Let contacts vanish until a share is left."""
    contacts = sorted(service.read_truth("company/contacts"))
    for ident in contacts[int(len(contacts) * keep) :]:
        service.add_fault("drop_contact", id=ident)


@pytest.mark.parametrize("keep", [0.5, 0], ids=["half", "nothing"])
def test_deletes_of_a_sweep_that_would_take_too_much_away_wait(small, service, keep):
    small.edit_manifest(set_guard)
    small.run()
    before, entries = current(small, "contact"), small.query("FROM silver.time_entry ORDER BY ALL")
    drop_many(service, keep)
    service.advance(days=3)
    report = small.run(code=3)
    assert report["outcome"] == "partial"
    assert {step["state"] for step in report["steps"]} == {"succeeded"}, "news go on, into gold too"
    (waiting,) = (one for one in report["findings"] if one["finding"] == "deletes_waiting")
    assert waiting["table"] == "silver.contact"
    assert waiting["count"] == len(before) - int(len(before) * keep)
    assert "--allow-drop" in waiting["detail"]
    assert before <= current(small, "contact"), "nothing was deleted"
    assert small.query("FROM silver.time_entry ORDER BY ALL") != entries, "the others went on"
    again = small.run("--tenant", "acme", code=3)
    assert again["outcome"] == "partial", "it goes on asking"
    (waiting,) = (one for one in again["findings"] if one["finding"] == "deletes_waiting")
    assert "`headwater run --allow-drop --tenant acme`" in waiting["detail"]
    assert small.run("--allow-drop")["outcome"] == "succeeded"
    assert current(small, "contact") == set(service.read_truth("company/contacts"))
    assert small.run()["written"] == {}


def set_guard(manifest):
    """However few there are, the guard counts; and nobody is asked for single ids."""
    manifest["paging"].update(size=40)
    manifest["look_back"] = "90d"
    for resource in manifest["resources"]:
        resource.pop("verify", None)
        if resource.get("deletes", {}).get("kind") == "sweep":
            resource["deletes"]["max_drop"] = 0.2
