"""No tenant reaches what another one has, no secret is kept or shown, and no tenant goes by a slip. Through the command line."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
import yaml
from alembic import command as alembic
from alembic.config import Config
from sqlalchemy import create_engine

from headwater.cli.main import run_command
from headwater.ledger.sql import migrations
from tests.e2e.builders import SHOP

CLEAR = "sk-live-0815-nobody-may-see"


class TenantShop:
    """A project, and what its commands answered."""

    def __init__(self, root, capsys):
        self.root = root
        self._capsys = capsys
        self.text = ""

    def declare(self, *tenants, connections=None, **more):
        document = yaml.safe_load((SHOP / "headwater.yaml").read_text())
        document["tenants"] = {one: {"connections": connections or {}} for one in tenants}
        (self.root / "headwater.yaml").write_text(yaml.safe_dump(document | more, sort_keys=False))

    def __call__(self, *words, code=0):
        found = run_command([*words, "--project", str(self.root), "--json"])
        out, err = self._capsys.readouterr()
        self.text = out + err
        assert found == code, self.text
        return json.loads(out)

    def files(self):
        paths = (str(path.relative_to(self.root)) for path in self.root.rglob("*"))
        return sorted(path for path in paths if not path.startswith(".headwater/cache"))


@pytest.fixture
def tenant_shop(tmp_path, capsys, monkeypatch):
    monkeypatch.delenv("HEADWATER_ENV", raising=False)
    root = tmp_path / "shop"
    shutil.copytree(SHOP, root)
    return TenantShop(root, capsys)


SHARED = {
    "no {tenant}": {"warehouse": {"kind": "duckdb", "path": ".headwater/x.duckdb"}},
    "dots take it away": {"warehouse": {"kind": "duckdb", "path": ".headwater/{tenant}/../x.duckdb"}},
    "only as a folder that is left": {"warehouse": {"kind": "duckdb", "path": "{tenant}/../{tenant}/../x.duckdb"}},
    "a publication in another one's tenant": {
        "publish": [
            {"name": "a", "url": "out", "format": "csv"},
            {"name": "b", "url": "out/acme", "format": "csv"},
        ]
    },
    "a publication over the lake": {"publish": [{"name": "a", "url": ".headwater/lake", "format": "csv"}]},
    "a publication over the files": {
        "warehouse": {"kind": "files", "url": "kept"},
        "publish": [{"name": "a", "url": "./x/../kept", "format": "csv"}],
    },
    "the lake in the files": {"warehouse": {"kind": "files", "url": "a"}, "lake": {"url": "a"}},
    "spark's folder in the lake": {"warehouse": {"kind": "spark", "url": "local[1]", "path": ".headwater/lake"}},
    "a folder without upper case": {
        "publish": [
            {"name": "a", "url": "out", "format": "csv"},
            {"name": "b", "url": "OUT", "format": "csv"},
        ]
    },
    "the lake and the files in one prefix of a bucket": {
        "warehouse": {"kind": "files", "url": "s3://bucket/a"},
        "lake": {"url": "s3://bucket/a/"},
    },
    "one prefix of a bucket": {
        "publish": [
            {"name": "a", "url": "s3://bucket/x", "format": "csv"},
            {"name": "b", "url": "s3://bucket//x/", "format": "csv"},
        ]
    },
}


@pytest.mark.parametrize("name", SHARED)
@pytest.mark.parametrize("command", [("check",), ("run", "--tenant", "acme"), ("status", "--tenant", "beta")])
def test_a_place_that_two_tenants_share_is_refused_and_nothing_is_written(tenant_shop, name, command):
    tenant_shop.declare("acme", "beta", **SHARED[name])
    before = tenant_shop.files()
    error = tenant_shop(*command, code=2)["error"]
    assert error["message"].startswith(("Two tenants use the same location", "Two settings use"))
    assert error["at"].startswith("headwater.yaml")
    assert [one for one in tenant_shop.files() if one not in before and "ledger" not in one] in ([], [".headwater"])


APART = {
    "duckdb": {"warehouse": {"kind": "duckdb", "path": "x/{tenant}/x.duckdb"}},
    "files": {"warehouse": {"kind": "files", "url": "tables"}},
    "files with {tenant}": {"warehouse": {"kind": "files", "url": "{tenant}/tables"}, "lake": {"url": "{tenant}/lake"}},
    "spark": {"warehouse": {"kind": "spark", "url": "local[1]"}},
    "a lake in S3": {"lake": {"url": "s3://bucket/lake"}},
    "a lake in Azure": {"lake": {"url": "abfss://c@a.dfs.core.windows.net/{tenant}/lake"}},
    "postgres": {"warehouse": {"kind": "postgres", "url": "env:NOBODY_SET_THIS"}},
    "redshift": {"warehouse": {"kind": "redshift", "url": "env:A", "stage": "s3://b/c"}},
    "publications": {
        "publish": [
            {"name": "a", "url": "out/a", "format": "csv"},
            {"name": "b", "url": "out/{tenant}/b", "format": "csv"},
            {"name": "c", "url": "s3://bucket/x", "format": "csv"},
        ]
    },
}


@pytest.mark.parametrize("name", APART)
def test_what_separates_tenants_by_itself_is_not_refused(tenant_shop, name):
    tenant_shop.declare("acme", "beta", "a-b", **APART[name])
    assert tenant_shop("check")["tenants"] == ["a-b", "acme", "beta"]
    assert not (tenant_shop.root / ".headwater").exists()


def test_a_project_with_one_tenant_may_share_with_nobody_until_there_is_a_second(tenant_shop):
    tenant_shop.declare("acme", warehouse={"kind": "duckdb", "path": ".headwater/x.duckdb"})
    assert tenant_shop("check")["tenants"] == ["acme"]
    assert "Two tenants use" in tenant_shop("tenant", "add", "beta", code=2)["error"]["message"]
    assert [one["tenant"] for one in tenant_shop("tenant", "list")["tenants"]] == ["acme"]
    assert tenant_shop("status")["tenant"] == "acme"


def test_a_tenant_of_the_ledger_counts_as_one_of_the_file(tenant_shop):
    tenant_shop.declare("acme")
    tenant_shop("tenant", "add", "beta")
    tenant_shop.declare("acme", warehouse={"kind": "duckdb", "path": "x.duckdb"})
    for command in (("check",), ("run", "--tenant", "acme"), ("run", "--tenant", "beta"), ("plan", "--tenant", "beta")):
        assert "Two tenants use" in tenant_shop(*command, code=2)["error"]["message"]
    tenant_shop("tenant", "remove", "beta", "--yes")
    tenant_shop("check")


def test_a_tenant_that_only_changed_its_name_counts_twice_until_the_old_one_is_forgotten(tenant_shop):
    tenant_shop.declare("acme", warehouse={"kind": "duckdb", "path": "x.duckdb"})
    tenant_shop("run")
    tenant_shop.declare("renamed", warehouse={"kind": "duckdb", "path": "x.duckdb"})
    error = tenant_shop("run", code=2)["error"]
    assert "acme" in error["found"]
    assert "tenant remove" in error["fix"]
    tenant_shop("tenant", "remove", "acme", "--yes")
    tenant_shop("run")


@pytest.mark.parametrize("link", ["file", "folder", "hard"])
def test_two_names_of_one_file_are_one_place(tenant_shop, link):
    tenant_shop.declare("acme", "beta", warehouse={"kind": "duckdb", "path": "w/{tenant}/x.duckdb"})
    tenant_shop("check")
    (tenant_shop.root / "w/acme").mkdir(parents=True)
    (tenant_shop.root / "w/acme/x.duckdb").write_bytes(b"")
    if link == "folder":
        (tenant_shop.root / "w/beta").symlink_to("acme", target_is_directory=True)
    else:
        (tenant_shop.root / "w/beta").mkdir()
        own = tenant_shop.root / "w/beta/x.duckdb"
        own.symlink_to("../acme/x.duckdb") if link == "file" else os.link(tenant_shop.root / "w/acme/x.duckdb", own)
    for command in (("check",), ("run", "--tenant", "acme"), ("run", "--tenant", "beta")):
        assert "Two tenants use" in tenant_shop(*command, code=2)["error"]["message"]


def test_a_lake_folder_that_leads_to_another_tenants_is_refused(tenant_shop):
    tenant_shop.declare("acme", "beta")
    (tenant_shop.root / ".headwater/lake/acme").mkdir(parents=True)
    (tenant_shop.root / ".headwater/lake/beta").symlink_to("acme")
    assert "lake" in tenant_shop("check", code=2)["error"]["found"]


def test_tenants_whom_spark_takes_for_one_are_refused(tenant_shop):
    tenant_shop.declare("a-b", "a_b", warehouse={"kind": "spark", "url": "local[1]"})
    assert "hyphens" in tenant_shop("check", code=2)["error"]["fix"]
    assert "Two tenants use" in tenant_shop("run", "--tenant", "a-b", code=2)["error"]["message"]
    tenant_shop.declare("a-b", "a_b", warehouse={"kind": "postgres", "url": "env:X"})
    tenant_shop("check")


def test_check_looks_at_every_environment_and_run_at_its_own(tenant_shop):
    shared = {"production": {"warehouse": {"kind": "duckdb", "path": "x.duckdb"}}}
    tenant_shop.declare("acme", "beta", environments=shared)
    assert "Two tenants use" in tenant_shop("check", code=2)["error"]["message"]
    tenant_shop("run", "--tenant", "acme")
    assert (
        "Two tenants use" in tenant_shop("run", "--tenant", "acme", "--env", "production", code=2)["error"]["message"]
    )


NOWHERE = {
    "lake S3": {"lake": {"url": "S3://bucket/lake"}},
    "lake gs": {"lake": {"url": "gs://bucket/lake"}},
    "lake dots": {"lake": {"url": "s3://bucket/a/../lake"}},
    "lake file": {"lake": {"url": "file:///srv/lake"}},
    "lake reference": {"lake": {"url": "env:LAKE"}},
    "lake home": {"lake": {"url": "~/lake"}},
    "lake variable": {"lake": {"url": "${LAKE}/x"}},
    "lake nothing": {"lake": {"url": ""}},
    "lake typo": {"lake": {"url": "lake/{tennant}"}},
    "duckdb s3": {"warehouse": {"kind": "duckdb", "path": "s3://bucket/{tenant}.duckdb"}},
    "duckdb motherduck": {"warehouse": {"kind": "duckdb", "path": "md:{tenant}"}},
    "duckdb home": {"warehouse": {"kind": "duckdb", "path": "~/{tenant}.duckdb"}},
    "duckdb typo": {"warehouse": {"kind": "duckdb", "path": "{Tenant}.duckdb"}},
    "files gs": {"warehouse": {"kind": "files", "url": "gs://bucket/x"}},
    "files S3": {"warehouse": {"kind": "files", "url": "S3://bucket/x"}},
    "files one slash": {"warehouse": {"kind": "files", "url": "s3:/bucket/x"}},
    "files dots": {"warehouse": {"kind": "files", "url": "s3://bucket/a/../b"}},
    "spark s3": {"warehouse": {"kind": "spark", "url": "local[1]", "path": "s3://bucket/x"}},
    "ledger s3": {"ledger": {"url": "s3://bucket/ledger.db"}},
    "ledger sqlite s3": {"ledger": {"url": "sqlite:///s3://bucket/ledger.db"}},
    "ledger sqlite home": {"ledger": {"url": "sqlite:///~/ledger.db"}},
    "ledger two slashes": {"ledger": {"url": "sqlite://ledger.db"}},
    "ledger a tenant": {"ledger": {"url": "sqlite:///{tenant}.db"}},
    "publish gs": {"publish": [{"name": "a", "url": "gs://b/c", "format": "csv"}]},
    "publish home": {"publish": [{"name": "a", "url": "~/out", "format": "csv"}]},
}


@pytest.mark.parametrize("name", NOWHERE)
def test_a_place_that_is_not_supported_is_refused_and_no_folder_is_made(tenant_shop, name):
    tenant_shop.declare("acme", **NOWHERE[name])
    before = tenant_shop.files()
    for command in ("check", "run"):
        error = tenant_shop(command, code=2)["error"]
        assert error["fix"]
        assert error["at"].startswith("headwater.yaml")
    assert tenant_shop.files() == before


def test_a_reference_to_a_ledger_is_held_against_the_same_rules(tenant_shop, monkeypatch):
    monkeypatch.setenv("LEDGER_URL", "sqlite:///s3://bucket/ledger.db")
    tenant_shop.declare("acme", ledger={"url": "env:LEDGER_URL"})
    before = tenant_shop.files()
    assert "Tenants" not in tenant_shop("run", code=2)["error"]["message"]
    assert tenant_shop.files() == before


PSA = {"connector": "connectwise", "settings": {"base_url": "http://127.0.0.1:1", "company": "acme"}}
SECRET = {"public_key": "env:A", "private_key": "env:B", "client_id": "env:C"}
IN_FILES = {
    "a secret": {"connections": {"psa": PSA | {"secrets": SECRET | {"private_key": CLEAR}}}},
    "a secret with a colon": {"connections": {"psa": PSA | {"secrets": SECRET | {"private_key": f"token:{CLEAR}"}}}},
    "an environment that has no such name": {"connections": {"psa": PSA | {"secrets": {"client_id": f"env:{CLEAR}"}}}},
    "a secret that is a list": {"connections": {"psa": PSA | {"secrets": {"private_key": [CLEAR]}}}},
    "secrets that are a text": {"connections": {"psa": PSA | {"secrets": CLEAR}}},
    "a key in an address": {
        "connections": {"psa": PSA | {"settings": {"base_url": f"http://me:{CLEAR}@127.0.0.1:1", "company": "a"}}}
    },
    "a password of a warehouse": {"warehouse": {"kind": "postgres", "url": f"postgresql://me:{CLEAR}@host/db"}},
    "a password with a slash": {"warehouse": {"kind": "postgres", "url": f"postgresql://me:a/{CLEAR}@host/db"}},
    "a password of a warehouse that is none": {
        "warehouse": {"kind": "postgress", "url": f"postgresql://me:{CLEAR}@h/db"}
    },
    "a password as a parameter": {"warehouse": {"kind": "postgres", "url": f"postgresql://host/db?password={CLEAR}"}},
    "a password of a ledger": {"ledger": {"url": f"postgresql://me:{CLEAR}@host/db"}},
    "a key of Spark": {
        "warehouse": {"kind": "spark", "url": "local[1]", "settings": {"spark.hadoop.fs.s3a.secret.key": CLEAR}}
    },
    "a token of Spark": {"warehouse": {"kind": "spark", "url": f"sc://host:15002/;token={CLEAR}"}},
    "a password of a publication": {"publish": [{"name": "a", "url": f"s3://me:{CLEAR}@bucket", "format": "csv"}]},
}


@pytest.mark.parametrize("name", IN_FILES)
def test_a_secret_in_a_file_is_refused_and_not_shown(tenant_shop, name):
    tenant_shop.declare("acme", **IN_FILES[name])
    for command in (["check"], ["run"], ["connection", "list"], ["tenant", "list"]):
        tenant_shop(*command, code=2)
        assert CLEAR not in tenant_shop.text


def test_a_connection_is_added_to_its_tenant(tenant_shop):
    tenant_shop.declare("acme")
    secrets = [word for name in ("client_id", "public_key", "private_key") for word in ("--secret", f"{name}=env:KEY")]
    added = tenant_shop("connection", "add", "psa", "--connector", "connectwise", "--set", "company=acme", *secrets)
    assert added == {"tenant": "acme", "connection": "psa", "added": True}


@pytest.mark.parametrize(
    "words",
    [
        ("--secret", f"private_key={CLEAR}"),
        ("--secret", f"private_key=literal:{CLEAR}"),
        ("--secret", f"private_key=env:{CLEAR}"),
        ("--secret", CLEAR),
        ("--set", f"base_url=https://me:{CLEAR}@host"),
    ],
)
def test_a_connection_with_a_secret_in_clear_is_refused_and_neither_kept_nor_shown(tenant_shop, words):
    tenant_shop.declare("acme")
    add = ("connection", "add", "psa", "--connector", "connectwise", "--set", "company=acme")
    tenant_shop(*add, *words, code=2)
    assert CLEAR not in tenant_shop.text
    assert tenant_shop("connection", "list")["connections"] == []
    for path in (tenant_shop.root / ".headwater").rglob("*"):
        assert path.is_dir() or CLEAR.encode() not in path.read_bytes()
    run_command([*add, *words, "--project", str(tenant_shop.root), "--debug"])
    assert CLEAR not in "".join(tenant_shop._capsys.readouterr())


def test_a_secret_that_the_ledger_held_in_clear_is_gone_and_said_until_the_connection_is_added_again(tenant_shop):
    tenant_shop.declare("acme")
    add = ("connection", "add", "psa", "--connector", "connectwise", "--set", "company=acme",
           "--set", "base_url=http://127.0.0.1:1", "--secret", "public_key=env:A", "--secret", "client_id=env:B")  # fmt: skip
    tenant_shop(*add)
    with closing(sqlite3.connect(tenant_shop.root / ".headwater/ledger.db")) as raw:
        ((text,),) = raw.execute("SELECT declaration FROM connection").fetchall()
    old = json.loads(text)
    old["secrets"]["private_key"] = CLEAR
    create_older_ledger(tenant_shop.root / ".headwater/ledger.db", old)
    (listed,) = tenant_shop("connection", "list")["connections"]
    assert CLEAR not in tenant_shop.text
    assert "private_key" not in listed["secrets"]
    assert listed["removed"].startswith("private_key contained a secret")
    for path in (tenant_shop.root / ".headwater").rglob("*"):
        assert path.is_dir() or CLEAR.encode() not in path.read_bytes()
    assert "The secret `private_key` is not set" in tenant_shop("run", code=2)["error"]["message"]
    tenant_shop(*add, "--secret", "private_key=env:C")
    assert "removed" not in tenant_shop("connection", "list")["connections"][0]


def create_older_ledger(path, declaration):
    """A ledger as the first version made it, with one connection."""
    for one in path.parent.glob("ledger.db*"):
        one.unlink()
    config, engine = Config(), create_engine(f"sqlite:///{path}")
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    config.set_main_option("path_separator", "os")
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        alembic.upgrade(config, "0001")
    engine.dispose()
    with closing(sqlite3.connect(path)) as raw:
        raw.execute("INSERT INTO connection VALUES ('acme', 'psa', ?)", [json.dumps(declaration)])
        raw.commit()


def test_references_are_taken(tenant_shop):
    tenant_shop.declare("acme")
    secrets = ("public_key=env:A", "private_key=file:keys/private.txt", "client_id=keyring:psa/client")
    words = [word for one in secrets for word in ("--secret", one)]
    tenant_shop("connection", "add", "psa", "--connector", "connectwise", "--set", "company=acme",
          "--set", "base_url=http://127.0.0.1:1", *words)  # fmt: skip
    (found,) = tenant_shop("connection", "list")["connections"]
    assert found["secrets"]["client_id"] == "keyring:psa/client"


def test_a_tenant_of_the_file_is_not_removed(tenant_shop):
    tenant_shop.declare("acme")
    tenant_shop("tenant", "add", "beta")
    for more in ((), ("--yes",), ("--erase", "--yes"), ("--dry-run",)):
        error = tenant_shop("tenant", "remove", "acme", *more, code=2)["error"]
        assert "declared in headwater.yaml" in error["message"]
    # Nor where the ledger knows one of that name as well.
    tenant_shop.declare("acme", "beta")
    assert "declared" in tenant_shop("tenant", "remove", "beta", "--yes", code=2)["error"]["message"]


def test_a_removal_without_a_terminal_needs_a_yes_and_says_what_it_would_take(tenant_shop):
    tenant_shop.declare("acme")
    tenant_shop("tenant", "add", "beta")
    tenant_shop("run", "--tenant", "beta")
    before = tenant_shop.files()
    error = tenant_shop("tenant", "remove", "beta", "--erase", code=2)["error"]
    assert f"erases lake.url: {tenant_shop.root}/.headwater/lake/beta" in error["found"]
    assert f"erases warehouse.path: {tenant_shop.root}/.headwater/beta.duckdb" in error["found"]
    assert "--yes" in error["fix"]
    said = tenant_shop("tenant", "remove", "beta", "--erase", "--dry-run")
    assert said["removed"] is False
    assert len(said["takes"]["erased"]) == 2
    assert tenant_shop.files() == before
    assert tenant_shop("tenant", "remove", "beta", "--erase", "--yes")["removed"] is True
    assert not (tenant_shop.root / ".headwater/beta.duckdb").exists()
    assert [one["tenant"] for one in tenant_shop("tenant", "list")["tenants"]] == ["acme"]


def test_a_tenant_that_was_taken_out_of_the_file_can_be_erased(tenant_shop):
    tenant_shop.declare("acme", "beta")
    tenant_shop("run", "--tenant", "beta")
    tenant_shop.declare("acme")
    tenant_shop("tenant", "remove", "beta", "--erase", "--yes")
    assert not (tenant_shop.root / ".headwater/beta.duckdb").exists()
    assert "no tenant" in tenant_shop("tenant", "remove", "beta", "--yes", code=2)["error"]["message"]


def test_nobody_erases_a_place_that_another_tenant_shares(tenant_shop):
    tenant_shop.declare("acme")
    tenant_shop("tenant", "add", "beta")
    tenant_shop("run", "--tenant", "beta")
    tenant_shop.declare("acme", warehouse={"kind": "duckdb", "path": ".headwater/beta.duckdb"})
    assert "Two tenants use" in tenant_shop("tenant", "remove", "beta", "--erase", "--yes", code=2)["error"]["message"]
    assert (tenant_shop.root / ".headwater/beta.duckdb").exists()
