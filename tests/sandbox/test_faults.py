from __future__ import annotations

import time
from email.utils import parsedate_to_datetime

import httpx2
import pytest

PATH = "service/tickets"


def test_an_error_comes_as_often_as_asked_and_only_where_asked(psa):
    psa.add_fault("error", path=PATH, status=503, times=2)
    assert psa.get("company/companies").status_code == 200
    assert [psa.get(PATH).status_code for _ in range(3)] == [503, 503, 200]


def test_a_fault_may_wait_for_a_later_request(psa):
    psa.add_fault("error", path=PATH, after=2)
    assert [psa.get(PATH).status_code for _ in range(4)] == [200, 200, 500, 200]


def test_a_timeout_answers_late(psa):
    psa.add_fault("timeout", path=PATH, seconds=0.3)
    with pytest.raises(httpx2.ReadTimeout):
        psa.http.get(f"{psa.url}/v4_6_release/apis/3.0/{PATH}", timeout=0.1)
    started = time.monotonic()
    assert psa.get(PATH).status_code == 200
    assert time.monotonic() - started < 0.3


def test_a_truncated_body_ends_too_early(psa):
    psa.add_fault("truncated", path=PATH)
    with pytest.raises(httpx2.RemoteProtocolError, match="complete"):
        psa.get(PATH)
    assert psa.get(PATH).status_code == 200


def test_a_reset_breaks_the_connection(psa):
    psa.add_fault("reset", path=PATH)
    with pytest.raises(httpx2.NetworkError):
        psa.get(PATH)
    assert psa.get(PATH).status_code == 200
    assert [line["status"] for line in psa.read_state()["requests"]] == [0, 200]


def test_a_malformed_page_has_so_many_wrong_records_once(psa):
    psa.add_fault("malformed", path=PATH, records=2, field="actualHours", value={"oops": 1})
    first, again = psa.get(PATH).json(), psa.get(PATH).json()
    assert [row["actualHours"] == {"oops": 1} for row in first[:3]] == [True, True, False]
    assert all(isinstance(row["actualHours"], float) for row in again)


def test_a_malformed_field_is_chosen_among_those_asked_for(psa):
    psa.add_fault("malformed", path=PATH)
    row = psa.get(PATH, fields="id,summary,actualHours,closedFlag").json()[0]
    assert row["actualHours"] == "ekki tala"
    assert set(row) == {"id", "summary", "actualHours", "closedFlag"}


def test_a_malformed_record_stays_so_until_cleared(psa):
    ident = psa.read_ids(PATH)[3]
    psa.add_fault("malformed_record", path=PATH, id=ident, field="company/id", value="tólf")
    for _ in range(2):
        rows = {row["id"]: row for row in psa.get(PATH).json()}
        assert rows.pop(ident)["company"]["id"] == "tólf"
        assert all(isinstance(row["company"]["id"], int) for row in rows.values())
    assert psa.get(f"{PATH}/{ident}").json()["company"]["id"] == "tólf"
    assert "company" not in psa.get(f"{PATH}/{ident}", fields="id").json()
    psa.http.delete("/_sandbox/faults")
    assert isinstance(psa.get(f"{PATH}/{ident}").json()["company"]["id"], int)


@pytest.mark.parametrize("forward", [False, True])
def test_a_repeated_page_serves_what_was_served(psa, forward):
    psa.add_fault("repeated_page", path=PATH)
    headers = {"pagination-type": "forward-only"} if forward else {}
    first = psa.get(PATH, headers, pageSize=10)
    second = psa.http.get(first.links["next"]["url"], headers=headers)
    assert second.json() == first.json()
    assert "next" in second.links
    assert psa.http.get(first.links["next"]["url"], headers=headers).json() != first.json()


def test_a_repeated_link_leads_to_the_same_page(psa):
    psa.add_fault("repeated_link", path=PATH)
    first = psa.get(PATH, pageSize=10, page=2)
    assert httpx2.URL(first.links["next"]["url"]).params["page"] == "2"


def test_a_foreign_link_leads_to_a_stranger(psa):
    psa.add_fault("foreign_next", path=PATH)
    assert httpx2.URL(psa.get(PATH).links["next"]["url"]).host == "evil.example"
    assert httpx2.URL(psa.get(PATH).links["next"]["url"]).host == "127.0.0.1"


