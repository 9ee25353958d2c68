"""What is committed is not read again, and what did not change is not written again."""

from __future__ import annotations

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
