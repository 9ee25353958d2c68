"""`headwater connector new --openapi`: a draft that says what a person must decide, and reads the service once that is done."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from headwater.cli.main import run_command
from headwater.model.load import load_connector
from tests.codegen.test_formats import write_json
from tests.e2e.http_server import serve_http

REF = "#/components/schemas/"


def build_list(name: str, *params: str, envelope: str | None = None) -> dict[str, Any]:
    items: dict[str, Any] = {"type": "array", "items": {"$ref": REF + name}}
    schema = items if envelope is None else {"properties": {envelope: items, "next": {"type": "string"}}}
    return {
        "get": {
            "parameters": [{"name": param, "in": "query"} for param in params],
            "responses": {"200": {"content": {"application/json": {"schema": schema}}}},
        }
    }


def build_object(name: str) -> dict[str, Any]:
    return {"get": {"responses": {"200": {"content": {"application/json": {"schema": {"$ref": REF + name}}}}}}}


SPEC: dict[str, Any] = {
    "openapi": "3.0.1",
    "servers": [{"url": "https://api.example.com/v2"}],
    "paths": {
        "/tickets": build_list("ticket", "page", "pageSize", "updatedSince"),
        "/tickets/{id}": build_object("ticket"),
        "/tickets/count": build_list("ticket"),
        "/tickets/{ticketId}/notes": build_list("Note", "page", "pageSize", envelope="data"),
        "/tickets/{ticketId}/notes/{noteId}/parts": build_list("Note"),
        "/archive/tickets": build_list("ticket", "page", "per_page"),
        "/people": build_list("Person", "cursor"),
        "/me": build_object("Person"),
    },
    "components": {
        "securitySchemes": {"key": {"type": "apiKey", "in": "header", "name": "X-Key"}},
        "schemas": {
            "ticket": {
                "type": "object",
                "properties": {
                    "id": {"type": "integer"},
                    "title": {"type": "string"},
                    "updatedAt": {"type": "string", "format": "date-time"},
                },
            },
            "Note": {"type": "object", "properties": {"id": {"type": "integer"}, "text": {"type": "string"}}},
            "Person": {"type": "object", "properties": {"name": {"type": "string"}}},
        },
    },
}


def draft(tmp_path: Path, spec: dict[str, Any]) -> Path:
    path = write_json(tmp_path / "spec.json", spec)
    words = ["connector", "new", "desk", "--openapi", str(path), "--project", str(tmp_path)]
    assert run_command(words) == 0
    return tmp_path / "connectors" / "desk" / "connector.yaml"


def test_the_paths_that_list_records_become_resources(tmp_path, capsys):
    manifest = yaml.safe_load(draft(tmp_path, SPEC).read_text())
    written = capsys.readouterr().out
    assert "4 resources, 8 decisions left" in written
    assert "1 path left out" in written
    assert (
        "# Left out, because a path takes the key of one listed record only: /tickets/{ticketId}/notes/{noteId}/parts"
        in (tmp_path / "connectors/desk/connector.yaml").read_text()
    )
    by_name = {item["resource"]: item for item in manifest["resources"]}
    assert {name: item["path"] for name, item in by_name.items()} == {
        "tickets": "tickets", "notes": "tickets/{parent}/notes", "archive_tickets": "archive/tickets", "people": "people"
    }  # fmt: skip
    assert by_name["notes"]["parent"] == {"resource": "tickets"}
    assert by_name["notes"]["records"] == "data"
    assert by_name["tickets"]["contract"] == "Ticket"
    assert by_name["archive_tickets"]["paging"]["size_param"] == "per_page"
    assert manifest["auth"] == {"kind": "headers", "headers": {"X-Key": "{api_key}"}}
    assert "https://api.example.com/v2" in manifest["settings"]["base_url"]["description"]


def test_what_the_description_does_not_say_is_an_error_until_somebody_decides(tmp_path):
    """A kind of paging that reads one page would lose the others without a word."""
    path = draft(tmp_path, SPEC)
    text = path.read_text()
    assert "# decide: the fields that identify a record, among name" in text
    assert "# decide: the paging; the parameters are cursor" in text
    assert "# decide: the filter for changes since an instant by `updatedAt`" in text
    (tmp_path / "headwater.yaml").write_text("version: 1\nname: x\n")
    assert run_command(["connector", "show", "desk", "--project", str(tmp_path)]) == 2
    path.write_text(text.replace("[DECIDE]", "[name]").replace("{kind: DECIDE}", "{kind: unpaged}"))
    assert [item.resource for item in load_connector(path).resources] == [
        "archive_tickets",
        "people",
        "tickets",
        "notes",
    ]


@pytest.mark.parametrize(
    ("scheme", "auth"),
    [
        ({"type": "http", "scheme": "basic"}, {"kind": "basic", "user": "{user}", "password": "{password}"}),
        ({"type": "http", "scheme": "bearer"}, {"kind": "headers", "headers": {"Authorization": "Bearer {token}"}}),
        ({"type": "apiKey", "in": "query", "name": "k"}, {"kind": "query", "params": {"k": "{api_key}"}}),
        (
            {"type": "oauth2", "flows": {"clientCredentials": {"tokenUrl": "https://id.example.com/t"}}},
            {
                "kind": "oauth2_client_credentials",
                "token_url": "https://id.example.com/t",
                "client_id": "{client_id}",
                "client_secret": "{client_secret}",
            },
        ),
        ({"type": "openIdConnect"}, {"kind": "DECIDE"}),
    ],
)
def test_the_authentication_of_the_description_is_drafted(tmp_path, scheme, auth):
    spec = {**SPEC, "components": {**SPEC["components"], "securitySchemes": {"one": scheme}}}
    manifest = yaml.safe_load(draft(tmp_path, spec).read_text())
    assert manifest["auth"] == auth
    known = ("user", "password", "token", "api_key", "client_id", "client_secret")
    assert set(manifest.get("secrets", {})) == {name for name in known if f"{{{name}}}" in json.dumps(auth)}


@pytest.fixture
def desk(tmp_path, monkeypatch):
    """A project whose connector is a decided draft, and its service: five tickets in pages of two."""
    path = draft(tmp_path, {**SPEC, "paths": {"/tickets": SPEC["paths"]["/tickets"]}})
    path.write_text(path.read_text().replace("size: 100", "size: 2"))
    tickets = [{"id": number, "title": f"t{number}", "updatedAt": "2026-01-01T00:00:00Z"} for number in range(1, 6)]

    def respond(request):
        assert request.headers["X-Key"] == "secret"
        first = (int(request.params["page"]) - 1) * 2
        return 200, {}, tickets[first : first + 2]

    monkeypatch.setenv("DESK_KEY", "secret")
    monkeypatch.chdir(tmp_path)
    with serve_http(respond) as url:
        connection = {"connector": "desk", "settings": {"base_url": url}, "secrets": {"api_key": "env:DESK_KEY"}}
        project = {"version": 1, "name": "x", "tenants": {"acme": {"connections": {"desk": connection}}}}
        Path("headwater.yaml").write_text(yaml.safe_dump(project))
        entity = {
            "entity": "ticket", "key": "ticket_id", "columns": {"ticket_id": "bigint", "title": "text"},
            "sources": {"desk.tickets": {"changed_at": "updatedAt", "map": {"ticket_id": "id", "title": "title"}}},
        }  # fmt: skip
        Path("models/entities").mkdir(parents=True)
        Path("models/entities/ticket.yaml").write_text(yaml.safe_dump(entity))
        yield tickets


def read_ids(capsys):
    capsys.readouterr()
    assert run_command(["query", "SELECT ticket_id FROM silver.ticket ORDER BY 1", "--json"]) == 0
    return [row[0] for row in json.loads(capsys.readouterr().out)["rows"]]


def test_a_draft_reads_the_service_once_it_is_decided(desk, capsys):
    assert run_command(["run"]) == 0
    assert read_ids(capsys) == [1, 2, 3, 4, 5]


def test_the_contracts_of_a_project_say_why_a_record_is_refused(desk, capsys):
    desk[2]["id"] = "three"
    assert run_command(["run"]) == 0
    assert read_ids(capsys) == [1, 2, 4, 5]
    assert run_command(["quarantine", "list", "--json"]) == 0
    [refused] = json.loads(capsys.readouterr().out)["quarantined"]
    assert (refused["line"], refused["reasons"][0]["field"]) == (3, "id")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("import os", "may only name fields"),
        ("print('hello')", "may only name fields"),
        ("class Ticket(", "cannot be loaded"),
        ("class Other(Missing):\n    pass", "cannot be loaded"),
    ],
)
def test_a_file_of_contracts_that_is_more_or_less_is_refused(desk, capsys, line, message):
    path = Path("connectors/desk/schemas.py")
    path.write_text(f"{path.read_text()}\n{line}\n")
    capsys.readouterr()
    assert run_command(["run", "--json"]) == 2
    answer = capsys.readouterr().out
    assert message in json.loads(answer)["error"]["message"]
    assert "hello" not in answer.replace("print('hello')", "")


def test_a_changed_file_of_contracts_counts_at_once(desk, capsys):
    assert run_command(["run"]) == 0
    path = Path("connectors/desk/schemas.py")
    path.write_text(path.read_text().replace("title: str | None = None", "headline: str | None = None"))
    capsys.readouterr()
    assert run_command(["check", "--json"]) == 2
    assert "title" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({**SPEC, "paths": {"/me": SPEC["paths"]["/me"]}}, "no path that lists records"),
        ({"definitions": [{"entityName": "x", "hasAttributes": []}]}, "not a description in openapi"),
    ],
)
def test_a_description_without_listings_leaves_no_folder(tmp_path, capsys, spec, message):
    path = write_json(tmp_path / "spec.json", spec)
    words = ["connector", "new", "desk", "--openapi", str(path), "--project", str(tmp_path), "--json"]
    assert run_command(words) == 2
    assert message in json.loads(capsys.readouterr().out)["error"]["message"]
    assert not (tmp_path / "connectors").exists()