def test_late_rows_bear_an_old_stamp(psa):
    before, clock = set(psa.read_ids(PATH)), psa.read_state()["clock"]
    response = psa.add_fault("late_rows", path=PATH, records=3, days=5).json()
    late = [row for row in psa.read_truth(PATH) if row["id"] not in before]
    assert [row["id"] for row in late] == response["ids"]
    assert len(late) == 3
    assert all(row["_info"]["lastUpdated"] < clock for row in late)
    assert all(row["_info"]["lastUpdated"].startswith("2025-10-27") for row in late)


def test_an_ignored_filter_returns_everything_until_cleared(psa):
    psa.add_fault("ignored_filter", path=PATH)
    assert len(psa.read_ids(PATH, conditions="id = 0")) > 10
    assert len(psa.read_ids(PATH, conditions="id = 0")) > 10
    psa.http.delete("/_sandbox/faults")
    assert psa.read_ids(PATH, conditions="id = 0") == []


def test_a_rate_limit_says_when_to_come_again_in_seconds_or_as_a_date(psa):
    psa.add_fault("rate_limit", path=PATH, retry_after=7)
    response = psa.get(PATH)
    assert (response.status_code, response.headers["retry-after"]) == (429, "7")
    psa.add_fault("rate_limit", path=PATH, retry_after=90, **{"as": "date"})
    response = psa.get(PATH)
    wait = parsedate_to_datetime(response.headers["retry-after"]) - parsedate_to_datetime(response.headers["date"])
    assert wait.total_seconds() == 90


def test_records_change_between_the_pages_of_one_reading(psa):
    psa.add_fault("mutate_while_paging", path=PATH, records=2)
    clock, all_rows = psa.read_state()["clock"], set(psa.read_ids(PATH, fields="id"))
    asked = {"pageSize": 20, "conditions": f"lastUpdated < [{clock}]", "orderBy": "lastUpdated asc,id asc"}
    read = [row["id"] for page in psa.read_pages(PATH, **asked) for row in page]
    missed = all_rows - set(read)
    assert missed, "numbered pages of a moving list miss records: a reader must notice"
    psa.http.delete("/_sandbox/faults")
    changed = [row for row in psa.read_truth(PATH) if "breytt" in row["summary"]]
    assert changed
    assert all(row["_info"]["lastUpdated"] > clock for row in changed)


def test_an_agreement_circle_can_be_bent(psa):
    ids = psa.add_fault("circle").json()["ids"]
    rows = {row["id"]: row for row in psa.read_truth("finance/agreements")}
    seen, ident = [], ids[0]
    while ident not in seen:
        seen.append(ident)
        ident = rows[ident]["parentAgreement"]["id"]
    assert set(ids) <= set(seen)
    while psa.add_fault("circle").status_code == 201:
        pass
    assert "cycle" in psa.add_fault("circle").json()["error"]


def test_a_contact_can_be_dropped(psa):
    ident = psa.read_ids("company/contacts")[0]
    assert psa.add_fault("drop_contact", id=ident).json()["ids"] == [ident]
    assert psa.get(f"company/contacts/{ident}").status_code == 404
    assert psa.add_fault("drop_contact", id=ident).status_code == 400
    assert psa.add_fault("drop_contact").status_code == 201


def test_life_goes_on_when_all_contacts_are_dropped(psa):
    for ident in psa.read_ids("company/contacts"):
        psa.add_fault("drop_contact", id=ident)
    psa.advance(days=20)
    assert psa.read_ids("company/contacts")


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({"kind": "flood"}, "repeated_page"),
        ({"kind": "error", "statsu": 500}, "statsu"),
        ({"kind": "error", "times": "many"}, "times"),
        ({"kind": "error", "path": 5}, "path"),
        ({"kind": "timeout", "seconds": "long"}, "seconds"),
        ({"kind": "rate_limit", "as": "epoch"}, "epoch"),
        ({"kind": "malformed_record", "path": PATH}, "id"),
        ({"kind": "late_rows", "path": "nothing"}, "company/companies"),
        ([1], "object"),
    ],
)
def test_a_fault_that_cannot_be_meant_is_refused(psa, body, says):
    response = psa.http.post("/_sandbox/faults", json=body)
    assert response.status_code == 400
    assert says in response.json()["error"]
    assert psa.http.get("/_sandbox/faults").json() == {"faults": []}


def test_faults_that_wait_are_listed_and_cleared(psa):
    psa.add_fault("error", path=PATH, times=3)
    assert [fault["kind"] for fault in psa.read_state()["faults"]] == ["error"]
    psa.http.delete("/_sandbox/faults")
    assert psa.read_state()["faults"] == []
    assert psa.get(PATH).status_code == 200
