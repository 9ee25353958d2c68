"""An auth kind that another package installs, from its folder to a run: nothing of Headwater is changed for it."""

from __future__ import annotations

import hashlib
import hmac
import os
import subprocess

import duckdb
import pytest

from tests.e2e.builders import HEADWATER
from tests.e2e.http_server import serve_http

SECRET = "signing-secret-nobody-may-see"
KIND = '''
import hashlib
import hmac
from collections.abc import Generator
from typing import Literal
from urllib.parse import urlsplit

from headwater.wire.auth import Auth
from headwater.wire.message import Request, Response


class Signature(Auth):
    """A signature over the path of each request."""

    kind: Literal["signature"] = "signature"
    secret: str
    """The secret, e.g. `{signing_secret}`."""

    def flow(self, request: Request) -> Generator[Request, Response, None]:
        """Add the signature."""
        path = urlsplit(request.url).path.encode()
        digest = hmac.new(self.fill(self.secret).encode(), path, hashlib.sha256).hexdigest()
        yield request.with_headers({"X-Signature": digest})
'''
CONNECTOR = """\
connector: toy
base_url: "{base_url}"
settings: {base_url: {}}
secrets: {signing_secret: "the secret that signs each path"}
auth: {kind: signature, secret: "{signing_secret}"}
resources:
  - {resource: things, path: things, key: [id], fields: {id: bigint, name: text}}
"""
PROJECT = """\
version: 1
name: shop
warehouse: {kind: duckdb, path: ".headwater/{tenant}.duckdb"}
lake: {url: ".headwater/lake"}
ledger: {url: "sqlite:///.headwater/ledger.db"}
tenants:
  acme:
    connections:
      toy:
        connector: toy
        settings: {base_url: "URL"}
        secrets: {signing_secret: "env:TOY_SECRET"}
"""
ENTITY = """\
entity: thing
sources: {toy.things: {map: {id: id, name: name}}}
key: id
columns: {id: bigint, name: text}
"""


def respond(request):
    """Return the records if the signature is valid."""
    signature = request.headers.get("X-Signature")
    expected = hmac.new(SECRET.encode(), request.path.encode(), hashlib.sha256).hexdigest()
    if signature == expected:
        return 200, {}, [{"id": 1, "name": "a"}]
    return 401, {}, {"message": f"no {signature}"}


@pytest.fixture
def url():
    with serve_http(respond) as url:
        yield url


@pytest.fixture
def package(tmp_path):
    """A folder with the package, as an installer would leave it."""
    folder = tmp_path / "site"
    metadata = folder / "signature_auth-1.0.dist-info"
    metadata.mkdir(parents=True)
    (folder / "signature_auth.py").write_text(KIND)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: signature-auth\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text("[headwater.auth]\nsignature = signature_auth:Signature\n")
    return folder


@pytest.fixture
def project(tmp_path, url):
    root = tmp_path / "project"
    (root / "connectors" / "toy").mkdir(parents=True)
    (root / "models").mkdir()
    (root / "connectors" / "toy" / "connector.yaml").write_text(CONNECTOR)
    (root / "models" / "thing.yaml").write_text(ENTITY)
    (root / "headwater.yaml").write_text(PROJECT.replace("URL", url))
    return root


def run(project, *words, path="", secret=SECRET):
    env = {**os.environ, "TOY_SECRET": secret, "PYTHONPATH": str(path), "HEADWATER_LOG_LEVEL": "debug"}
    done = subprocess.run(
        [*HEADWATER, *words, "--project", str(project)], capture_output=True, text=True, env=env, check=False
    )
    assert secret not in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    return done


def test_a_kind_of_another_package_reads_a_service(project, package):
    done = run(project, "run", path=package)
    assert done.returncode == 0, done.stdout + done.stderr
    with duckdb.connect(str(project / ".headwater" / "acme.duckdb"), read_only=True) as file:
        assert file.execute("SELECT id, name FROM silver.thing").fetchall() == [(1, "a")]


def test_a_signature_that_is_refused_is_not_shown(project, package):
    secret = "another-secret-nobody-may-see"
    done = run(project, "run", path=package, secret=secret)
    assert done.returncode == 1
    said = done.stdout + done.stderr
    assert "signing_secret" in said
    assert "no ***" in said
    assert hmac.new(secret.encode(), b"/things", hashlib.sha256).hexdigest() not in said


def test_the_declaration_is_validated_by_the_class_of_the_kind(project, package):
    manifest = project / "connectors" / "toy" / "connector.yaml"
    manifest.write_text(CONNECTOR.replace('secret: "{signing_secret}"', 'sekret: "{signing_secret}"'))
    done = run(project, "check", path=package)
    assert done.returncode == 2
    said = done.stdout + done.stderr
    assert "`auth.sekret` is not a known key." in said
    assert "toy/connector.yaml:5" in said
    assert "secret" in said


def test_a_kind_that_is_not_installed_is_named_beside_those_that_are(project):
    done = run(project, "check")
    assert done.returncode == 2
    said = done.stdout + done.stderr
    assert "toy/connector.yaml:5" in said
    assert "signature" in said
    for kind in ("basic", "headers", "none", "oauth2_client_credentials", "query"):
        assert kind in said
