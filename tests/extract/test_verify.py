"""Reads single records by id. A missing record counts as absent only if the service applies the condition."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

import pytest
from pydantic import ValidationError

from headwater.errors import NotFoundError, PermanentError
from headwater.extract.request_params import ReadRequest
from headwater.extract.verify import IdRequest, verify_records
from headwater.model.resource import Resource
from tests.extract.service import Service, build_batch, build_client, build_tickets, serve
from tests.extract.test_read import read_ids

BATCH = build_batch(purpose="verify")
SINGLE = {"path": "tickets/{id}"}
GROUP = {"params": {"conditions": "id in ({ids})"}, "size": 10}


@dataclass
class ById(Service):
    """A service that gives single records: one by one below the path, several by `id in (...)`."""

    cap: int = 1000
    """The most records of an answer, whatever was asked for."""
    deaf: bool = False
    """Whether it ignores the condition."""
    wrapped: str = ""

    def respond(self, request):
        self.requests.append(request)
        records = {str(record["id"]): record for record in self.collections["tickets"]}
        one = request.path.removeprefix("/v1/tickets").lstrip("/")
        if one:
            if one not in records:
                return 404, {}, b'{"message":"not found"}'
            record = {self.wrapped: records[one]} if self.wrapped else records[one]
            return 200, {}, json.dumps(record).encode()
        wanted = re.findall(r"\d+", request.params.get("conditions", ""))
        page = [records[one] for one in wanted if one in records][: self.cap]
        return 200, {}, json.dumps(self.collections["tickets"][:5] if self.deaf else page).encode()


@pytest.fixture
def service():
    with serve(ById()) as service:
        service.collections["tickets"] = build_tickets(30)
        yield service


def verify(service, verify_config, wanted, lake, ledger, *, control="", **more):
    """Verify `wanted`; the row of the batch."""
    with build_client(service) as client:
        resource = {"resource": "tickets", "path": "tickets", "verify": verify_config} | more
        read_request = ReadRequest(
            resource=client.connector.with_defaults(Resource.model_validate(resource)), fields=("id", "summary")
        )
        return verify_records(
            BATCH, read_request, client, IdRequest(ids=wanted, control=control), lake=lake, ledger=ledger
        )


@pytest.mark.parametrize("verify_config", [SINGLE, GROUP], ids=["singly", "in groups"])
def test_existing_records_are_read(verify_config, service, lake, ledger):
    row = verify(service, verify_config, ["3", "99", "30", "3"], lake, ledger, control="7")
    assert (row.state, row.rows, row.batch.purpose) == ("extracted", 3, "verify")
    assert sorted(read_ids(lake, BATCH)) == [3, 7, 30]
    assert ledger.list_windows(BATCH.feed) == ()
    assert service.requests[0].params["fields"] == "id,summary,_info"


def test_missing_records_of_a_group_are_requested_again_if_some_were_returned(service, lake, ledger):
    verify(service, GROUP, [str(one) for one in (*range(1, 11), *range(100, 110), 11, 110)], lake, ledger)
    sizes = [request.params["conditions"].count(",") + 1 for request in service.requests]
    # Ten that all come; ten of which none comes; one of two comes, and the other is asked for alone once more.
    assert sizes == [10, 10, 2, 1]


def test_a_capped_response_makes_no_record_absent(service, lake, ledger):
    service.cap = 4
    row = verify(service, GROUP, [str(one) for one in range(1, 11)], lake, ledger)
    assert (row.rows, read_ids(lake, BATCH)) == (10, list(range(1, 11)))


@pytest.mark.parametrize("verify_config", [{"path": "companies/{id}"}, {"params": {"filter": "id in ({ids})"}}])
def test_an_unknown_endpoint_proves_nothing(verify_config, service, lake, ledger):
    with pytest.raises(PermanentError, match="by id that it returned in a list"):
        verify(service, verify_config, ["99"], lake, ledger, control="7")
    assert ledger.find_batch("acme", BATCH.id).state == "extracting"


def test_an_ignored_condition_is_an_error(service, lake, ledger):
    service.deaf = True
    with pytest.raises(PermanentError, match="whose id was not requested"):
        verify(service, GROUP, ["99"], lake, ledger)


def test_a_404_for_a_group_is_an_error(service, lake, ledger):
    with pytest.raises(NotFoundError):
        verify(service, {**GROUP, "path": "tickets/elsewhere"}, ["3"], lake, ledger)


@pytest.mark.parametrize(
    ("wrapped", "records"), [("result", "result"), ("", "")], ids=["in a wrapping", "the answer itself"]
)
def test_a_single_record_is_read_from_the_declared_path(wrapped, records, service, lake, ledger):
    service.wrapped = wrapped
    row = verify(service, SINGLE, ["5", "6"], lake, ledger, records=records)
    assert (row.rows, read_ids(lake, BATCH)) == (2, [5, 6])


@pytest.mark.parametrize("body", [b"", b"null", b"[]"])
def test_an_empty_response_has_no_record(body, service, lake, ledger):
    service.always = lambda request, reply: reply if reply[0] == 200 else (200, {}, body)
    row = verify(service, SINGLE, ["99", "5"], lake, ledger)
    assert (row.rows, read_ids(lake, BATCH)) == (1, [5])


def test_an_incomplete_batch_starts_over_and_a_complete_one_is_not_read_again(service, lake, ledger):
    service.faults = [None, lambda request, reply: (403, {}, b"{}")]
    with pytest.raises(PermanentError):
        verify(service, SINGLE, ["5", "6"], lake, ledger)
    assert verify(service, SINGLE, ["6", "8"], lake, ledger).rows == 2
    assert read_ids(lake, BATCH) == [6, 8]
    service.requests.clear()
    assert verify(service, SINGLE, ["9"], lake, ledger).rows == 2
    assert not service.requests


def test_an_id_cannot_change_the_path(service, lake, ledger):
    assert verify(service, SINGLE, ["../info"], lake, ledger).rows == 0
    assert service.requests[0].path == "/v1/tickets/..%2Finfo"


def test_an_id_with_a_quote_is_not_requested(service, lake, ledger):
    with pytest.raises(PermanentError, match="cannot be part of a list of ids"):
        verify(service, {**GROUP, "quote": "'"}, ["a') or ('1'='1"], lake, ledger)


@pytest.mark.parametrize(
    "wrong", [{}, {"path": "x"}, {"path": "x/{id}", "params": {"q": "{ids}"}}], ids=["neither", "no id", "both"]
)
def test_verify_has_exactly_one_form(wrong):
    with pytest.raises(ValidationError):
        Resource.model_validate({"resource": "tickets", "path": "tickets", "verify": wrong})


def test_a_key_of_two_fields_cannot_be_verified():
    with pytest.raises(ValidationError, match="key of one field"):
        Resource.model_validate({"resource": "tickets", "path": "t", "key": ["a", "b"], "verify": SINGLE})
