"""A delta with deletes: from link to link, over expired links, kills and changed declarations, without a gap."""

from __future__ import annotations

import pytest

from tests.e2e.grammar.shop import GrammarShop, Service, serve

DELTA = {
    "path": "users/delta", "records": "value", "fields": {"id": "text", "name": "text", "@removed.reason": "text"},
    "paging": {"kind": "next_url", "field": "@odata\\.nextLink", "stable": True},
    "cursor": {"kind": "delta", "field": "@odata\\.deltaLink"},
    "deletes": {"kind": "mark", "field": "@removed.reason"},
}  # fmt: skip


class DeltaService(Service):
    """Pages of two. A link names the state of the log of changes that it continues from."""

    def __init__(self, count=5):
        super().__init__()
        self.log = []
        self.is_expired = False
        """Whether it no longer knows its links."""
        self.code = 410
        self.with_link = True
        for number in range(count):
            self.put(f"u{number}", f"user {number}")

    def put(self, ident, name):
        self.log.append({"id": ident, "name": name})

    def remove(self, ident):
        self.log.append({"id": ident, "@removed": {"reason": "deleted"}})

    @property
    def users(self):
        state = {}
        for entry in self.log:
            state[entry["id"]] = entry
        return {ident: entry for ident, entry in state.items() if "@removed" not in entry}

    def build_answer(self, request):
        params = request.params
        if "delta" in params and self.is_expired:
            return self.code, {}, {"error": {"code": "syncStateNotFound", "message": "resync"}}
        since, until = int(params.get("delta", -1)), int(params.get("until", len(self.log)))
        start = int(params.get("page", 0))
        rows = self.log[since:until] if since >= 0 else list(self.users.values())
        body = {"value": rows[start : start + 2]}
        if start + 2 < len(rows):
            tail = f"&delta={since}" if since >= 0 else ""
            body["@odata.nextLink"] = f"{self.url}/users/delta?page={start + 2}&until={until}{tail}"
        elif self.with_link:
            body["@odata.deltaLink"] = f"{self.url}/users/delta?delta={until}"
        return 200, {}, body


@pytest.fixture
def graph():
    with serve(DeltaService()) as service:
        yield service


def create(tmp_path, service, **more):
    entity = {"sources": {"grammar.things": {"map": {"thing_id": "id", "name": "name"}}}}
    return GrammarShop(tmp_path / "shop", service, resource=DELTA, entity=entity, **more)


def check(shop, service):
    """What is there must be what the service has."""
    assert shop.read_names() == {ident: entry["name"] for ident, entry in service.users.items()}


def test_graph_delta_brings_changes_and_removed_entries_from_link_to_link(tmp_path, graph):
    shop = create(tmp_path, graph)
    shop.run()
    check(shop, graph)
    graph.put("u1", "renamed")
    graph.remove("u2")
    graph.put("u9", "new")
    graph.requests.clear()
    shop.run()
    check(shop, graph)
    assert [request.target for request in graph.requests] == [
        "/users/delta?delta=5", "/users/delta?page=2&until=8&delta=5",
    ]  # fmt: skip
    assert [purpose for purpose, _ in shop.list_reads()] == ["snapshot", "changes"]
    assert shop.count_versions() == {"u0": 1, "u1": 2, "u2": 1, "u3": 1, "u4": 1, "u9": 1}
    shop.run()
    assert shop.list_reads()[-1] == ("changes", 0)
    # Removed users may come back.
    graph.put("u2", "back")
    shop.run()
    check(shop, graph)


@pytest.mark.parametrize("code", [410, 400])
def test_an_expired_link_leads_to_a_complete_read_that_also_closes_what_is_gone(tmp_path, graph, code):
    rules = {"errors": [{"status": [400], "field": "error.code", "equals": "syncStateNotFound", "means": "expired"}]}
    shop = create(tmp_path, graph, connector=rules)
    shop.run()
    graph.put("u1", "renamed")
    graph.remove("u2")
    graph.log = [entry for entry in graph.log if entry["id"] != "u2"]  # nobody remembers that it was there
    graph.is_expired, graph.code = True, code
    report = shop.run()
    check(shop, graph)
    assert report["outcome"] == "succeeded"
    assert [purpose for purpose, _ in shop.list_reads()] == ["snapshot", "snapshot"]
    graph.is_expired = False
    graph.put("u3", "after the resync")
    shop.run()
    check(shop, graph)
    assert [purpose for purpose, _ in shop.list_reads()] == ["snapshot", "snapshot", "changes"]


def test_a_link_that_expires_between_two_pages_loses_nothing(tmp_path, graph):
    shop = create(tmp_path, graph)
    shop.run()
    for number in range(5):
        graph.put(f"n{number}", "new")
    answer = graph.build_answer

    def build_answer(request):
        if "page" in request.params and "delta" in request.params:
            return 410, {}, {"error": {"code": "resyncRequired"}}
        return answer(request)

    graph.build_answer = build_answer
    shop.run()
    check(shop, graph)


def test_a_page_of_the_first_read_that_expires_starts_it_again(tmp_path, graph):
    shop = create(tmp_path, graph)
    answer, refusals = graph.build_answer, iter([1])

    def build_answer(request):
        if request.params.get("page") == "4" and next(refusals, None):
            return 410, {}, {}
        return answer(request)

    graph.build_answer = build_answer
    shop.run()
    check(shop, graph)
    assert shop.list_reads() == [("snapshot", 5)]


