"""References to secrets: what they name, and that what they give is never shown."""

from __future__ import annotations

import pytest

from headwater.errors import DeclarationError
from headwater.model.connector import Connector, Setting
from headwater.model.project import Connection
from headwater.run.plugins import has_ledger, open_ledger
from headwater.run.secrets import fill_settings, resolve, resolve_ledger_url, resolve_secrets, resolve_url

CONNECTOR = Connector(
    connector="acme",
    base_url="{base_url}",
    settings={"base_url": Setting(default="https://acme.example"), "company": Setting(description="who you are")},
    secrets={"token": "the token"},
    resources=(),
)


def test_an_environment_reference_gives_its_value(monkeypatch, tmp_path):
    monkeypatch.setenv("ACME_TOKEN", "hush")
    assert resolve("env:ACME_TOKEN", root=tmp_path, where="f") == "hush"


def test_a_file_reference_counts_from_the_project(tmp_path):
    (tmp_path / "token.txt").write_text("hush\n")
    assert resolve("file:token.txt", root=tmp_path, where="f") == "hush"


@pytest.mark.parametrize(
    "reference", ["hush", "env:", "vault:hush", "env:HEADWATER_NOT_SET", "file:not-there", "aws-sm:x"]
)
def test_what_gives_nothing_is_refused_without_showing_a_secret(reference, tmp_path, monkeypatch):
    monkeypatch.delenv("HEADWATER_NOT_SET", raising=False)
    with pytest.raises(DeclarationError) as caught:
        resolve(reference, root=tmp_path, where="headwater.yaml:7")
    assert caught.value.where == "headwater.yaml:7"
    assert caught.value.hint
    assert "hush" not in str(caught.value)


@pytest.mark.parametrize(
    ("secrets", "what", "hint"),
    [
        ({}, "The secret `token` is not set.", "add `token: env:SOME_NAME` under secrets (the token)"),
        ({"tokn": "env:X"}, "acme has no secret `tokn`.", "did you mean `token`?"),
    ],
)
def test_missing_and_unknown_secrets_are_named(secrets, what, hint, tmp_path):
    with pytest.raises(DeclarationError) as caught:
        resolve_secrets(Connection(connector="acme", secrets=secrets), CONNECTOR, root=tmp_path, where="f")
    assert (caught.value.message, caught.value.hint) == (what, hint)


def test_settings_are_filled_with_defaults():
    filled = fill_settings(Connection(connector="acme", settings={"company": "x"}), CONNECTOR, where="f")
    assert filled == {"base_url": "https://acme.example", "company": "x"}


@pytest.mark.parametrize(
    ("settings", "what"),
    [({}, "The setting `company` is not set."), ({"company": "x", "compny": "y"}, "acme has no setting `compny`.")],
)
def test_missing_and_unknown_settings_are_named(settings, what):
    with pytest.raises(DeclarationError) as caught:
        fill_settings(Connection(connector="acme", settings=settings), CONNECTOR, where="f")
    assert caught.value.message == what


def test_a_reference_to_a_url_gives_what_it_refers_to(tmp_path, monkeypatch):
    monkeypatch.setenv("LEDGER_URL", "sqlite:////elsewhere.db")
    assert resolve_url("sqlite:///a/b.db", root=tmp_path, where="f") == "sqlite:///a/b.db"
    assert resolve_url("env:LEDGER_URL", root=tmp_path, where="f") == "sqlite:////elsewhere.db"


def test_a_reference_gives_no_ledger_that_a_file_may_not_hold(tmp_path, monkeypatch):
    monkeypatch.setenv("LEDGER_URL", "sqlite://a.db")
    with pytest.raises(DeclarationError, match="This URL cannot be a ledger") as caught:
        resolve_ledger_url("env:LEDGER_URL", root=tmp_path, where="headwater.yaml:3")
    assert caught.value.where == "headwater.yaml:3"


def test_a_relative_ledger_lies_in_the_project(tmp_path):
    url = "sqlite:///a/b.db"
    assert not has_ledger(url, tmp_path)
    open_ledger(url, tmp_path).close()
    assert (tmp_path / "a" / "b.db").is_file()
    assert has_ledger(url, tmp_path)
    assert has_ledger(f"sqlite:///{tmp_path}/a/b.db", tmp_path / "elsewhere")
