"""What is committed is not read again, and what did not change is not written again."""

from __future__ import annotations

from contextlib import contextmanager

from sqlalchemy import Engine, event

from tests.e2e.builders import create_msp


def twice(project, service):
    first = project.run()
    assert first["outcome"] == "succeeded"
    before = project.read_tables(layers=("silver", "gold", "meta"))
    read = service.list_requests(clear=True)
    second = project.run()
    assert second["rows"] == 0
    assert second["written"] == {}
    assert project.read_tables(layers=("silver", "gold", "meta")) == before
    return read, service.list_requests()


def test_a_second_run_asks_for_nothing_and_writes_nothing(small, service):
    read, again = twice(small, service)
    assert len(read) > 15
    assert again == []


def test_a_second_run_of_the_whole_blueprint_a_moment_later_reads_only_the_moment(tmp_path, start_service):
    service = start_service(companies=2, months=1)
    service.advance(hours=20)  # away from the end of a month, which is news for the periods of agreements
    project = create_msp(tmp_path / "msp", service)
    read, again = twice(project, service)
    assert len(read) > 50
    assert again == []
    service.advance(hours=0.1)
    before = project.read_tables()
    report = project.run()
    assert report["written"] == {}
    assert project.read_tables() == before
    asked = service.list_requests()
    assert 0 < len(asked) < len(read) / 3
    print(f"first {len(read)} requests, at once again {len(again)}, a moment later {len(asked)}")


@contextmanager
def count_ledger_statements():
    """What is sent to the ledger meanwhile: all statements, and transactions that make other writers wait."""
    sent = []

    def on_statement(connection, cursor, statement, parameters, context, executemany):
        sent.append(statement)

    event.listen(Engine, "before_cursor_execute", on_statement)
    counts = {}
    try:
        yield counts
    finally:
        event.remove(Engine, "before_cursor_execute", on_statement)
        begun = [statement for statement in sent if statement.startswith("BEGIN")]
        counts |= {"statements": len(sent) - len(begun), "writes": begun.count("BEGIN IMMEDIATE")}


def test_a_run_without_news_seldom_writes_the_ledger(small, service):
    assert small.run()["outcome"] == "succeeded"
    with count_ledger_statements() as counts:
        assert small.run()["written"] == {}
    assert counts["writes"] <= 6
    assert counts["statements"] <= 70
