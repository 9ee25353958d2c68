"""Credentials that end in the middle of a read, and services that repeat them: nothing is lost, and nothing is kept of them."""

from __future__ import annotations

import os
import sqlite3
import subprocess
from urllib.parse import urlencode

import duckdb
import pytest

from tests.e2e.builders import HEADWATER
from tests.e2e.http_server import serve_http
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


class TokenService:
    """Seven things, two a page. A token is valid for two requests.

    `statuses` has the next responses of the token endpoint, which are 200 when it is empty.
    """

    def __init__(self):
        self.statuses, self.uses, self.tokens, self.requests = [], 0, 0, []
        self.url = ""

    def respond(self, request):
        if request.method == "POST":
            return self.respond_with_token()
        self.requests.append(request.target)
        token = request.headers.get("Authorization")
        if token and (not self.uses or token != f"Bearer token-number-{self.tokens}"):
            return 401, {}, {}
        self.uses -= 1
        return self.respond_with_page(request.params, has_link=not token)

    def respond_with_token(self):
        self.requests.append("token")
        status = self.statuses.pop(0) if self.statuses else 200
        if status != 200:
            return status, {}, {}
        self.tokens, self.uses = self.tokens + 1, 2
        return 200, {}, {"access_token": f"token-number-{self.tokens}"}

    def respond_with_page(self, params, *, has_link):
        page = int(params.get("page", 1))
        start = 2 * page - 2
        rows = [{"id": number, "name": "x"} for number in range(1, 8)][start : start + 2]
        link = f'<{self.url}/things?{urlencode({**params, "page": page + 1})}>; rel="next"'
        return 200, {"Link": link} if has_link and start + 2 < 7 else {}, rows


@pytest.fixture
def service():
    service = TokenService()
    with serve_http(service.respond) as service.url:
        yield service


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
    service.uses, service.statuses = 0, [200, status]
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
    pages = [path for path in service.requests if path.startswith("/things")]
    assert len(pages) >= 4
    assert {path.count("api_key=") for path in pages} == {1}
    with sqlite3.connect(root / ".headwater" / "ledger.db") as ledger:
        text = "\n".join(ledger.iterdump())
    assert "page=2" in text
    assert SECRET not in text
    assert urlencode({"api_key": SECRET}) not in text
