"""Credentials that end in the middle of a read, and services that repeat them: nothing is lost, and nothing is kept of them."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlencode, urlsplit

import duckdb
import pytest

from tests.e2e.builders import HEADWATER
from tests.e2e.test_auth_kind import ENTITY, PROJECT

SECRET = "secret-that-nobody/may+see"
TOKEN_AUTH = (
    'auth: {kind: oauth2_client_credentials, token_url: "{base_url}/token", client_id: me, client_secret: "{key}"}'
)
QUERY_AUTH = 'auth: {kind: query, params: {api_key: "{key}"}}'
CONNECTOR = """\
connector: toy
base_url: "{base_url}"
settings: {base_url: {}}
secrets: {key: "the key"}
AUTH
paging: PAGING
cursor: {kind: snapshot, every: 1s}
resources:
  - {resource: things, path: things, key: [id], fields: {id: bigint, name: text}, deletes: {kind: snapshot, max_drop: 1.0}}
"""
NUMBERED = "{kind: page_number, size: 2, param: page, size_param: size}"


class Service(ThreadingHTTPServer):
    """Seven things, two a page. `answers`: what the token endpoint answers next, 200 after that."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers, self.uses, self.tokens, self.asked = [], 0, 0, []
        self.url = f"http://127.0.0.1:{self.server_address[1]}"


class Handler(BaseHTTPRequestHandler):
    """A token is good for two requests."""

    protocol_version = "HTTP/1.1"

    def answer(self, status, value, **headers):
        body = json.dumps(value).encode()
        self.send_response(status)
        for name, text in {"Content-Type": "application/json", "Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, text)
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.server.asked.append("token")
        status = self.server.answers.pop(0) if self.server.answers else 200
        if status == 200:
            self.server.tokens, self.server.uses = self.server.tokens + 1, 2
        self.answer(status, {"access_token": f"token-number-{self.server.tokens}"} if status == 200 else {})

    def do_GET(self):
        query = {name: values[0] for name, values in parse_qs(urlsplit(self.path).query).items()}
        self.server.asked.append(self.path)
        token = self.headers.get("Authorization")
        if token and (not self.server.uses or token != f"Bearer token-number-{self.server.tokens}"):
            return self.answer(401, {})
        self.server.uses -= 1
        first = 2 * int(query.get("page", 1)) - 2
        rows = [{"id": number, "name": "x"} for number in range(1, 8)][first : first + 2]
        following = urlencode({**query, "page": int(query.get("page", 1)) + 1})
        link = {"Link": f'<{self.server.url}/things?{following}>; rel="next"'} if first + 2 < 7 else {}
        return self.answer(200, rows, **({} if token else link))

    def log_message(self, *args):
        pass


@pytest.fixture
def service():
    server = Service()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def make_project(tmp_path, service, auth, paging):
    root = tmp_path / "project"
    (root / "connectors" / "toy").mkdir(parents=True)
    (root / "models").mkdir()
    (root / "connectors" / "toy" / "connector.yaml").write_text(
        CONNECTOR.replace("AUTH", auth).replace("PAGING", paging)
    )
    (root / "models" / "thing.yaml").write_text(ENTITY)
    (root / "headwater.yaml").write_text(PROJECT.replace("URL", service.url).replace("signing_secret", "key"))
    return root


def run(root):
    env = {**os.environ, "TOY_SECRET": SECRET}
    command = [*HEADWATER, "run", "--project", str(root)]
    done = subprocess.run(command, capture_output=True, text=True, env=env, check=False)
    assert SECRET not in done.stdout + done.stderr
    return done


def ids(root):
    with duckdb.connect(str(root / ".headwater" / "acme.duckdb"), read_only=True) as connection:
        return [
            row[0] for row in connection.execute("SELECT id FROM silver.thing WHERE is_current ORDER BY id").fetchall()
        ]


@pytest.mark.parametrize("status", [404, 410, 400, 403])
def test_a_token_endpoint_that_fails_once_says_nothing_of_the_resource(tmp_path, service, status):
    root = make_project(tmp_path, service, TOKEN_AUTH, NUMBERED)
    assert run(root).returncode == 0
    service.uses, service.answers = 0, [200, status]
    done = run(root)
    assert done.returncode != 0, done.stdout
    assert "404" in done.stdout + done.stderr or status != 404
    assert ids(root) == [1, 2, 3, 4, 5, 6, 7]
    assert run(root).returncode == 0
    assert ids(root) == [1, 2, 3, 4, 5, 6, 7]


def test_credentials_that_a_link_repeats_are_neither_stored_nor_sent_twice(tmp_path, service):
    root = make_project(tmp_path, service, QUERY_AUTH, "{kind: link_header, size: 2, size_param: size}")
    done = run(root)
    assert done.returncode == 0, done.stdout + done.stderr
    assert ids(root) == [1, 2, 3, 4, 5, 6, 7]
    pages = [path for path in service.asked if path.startswith("/things")]
    assert len(pages) >= 4
    assert {path.count("api_key=") for path in pages} == {1}
    with sqlite3.connect(root / ".headwater" / "ledger.db") as ledger:
        text = "\n".join(ledger.iterdump())
    assert "page=2" in text
    assert SECRET not in text
    assert urlencode({"api_key": SECRET}) not in text
