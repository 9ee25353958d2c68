"""Each kind of paging reads a service that behaves so: whole, once, after a kill, and not past a trap."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.e2e.grammar.paged_services import (
    BY_OFFSET,
    DRAINED,
    JOINED,
    KINDS,
    ODATA,
    QUERY_TEXT,
    SEARCH,
    SNAPSHOT,
    SOQL,
    STRIPE,
    TABLE_SOURCE,
    TIME_EXPORT,
    TOKEN,
    EncodedQueryService,
    LocatorService,
    ODataService,
    QueryTextService,
    SearchService,
    StripeService,
    TimeExportService,
    TokenService,
    build_rows,
    describe_request,
    get_id,
)
from tests.e2e.grammar.shop import GrammarShop, build_things, list_ids, serve


@pytest.mark.parametrize("kind", KINDS)
def test_every_record_arrives_once_and_nothing_is_read_twice(tmp_path, kind):
    build_service, resource, source = KINDS[kind]
    with serve(build_service()) as service:
        shop = GrammarShop(tmp_path / "shop", service, resource=resource, source=source)
        report = shop.run()
        ids = sorted(map(get_id, service.records))
        assert shop.read_ids() == ids
        assert not report["findings"]
        assert shop.list_reads() == [(shop.list_reads()[0][0], len(ids))]
        assert set(shop.count_versions().values()) == {1}


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_a_read_that_is_killed_goes_on_where_it_was(tmp_path, kind):
    build_service, resource, source = KINDS[kind]
    with serve(build_service()) as service:
        shop = GrammarShop(tmp_path / "shop", service, resource=resource, source=source)
        shop.kill_at_request(4)
        # The page before the one without an answer may have been read and not committed.
        committed = set(map(describe_request, service.requests[:2]))
        service.requests.clear()
        shop.run()
        assert shop.read_ids() == sorted(map(get_id, service.records))
        asked = list(map(describe_request, service.requests))
        if kind not in ("offset", "query text"):  # these are read twice, to prove that no record moved
            assert not committed & set(asked)
            assert set(Counter(asked).values()) == {1}


def test_salesforce_pages_by_next_records_url_over_2000(tmp_path):
    with serve(LocatorService(build_things(4500))) as service:
        shop = GrammarShop(tmp_path / "shop", service, resource=SOQL)
        shop.run()
        assert len(shop.read_ids()) == 4500
        assert [request.path for request in service.requests] == [
            "/services/query", "/services/query/01g-2000", "/services/query/01g-4000",
        ]  # fmt: skip
        assert service.requests[0].params["q"].startswith("SELECT Id FROM Thing WHERE changed < 20")
        # The locator is the query: nothing of the first request is added to it.
        assert service.requests[1].params == {}


def test_an_answer_that_is_not_done_and_has_no_url_is_no_end(tmp_path):
    with serve(LocatorService(build_things(4500))) as service:
        shop = GrammarShop(
            tmp_path / "shop", service, resource=SOQL | {"paging": SOQL["paging"] | {"field": "nextUrl"}}
        )
        assert "sends no URL to continue from" in shop.fail()["message"]


def test_a_page_without_the_flag_of_the_last_one_is_no_end(tmp_path):
    with serve(TimeExportService(build_things(14))) as service:
        service.flag = "end"
        shop = GrammarShop(tmp_path / "shop", service, resource=TIME_EXPORT)
        assert "does not say whether it is the last page" in shop.fail()["message"]


@pytest.mark.parametrize(
    ("service_kind", "resource"),
    [(ODataService, ODATA), (TokenService, TOKEN | {"paging": TOKEN["paging"] | {"last": ""}})],
)
def test_a_mistyped_path_of_the_next_page_does_not_end_the_read(tmp_path, service_kind, resource):
    with serve(service_kind(build_things(14))) as service:
        mistyped = resource | {"paging": resource["paging"] | {"field": "nexLink"}}
        shop = GrammarShop(tmp_path / "shop", service, resource=mistyped)
        assert "a link to a next page that the paging does not read" in shop.fail()["message"]


def test_a_next_url_on_another_host_gets_no_request(tmp_path):
    with serve(ODataService(build_things(14))) as service, serve(ODataService(build_things(99))) as stranger:
        service.next_host = stranger.url
        shop = GrammarShop(
            tmp_path / "shop", service, resource=ODATA, secrets={"token": "secret-token-1"},
            connector={"auth": {"kind": "headers", "headers": {"Authorization": "Bearer {token}"}}},
        )  # fmt: skip
        assert "a host that the connector does not allow" in shop.fail()["message"]
        assert stranger.requests == []
        assert service.requests[0].headers["Authorization"] == "Bearer secret-token-1"


def test_a_token_that_repeats_is_a_loop(tmp_path):
    with serve(TokenService(build_things(18))) as service:
        service.repeats = True
        assert "paging loop" in GrammarShop(tmp_path / "shop", service, resource=TOKEN).fail()["message"]


def test_a_last_page_may_have_a_token(tmp_path):
    with serve(TokenService(build_things(18))) as service:
        service.last_has_token = True
        shop = GrammarShop(tmp_path / "shop", service, resource=TOKEN)
        shop.run()
        assert shop.read_ids() == list_ids(service.records)
        assert len(service.requests) == 5


@pytest.mark.parametrize("count", [10, 20, 21, 8])
def test_hubspot_reads_past_the_cap_of_its_search_by_post(tmp_path, count):
    with serve(SearchService(build_things(count))) as service:
        shop = GrammarShop(tmp_path / "shop", service, resource=SEARCH)
        shop.run()
        assert shop.read_ids() == list_ids(service.records)
        assert shop.list_reads() == [("changes", count)]


def test_hubspot_searches_changes_with_both_bounds_in_the_body(tmp_path):
    with serve(SearchService(build_things(23))) as service:
        shop = GrammarShop(tmp_path / "shop", service, resource=SEARCH)
        shop.run()
        assert b'"operator":"GTE"' not in service.requests[0].body
        assert b'"limit":4' in service.requests[0].body
        service.requests.clear()
        shop.run()
        assert b'"operator":"GTE"' in service.requests[0].body
        assert service.requests[0].params == {}


def test_a_parameter_of_a_body_that_nothing_sets_is_refused(tmp_path):
    with serve(SearchService()) as service:
        shop = GrammarShop(tmp_path / "shop", service, resource=SEARCH | {"cursor": SNAPSHOT})
        error = shop("check", code=2).error
        assert error["message"] == "`{since}` in the body of `things` is no parameter of its requests."


def test_a_search_that_does_not_sort_is_refused(tmp_path):
    class Unsorted(SearchService):
        def build_answer(self, request):
            status, headers, body = super().build_answer(request)
            return status, headers, body | {"results": list(reversed(body.get("results", [])))}

    records = [{**record, "id": number} for number, record in enumerate(build_things(23), 1000)]
    with serve(Unsorted(records)) as service:
        shop = GrammarShop(
            tmp_path / "shop",
            service,
            resource=SEARCH | {"fields": {"id": "bigint", "name": "text", "changed": "timestamp"}},
        )
        service.is_match = lambda record, one: one["propertyName"] != "id" or str(record["id"]) > one["value"]
        assert "does not sort the records" in shop.fail()["message"]


def test_stripe_pages_by_the_last_id_until_has_more_is_false(tmp_path):
    records = [{"id": f"ch_{number}", "name": "x", "created": 1_770_000_000 + number} for number in range(17)]
    with serve(StripeService(records)) as service:
        source = {
            "changed_at": "from_epoch(created)",
            "map": {"thing_id": "id", "name": "name"},
        }
        shop = GrammarShop(tmp_path / "shop", service, resource=STRIPE, source=source)
        shop.run()
        assert shop.read_ids() == sorted(record["id"] for record in records)
        assert len(service.requests) == 5
        assert shop.query("SELECT count(DISTINCT valid_from), min(valid_from)::text FROM silver.thing")[0] == (
            17, "2026-02-02 02:40:00",
        )  # fmt: skip


def test_a_page_below_the_size_requested_is_not_the_last_one(tmp_path):
    records = [{"id": f"ch_{number}", "name": "x", "created": 1_770_000_000 + number} for number in range(17)]
    with serve(StripeService(records)) as service:
        service.size = 3
        source = {"changed_at": "from_epoch(created)"}
        shop = GrammarShop(tmp_path / "shop", service, resource=STRIPE, source=source)
        shop.run()
        assert len(shop.read_ids()) == 17


@pytest.mark.parametrize("resource", [DRAINED, JOINED], ids=["drained", "joined"])
@pytest.mark.parametrize("ties", [1, 4, 5, 19])
def test_servicenow_by_keyset_loses_no_tie_at_the_border_of_a_page(tmp_path, resource, ties):
    with serve(EncodedQueryService(build_rows(19, ties))) as service:
        shop = GrammarShop(tmp_path / "shop", service, resource=resource, source=TABLE_SOURCE)
        shop.run()
        assert shop.read_ids() == sorted(record["sys_id"] for record in service.records)
        assert shop.list_reads() == [("changes", 19)]


def test_a_row_that_moves_while_a_keyset_is_read_is_not_lost_nor_is_another(tmp_path):
    with serve(EncodedQueryService(build_rows(19, 2))) as service:
        answer = service.build_answer

        def build_answer(request):
            if len(service.requests) == 2:
                service.records[0]["sys_updated_on"] = "2026-05-01 09:00:00"
                service.records[18]["sys_updated_on"] = "2026-05-01 09:00:00"
            return answer(request)

        service.build_answer = build_answer
        shop = GrammarShop(tmp_path / "shop", service, resource=DRAINED, source=TABLE_SOURCE)
        shop.run()
        assert shop.read_ids() == sorted(record["sys_id"] for record in service.records)


def test_a_keyset_whose_order_is_ignored_is_refused(tmp_path):
    with serve(EncodedQueryService(list(reversed(build_rows(19, 2))))) as service:
        paging = {**DRAINED["paging"], "first": "{filter}", "next": "{filter}^sys_updated_on>{key}"}
        shop = GrammarShop(tmp_path / "shop", service, resource=DRAINED | {"paging": paging}, source=TABLE_SOURCE)
        assert "does not sort the records" in shop.fail()["message"]


def test_a_condition_on_ties_that_is_ignored_is_refused(tmp_path):
    with serve(EncodedQueryService(build_rows(19, 2))) as service:
        paging = {**DRAINED["paging"], "ties": "{filter}^sid_unknown={key}^other>{tie}" + "^ORDERBYsys_updated_on"}
        shop = GrammarShop(tmp_path / "shop", service, resource=DRAINED | {"paging": paging}, source=TABLE_SOURCE)
        assert "ignored the condition of the paging" in shop.fail()["message"]


def test_servicenow_by_offset_reads_on_over_rows_that_its_rights_hide(tmp_path):
    with serve(EncodedQueryService(build_rows(19, 2))) as service:
        service.hidden = frozenset(
            record["sys_id"]
            for record in sorted(service.records, key=lambda one: (one["sys_updated_on"], one["sys_id"]))[4:8]
        )
        cursor = {
            **BY_OFFSET["cursor"],
            "first": {"sysparm_query": "sys_updated_on<{until}^ORDERBYsys_updated_on^ORDERBYsys_id"},
        }
        shop = GrammarShop(tmp_path / "shop", service, resource=BY_OFFSET | {"cursor": cursor}, source=TABLE_SOURCE)
        shop.run()
        assert shop.read_ids() == sorted(get_id(one) for one in service.records if get_id(one) not in service.hidden)


def test_quickbooks_pages_by_startposition_and_ends_with_an_empty_query_response(tmp_path):
    with serve(QueryTextService(build_things(15))) as service:
        service.cap = 4  # below the 5 that are requested
        shop = GrammarShop(tmp_path / "shop", service, resource=QUERY_TEXT)
        shop.run()
        assert shop.read_ids() == list_ids(service.records)
        service.requests.clear()
        shop.run()
        assert "Changed >= '20" in service.requests[0].params["query"]
        assert shop.read_ids() == list_ids(service.records)


def test_a_response_without_what_contains_the_list_is_an_error(tmp_path):
    with serve(QueryTextService()) as service:
        service.build_answer = lambda request: (200, {}, {"Fault": {"Error": [{"Message": "no"}]}})
        assert "no list of records" in GrammarShop(tmp_path / "shop", service, resource=QUERY_TEXT).fail()["message"]


def test_a_keyset_of_a_snapshot_needs_no_filter(tmp_path):
    paging = {**DRAINED["paging"], "no_filter": "sys_idISNOTEMPTY"}
    with serve(EncodedQueryService(build_rows(9, 2))) as service:
        resource = DRAINED | {"paging": paging, "cursor": SNAPSHOT}
        shop = GrammarShop(tmp_path / "shop", service, resource=resource, source=TABLE_SOURCE)
        shop.run()
        assert len(shop.read_ids()) == 9
        assert service.requests[0].params["sysparm_query"].startswith("sys_idISNOTEMPTY^ORDERBY")
