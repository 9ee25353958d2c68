"""`connection add` takes what a connector declares from options, from the environment, or from a person at a terminal."""

from __future__ import annotations

import os
import pty
import subprocess

import pytest
import yaml

from tests.e2e.builders import HEADWATER
from tests.e2e.http_server import serve_http
from tests.e2e.test_connection_test import TOKEN, GuardedService, build_shop


@pytest.fixture
def service():
    service = GuardedService()
    with serve_http(service.respond) as service.url:
        yield service


@pytest.fixture
def shop(tmp_path, service):
    shop = build_shop(tmp_path, service.url, clock=False)
    shop.declare(tenants={"acme": {}})
    return shop


def read_connection(shop):
    (connection,) = shop("connection", "list").json["connections"]
    return connection["settings"], connection["secrets"]


def test_a_secret_is_taken_from_the_environment(shop, service):
    result = shop("connection", "add", "psa", "--connector", "shelf", "--set", f"base_url={service.url}", "--test").json
    assert result["secrets"] == {"token": "env:SHELF_TOKEN"}
    assert result["test"]["records"] == 1
    assert read_connection(shop) == ({"base_url": service.url}, {"token": "env:SHELF_TOKEN"})


def test_with_several_tenants_the_environment_could_be_of_another_one(shop, service):
    shop.declare(tenants={"acme": {}, "initech": {}})
    words = ("--tenant", "initech", "--connector", "shelf", "--set", f"base_url={service.url}")
    assert "secrets" not in shop("connection", "add", "psa", *words).json
    error = shop("connection", "test", "psa", "--tenant", "initech", code=2).error
    assert "The secret `token` is not set." in error["message"]


def test_an_option_wins_over_the_environment(shop, service):
    shop.env["OTHER_TOKEN"] = TOKEN
    words = ("--connector", "shelf", "--set", f"base_url={service.url}", "--secret", "token=env:OTHER_TOKEN")
    assert "secrets" not in shop("connection", "add", "psa", *words).json
    assert read_connection(shop)[1] == {"token": "env:OTHER_TOKEN"}


def test_without_a_terminal_a_missing_setting_is_an_error(shop):
    error = shop("connection", "add", "psa", "--connector", "shelf", code=2).error
    assert "The setting `base_url` is not set." in error["message"]


def test_a_test_that_fails_says_why_and_the_connection_stays(shop, service):
    shop.env["SHELF_TOKEN"] = "another-token-of-somebody"
    words = ("--connector", "shelf", "--set", f"base_url={service.url}", "--test")
    result = shop("connection", "add", "psa", *words, code=1)
    assert "rejected the credentials" in result.error["message"]
    assert "another-token-of-somebody" not in result.out + result.err
    assert len(shop("connection", "list").json["connections"]) == 1


def type_answers(shop, answers, *words):
    """Run a command with a terminal, and type the answers. Return its exit code and what the terminal showed."""
    parent, child = pty.openpty()
    with subprocess.Popen(
        [*HEADWATER, *words], cwd=shop.root, env=shop.env, stdin=child, stdout=child, stderr=child
    ) as process:
        os.close(child)
        os.write(parent, "".join(f"{answer}\n" for answer in answers).encode())
        shown = bytearray()
        while True:
            try:
                part = os.read(parent, 65536)
            except OSError:
                break
            if not part:
                break
            shown += part
    os.close(parent)
    return process.returncode, shown.decode()


def test_a_person_is_asked_for_the_rest_with_what_the_connector_says_of_it(shop, service):
    manifest = shop.root / "connectors" / "shelf" / "connector.yaml"
    document = yaml.safe_load(manifest.read_text())
    document["settings"] = {"base_url": {"description": "the URL of the shelf"}, "zone": {"default": "UTC"}}
    manifest.write_text(yaml.safe_dump(document))
    del shop.env["SHELF_TOKEN"]
    # The second answer is empty: the suggested reference.
    code, shown = type_answers(shop, [service.url, ""], "connection", "add", "psa", "--connector", "shelf")
    assert code == 0, shown
    assert "base_url (the URL of the shelf)" in shown
    assert "token (a token), a reference and never the secret itself [env:SHELF_TOKEN]" in shown
    assert "zone" not in shown
    assert read_connection(shop) == ({"base_url": service.url}, {"token": "env:SHELF_TOKEN"})
