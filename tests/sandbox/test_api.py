from __future__ import annotations

from email.utils import parsedate_to_datetime
from itertools import pairwise

import httpx2
import pytest

from headwater.sandbox.connectwise.auth import RateLimiter
from headwater.sandbox.connectwise.route import BASE

COLLECTIONS = [
    "company/companies",
    "company/contacts",
    "service/boards",
    "service/tickets",
    "project/tickets",
    "project/projects",
    "time/entries",
    "expense/entries",
    "finance/agreements",
    "finance/agreements/types",
    "finance/agreements/3/additions",
    "finance/invoices",
    "procurement/products",
    "system/members",
    "time/workTypes",
    "time/workRoles",
    "system/departments",
    "system/locations",
    "schedule/entries",
    "sales/opportunities",
]


@pytest.mark.parametrize("path", COLLECTIONS)
def test_every_collection_has_lists_counts_and_single_records(quiet, path):
    rows = quiet.get(path, pageSize=1000).json()
    assert rows
    all_rows = rows if "/3/" in path else quiet.read_truth(path)
    assert rows == all_rows[:1000]
    assert quiet.get(f"{path}/count").json() == {"count": len(all_rows)}
    assert quiet.get(f"{path}/{rows[0]['id']}").json() == rows[0]
    assert all(row["_info"]["lastUpdated"] and row["_info"]["updatedBy"] for row in rows)
    assert quiet.get(f"{path}/999999").status_code == 404


@pytest.mark.parametrize(
    ("user", "password", "client", "says"),
    [
        ("acme+public", "wrong", "client", "password"),
        ("acme+other", "private", "client", "password"),
        ("public", "private", "client", "password"),
        ("acme+public", "private", None, "clientId"),
        ("acme+public", "private", "stranger", "clientId"),
    ],
)
def test_wrong_keys_are_refused_in_json(quiet, user, password, client, says):
    headers = {"clientId": client} if client else {}
    response = httpx2.get(f"{quiet.url}{BASE}/system/info", auth=(user, password), headers=headers)
    assert response.status_code == 401
    assert response.json()["code"] == "Unauthorized"
    assert says in response.json()["message"]


def test_no_keys_at_all_are_refused(quiet):
    response = httpx2.get(f"{quiet.url}{BASE}/system/info", headers={"clientId": "client"})
    assert response.status_code == 401
    assert httpx2.get(f"{quiet.url}{BASE}/system/info", headers={"Authorization": "Basic ???"}).status_code == 401


def test_credentials_and_a_rate_limit_can_be_set(strict):
    http = httpx2.Client(base_url=strict.url + BASE, auth=("upp+a", "þ:b"), headers={"clientId": "c"})
    with http:
        statuses = [http.get("/system/info").status_code for _ in range(3)]
        response = http.get("/system/info")
    assert statuses == [200, 200, 200]
    assert response.status_code == 429
    assert 1 <= int(response.headers["retry-after"]) <= 60


def test_the_rate_limit_resets_after_a_minute():
    class ManualClock:
        time = 0.0

        def monotonic(self):
            return self.time

    clock = ManualClock()
    limiter = RateLimiter(2, clock=clock)
    assert [limiter.acquire(), limiter.acquire(), limiter.acquire()] == [0, 0, 60]
    clock.time = 59.5
    assert limiter.acquire() == 1
    clock.time = 60.0
    assert limiter.acquire() == 0


def test_the_date_is_the_simulated_clock_and_the_type_the_vendors(quiet):
    response = quiet.get("service/tickets")
    assert parsedate_to_datetime(response.headers["date"]).isoformat() == "2026-03-01T00:00:00+00:00"
    assert response.headers["content-type"] == "application/vnd.connectwise.com+json; version=2026.4"
    assert response.headers.get_list("date") == [response.headers["date"]]
    assert response.json()
    assert "null" not in response.text


def test_the_default_page_is_25_and_the_largest_1000(quiet):
    assert len(quiet.get("service/tickets").json()) == 25
    assert len(quiet.get("service/tickets", pageSize=5000).json()) == 1000


@pytest.mark.parametrize("size", [7, 25, 400, 1000])
def test_numbered_pages_hold_every_record_once(quiet, size):
    pages = list(quiet.read_pages("service/tickets", pageSize=size, orderBy="lastUpdated desc,id asc"))
    ids = [row["id"] for page in pages for row in page]
    assert sorted(ids) == [row["id"] for row in quiet.read_truth("service/tickets")]
    assert all(len(page) == size for page in pages[:-1])


@pytest.mark.parametrize("size", [13, 1000])
def test_forward_only_pages_hold_every_record_once(quiet, size):
    headers = {"pagination-type": "forward-only"}
    pages = list(quiet.read_pages("time/entries", headers, pageSize=size, orderBy="lastUpdated desc"))
    assert [row["id"] for page in pages for row in page] == [row["id"] for row in quiet.read_truth("time/entries")]


