"""Single records asked for by their ids: what comes is there, and silence counts only where the service knows the way."""

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
from tests.extract.service import Service, batch, client_of, serving, tickets
from tests.extract.test_read import ids

BATCH = batch(purpose="verify")
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

    def answer(self, asked):
        self.asked.append(asked)
        known = {str(record["id"]): record for record in self.collections["tickets"]}
        one = asked.path.removeprefix("/v1/tickets").lstrip("/")
        if one:
            if one not in known:
                return 404, {}, b'{"message":"not found"}'
            record = {self.wrapped: known[one]} if self.wrapped else known[one]
            return 200, {}, json.dumps(record).encode()
        wanted = re.findall(r"\d+", asked.params.get("conditions", ""))
        found = [known[one] for one in wanted if one in known][: self.cap]
        return 200, {}, json.dumps(self.collections["tickets"][:5] if self.deaf else found).encode()


@pytest.fixture
def byid():
    with serving(ById()) as running:
        running.collections["tickets"] = tickets(30)
        yield running


def ask(service, how, wanted, lake, ledger, *, control="", **more):
    """Verify `wanted`; the row of the batch."""
    with client_of(service) as client:
        told = {"resource": "tickets", "path": "tickets", "verify": how} | more
        question = ReadRequest(
            resource=client.connector.with_defaults(Resource.model_validate(told)), fields=("id", "summary")
        )
        return verify_records(BATCH, question, client, IdRequest(ids=wanted, control=control), lake=lake, ledger=ledger)


@pytest.mark.parametrize("how", [SINGLE, GROUP], ids=["singly", "in groups"])
def test_what_is_there_comes_and_what_is_not_does_not(how, byid, lake, ledger):
    row = ask(byid, how, ["3", "99", "30", "3"], lake, ledger, control="7")
    assert (row.state, row.rows, row.batch.purpose) == ("extracted", 3, "verify")
    assert sorted(ids(lake, BATCH)) == [3, 7, 30]
    assert ledger.list_windows(BATCH.feed) == ()
    assert byid.asked[0].params["fields"] == "id,summary,_info"


def test_groups_are_of_the_declared_size_and_absence_takes_one_more_request_only_where_some_came(byid, lake, ledger):
    ask(byid, GROUP, [str(one) for one in (*range(1, 11), *range(100, 110), 11, 110)], lake, ledger)
    asked = [request.params["conditions"].count(",") + 1 for request in byid.asked]
    # Ten that all come; ten of which none comes; one of two comes, and the other is asked for alone once more.
    assert asked == [10, 10, 2, 1]


def test_a_capped_answer_makes_nobody_absent(byid, lake, ledger):
    byid.cap = 4
    row = ask(byid, GROUP, [str(one) for one in range(1, 11)], lake, ledger)
    assert (row.rows, ids(lake, BATCH)) == (10, list(range(1, 11)))


@pytest.mark.parametrize("how", [{"path": "companies/{id}"}, {"params": {"filter": "id in ({ids})"}}])
def test_a_way_the_service_does_not_know_proves_nothing(how, byid, lake, ledger):
    with pytest.raises(PermanentError, match="by id that it returned in a list"):
        ask(byid, how, ["99"], lake, ledger, control="7")
    assert ledger.find_batch("acme", BATCH.id).state == "extracting"


def test_a_condition_that_is_ignored_is_noticed(byid, lake, ledger):
    byid.deaf = True
    with pytest.raises(PermanentError, match="whose id was not requested"):
        ask(byid, GROUP, ["99"], lake, ledger)


def test_a_group_that_is_not_found_is_an_error_and_no_absence(byid, lake, ledger):
    with pytest.raises(NotFoundError):
        ask(byid, {**GROUP, "path": "tickets/elsewhere"}, ["3"], lake, ledger)


@pytest.mark.parametrize(
    ("wrapped", "records"), [("result", "result"), ("", "")], ids=["in a wrapping", "the answer itself"]
)
def test_a_single_record_stands_where_the_manifest_says(wrapped, records, byid, lake, ledger):
    byid.wrapped = wrapped
    row = ask(byid, SINGLE, ["5", "6"], lake, ledger, records=records)
    assert (row.rows, ids(lake, BATCH)) == (2, [5, 6])


@pytest.mark.parametrize("body", [b"", b"null", b"[]"])
def test_an_empty_answer_is_no_record(body, byid, lake, ledger):
    byid.always = lambda asked, reply: reply if reply[0] == 200 else (200, {}, body)
    row = ask(byid, SINGLE, ["99", "5"], lake, ledger)
    assert (row.rows, ids(lake, BATCH)) == (1, [5])


def test_it_begins_anew_when_it_died_and_is_left_alone_when_it_was_read(byid, lake, ledger):
    byid.faults = [None, lambda asked, reply: (403, {}, b"{}")]
    with pytest.raises(PermanentError):
        ask(byid, SINGLE, ["5", "6"], lake, ledger)
    assert ask(byid, SINGLE, ["6", "8"], lake, ledger).rows == 2
    assert ids(lake, BATCH) == [6, 8]
    byid.asked.clear()
    assert ask(byid, SINGLE, ["9"], lake, ledger).rows == 2
    assert not byid.asked


def test_an_id_cannot_lead_elsewhere(byid, lake, ledger):
    assert ask(byid, SINGLE, ["../info"], lake, ledger).rows == 0
    assert byid.asked[0].path == "/v1/tickets/..%2Finfo"


def test_an_id_that_would_end_its_quotes_is_not_asked_for(byid, lake, ledger):
    with pytest.raises(PermanentError, match="cannot be part of a list of ids"):
        ask(byid, {**GROUP, "quote": "'"}, ["a') or ('1'='1"], lake, ledger)


@pytest.mark.parametrize(
    "wrong", [{}, {"path": "x"}, {"path": "x/{id}", "params": {"q": "{ids}"}}], ids=["neither", "no id", "both"]
)
def test_a_way_is_one_way(wrong):
    with pytest.raises(ValidationError):
        Resource.model_validate({"resource": "tickets", "path": "tickets", "verify": wrong})


def test_a_key_of_two_fields_cannot_be_asked_for():
    with pytest.raises(ValidationError, match="key of one field"):
        Resource.model_validate({"resource": "tickets", "path": "t", "key": ["a", "b"], "verify": SINGLE})
