"""A command line whose `run.app` answers what a test says: here only the face is tried, not what stands behind it."""

from __future__ import annotations

import json
from contextlib import AbstractContextManager

import pytest

from headwater.cli.main import run_command
from headwater.run import app


class Nothing(AbstractContextManager):
    """An open project with nothing in it."""

    def __exit__(self, *_):
        return None

    def list_tenants(self):
        return ()


class Chosen(str):
    """A chosen tenant, that tests compare by its name."""

    @property
    def tenant(self):
        return str(self)


class Shell:
    """A command line to type into, and what it answered."""

    def __init__(self, monkeypatch, capsys):
        self._monkeypatch = monkeypatch
        self._capsys = capsys
        self.code = 0
        self.out = ""
        self.err = ""
        self.opened = []

    def verb(self, name, result):
        """Let `run.app`'s verb answer with a value, with an error, or with what a function says."""

        def verb(*arguments, **options):
            if isinstance(result, BaseException):
                raise result
            return result(*arguments, **options) if callable(result) else result

        self._monkeypatch.setattr(app, name, verb)

    def __call__(self, *words):
        self.code = run_command(words)
        self.out, self.err = self._capsys.readouterr()
        return self

    @property
    def json(self):
        """The one object on standard output."""
        assert self.out.count("\n") == 1
        return json.loads(self.out)


@pytest.fixture
def shell(monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.delenv("HEADWATER_ENV", raising=False)
    shell = Shell(monkeypatch, capsys)

    def open_project(root, *, environment="", listen=None):
        shell.opened.append((str(root), environment, listen))
        return Nothing()

    shell.verb("open_project", open_project)
    shell.verb("choose_tenant", lambda workspace, tenant: Chosen(tenant or "acme"))
    return shell