def test_the_link_header_has_the_next_and_the_last_page_of_the_same_query(quiet):
    links = quiet.get("service/tickets", pageSize=100, page=2, conditions='status/name="Lokað"', fields="id").links
    count = quiet.get("service/tickets/count", conditions='status/name="Lokað"').json()["count"]
    last = httpx2.URL(links["last"]["url"])
    assert httpx2.URL(links["next"]["url"]).params["page"] == "3"
    assert last.params["page"] == str(-(-count // 100))
    assert last.params["conditions"] == 'status/name="Lokað"'
    assert quiet.http.get(links["last"]["url"]).links == {}
    assert quiet.get("service/tickets", pageSize=1000, page=99).json() == []


def test_conditions_filter_records_and_counts(quiet):
    conditions = 'board/name = "Þjónustuborð" and lastUpdated >= [2026-01-05T00:00:00Z] and company/id in (2,3,4)'
    expected = [
        row["id"]
        for row in quiet.read_truth("service/tickets")
        if row["board"]["name"] == "Þjónustuborð"
        and row["_info"]["lastUpdated"] >= "2026-01-05"
        and row["company"]["id"] in (2, 3, 4)
    ]
    assert expected
    assert quiet.read_ids("service/tickets", conditions=conditions) == expected
    assert quiet.get("service/tickets/count", conditions=conditions).json() == {"count": len(expected)}


def test_records_have_the_requested_order(quiet):
    rows = quiet.get("service/tickets", pageSize=1000, orderBy="company/id asc, lastUpdated desc").json()
    assert all(
        (a["company"]["id"], b["_info"]["lastUpdated"]) <= (b["company"]["id"], a["_info"]["lastUpdated"])
        or a["company"]["id"] < b["company"]["id"]
        for a, b in pairwise(rows)
    )


def test_a_response_has_only_the_requested_fields(quiet):
    row = quiet.get(
        "service/tickets", fields="id, summary,company/id,_info/lastUpdated,board,nothing", pageSize=1
    ).json()[0]
    assert set(row) == {"id", "summary", "company", "_info", "board"}
    assert set(row["company"]) == {"id"}
    assert set(row["_info"]) == {"lastUpdated"}
    assert set(row["board"]) == {"id", "name", "_info"}
    assert set(quiet.get(f"service/tickets/{row['id']}", fields="id").json()) == {"id"}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("conditions", "nothing = 1"),
        ("conditions", "id ="),
        ("orderBy", "nothing asc"),
        ("orderBy", "id upwards"),
        ("page", "0"),
        ("pageSize", "many"),
        ("childConditions", "x = 1"),
    ],
)
def test_an_invalid_parameter_is_a_400_that_names_it(quiet, field, value):
    response = quiet.get("service/tickets", **{field: value})
    assert response.status_code == 400
    assert response.json()["code"] == "InvalidObject"
    assert response.json()["errors"][0]["field"] == field


def test_additions_belong_to_their_agreement(quiet):
    rows = quiet.get("finance/agreements/3/additions").json()
    assert rows
    assert {row["agreementId"] for row in rows} == {3}
    assert quiet.get("finance/agreements/999999/additions").status_code == 404
    assert quiet.get("finance/agreements/additions").status_code == 404
    other = next(row for row in quiet.read_truth("finance/agreements/additions") if row["agreementId"] != 3)
    assert quiet.get(f"finance/agreements/3/additions/{other['id']}").status_code == 404


def test_unknown_paths_and_verbs_are_refused(quiet):
    assert quiet.get("service/nothing").status_code == 404
    assert quiet.http.post(f"{BASE}/service/tickets", json={}).status_code == 405
    assert quiet.http.get("/_sandbox/nothing").status_code == 404


def test_requests_are_logged_and_the_log_can_be_cleared(psa):
    psa.get("service/tickets", page=2)
    psa.get(f"service/tickets/{psa.read_truth('service/tickets')[0]['id']}")
    psa.get("nothing")
    state = psa.read_state()
    assert state["served"] == {"service/tickets": 1, "service/tickets/{id}": 1, "nothing": 1}
    assert [line["status"] for line in state["requests"]] == [200, 200, 404]
    assert state["requests"][0] == {"method": "GET", "path": f"{BASE}/service/tickets?page=2", "status": 200}
    psa.http.delete("/_sandbox/requests")
    assert psa.read_state()["requests"] == []


def test_the_clock_advances_only_on_request(psa):
    assert psa.read_state()["clock"] == "2025-11-01T00:00:00Z"
    assert psa.advance(days=1, hours=2) == "2025-11-02T02:00:00Z"
    assert psa.get("system/info").headers["date"] == "Sun, 02 Nov 2025 02:00:00 GMT"
    assert psa.http.post("/_sandbox/advance?days=-1").status_code == 400
    assert psa.http.post("/_sandbox/advance?days=soon").status_code == 400
    assert psa.http.post("/_sandbox/advance?days=nan").status_code == 400


def test_the_state_counts_what_the_truth_holds(psa):
    counts = psa.read_state()["counts"]
    assert counts["service/tickets"] == len(psa.read_truth("service/tickets"))
    assert psa.http.get("/_sandbox/records/nothing").status_code == 404


def test_a_reader_of_windows_sees_every_change_once(psa):
    """Half-open windows cut at the service's own clock return every change exactly once."""
    seen, since = {}, "2025-01-01T00:00:00Z"
    for _ in range(4):
        until = psa.read_state()["clock"]
        window = f"lastUpdated >= [{since}] and lastUpdated < [{until}]"
        for page in psa.read_pages("service/tickets", conditions=window, orderBy="lastUpdated asc,id asc", pageSize=50):
            seen |= {row["id"]: row for row in page}
        since = until
        psa.advance(days=3, hours=11)
    last = psa.read_ids("service/tickets", conditions=f"lastUpdated >= [{since}]")
    assert {row["id"]: row for row in psa.read_truth("service/tickets") if row["id"] not in last} == {
        ident: row for ident, row in seen.items() if ident not in last
    }