def test_an_address_that_is_gone_is_no_expired_link(tmp_path, graph):
    graph.build_answer = lambda request: (410, {}, {})
    error = create(tmp_path, graph).fail()
    assert "410" in error["message"]
    assert len(graph.requests) == 1


@pytest.mark.slow
@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_read_of_changes_that_is_killed_goes_on_from_the_same_link(tmp_path, graph, number):
    shop = create(tmp_path, graph)
    shop.run()
    for index in range(5):
        graph.put(f"n{index}", "new")
    graph.remove("u0")
    graph.requests.clear()
    shop.kill_at_request(number)
    graph.put("u1", "later")
    shop.run()
    assert set(shop.read_ids()) == set(graph.users)
    # What changed after the last page belongs to the next read.
    shop.run()
    check(shop, graph)
    assert set(shop.count_versions().values()) <= {1, 2}


def test_a_kill_between_the_link_and_the_commit_does_not_skip_a_round(tmp_path, graph, monkeypatch):
    shop = create(tmp_path, graph)
    shop.run()
    graph.put("u1", "renamed")
    with monkeypatch.context() as patch:
        patch.setattr("headwater.ledger.sql.ledger.SqlLedger.commit_window", _fail_commit)
        assert shop.run(code=None)["outcome"] != "succeeded"
    for path in shop.data.rglob("*.parts/*.zst"):
        path.unlink()  # and the pages are lost, too
    shop.run()
    check(shop, graph)


def _fail_commit(self, batch, **more):
    raise OSError("killed")


def test_a_last_page_without_a_link_is_an_error(tmp_path, graph):
    graph.with_link = False
    assert "no link to the next changes" in create(tmp_path, graph).fail()["message"]


def test_another_declaration_reads_everything_again(tmp_path, graph):
    shop = create(tmp_path, graph)
    shop.run()
    shop.write_connector(params={"$select": "id,name"})
    shop.run()
    assert [purpose for purpose, _ in shop.list_reads()] == ["snapshot", "snapshot"]
    check(shop, graph)


def test_an_entry_that_changes_and_is_removed_in_one_read_is_gone(tmp_path, graph):
    shop = create(tmp_path, graph)
    shop.run()
    graph.put("u1", "renamed")
    graph.remove("u1")
    graph.remove("u3")
    graph.put("u3", "back at once")
    shop.run()
    check(shop, graph)


def test_a_sweep_on_demand_reads_everything_again(tmp_path, graph):
    shop = create(tmp_path, graph)
    shop.run()
    shop.run("--sweep")
    assert [purpose for purpose, _ in shop.list_reads()] == ["snapshot", "snapshot"]


class ExportService(Service):
    """An export by cursor, whose last page has a cursor for the next time, and rows with a status of deleted."""

    def __init__(self):
        super().__init__()
        self.log = []

    def build_answer(self, request):
        start = int(request.params.get("cursor", 0))
        page = self.log[start : start + 2]
        end = start + len(page)
        return 200, {}, {"tickets": page, "after_cursor": str(end), "end_of_stream": end >= len(self.log)}


EXPORT = {
    "path": "incremental/tickets/cursor.json", "records": "tickets",
    "fields": {"id": "text", "name": "text", "status": "text"},
    "paging": {
        "kind": "token", "field": "after_cursor", "param": "cursor", "first": {"start_time": "0"}, "last": "end_of_stream",
        "stable": True,
    },
    "cursor": {"kind": "delta", "field": "after_cursor"}, "deletes": {"kind": "flag", "field": "status", "equals": "deleted"},
}  # fmt: skip


def test_zendesk_cursor_export_continues_from_its_last_cursor(tmp_path):
    service = ExportService()
    service.log = [{"id": f"t{number}", "name": "x", "status": "open"} for number in range(5)]
    with serve(service):
        entity = {"sources": {"grammar.things": {"map": {"thing_id": "id", "name": "name"}}}}
        shop = GrammarShop(tmp_path / "shop", service, resource=EXPORT, entity=entity)
        shop.run()
        assert len(shop.read_ids()) == 5
        assert [request.params for request in service.requests] == [
            {"start_time": "0"},
            {"cursor": "2"},
            {"cursor": "4"},
        ]
        service.log += [{"id": "t1", "name": "x", "status": "deleted"}, {"id": "t2", "name": "y", "status": "open"}]
        service.requests.clear()
        shop.run()
        assert service.requests[0].params == {"cursor": "5"}
        assert shop.read_names() == {"t0": "x", "t2": "y", "t3": "x", "t4": "x"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"paging": {"kind": "offset"}}, "`things` needs the paging `next_url` or `token` for its delta."),
        ({"parent": {"resource": "things"}, "path": "{parent}"}, "`things` cannot have both a delta and a parent."),
        (
            {"deletes": {"kind": "mark", "field": "@removed"}},
            "`things` has no field `@removed`, which marks its deletes.",
        ),
    ],
)
def test_a_delta_that_cannot_work_is_refused(tmp_path, graph, change, message):
    shop = create(tmp_path, graph)
    shop.write_connector(**change)
    assert shop("check", code=2).error["message"] == message
