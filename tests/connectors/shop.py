"""A project with one built-in connector, added and tested on the command line, and a truth to compare it with."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta

import yaml

from tests.e2e.builders import Shop

SECRET = "secret-{}-nobody-may-see"


def build_stamp(minutes=0, *, days=0, pattern="%Y-%m-%dT%H:%M:%SZ"):
    """An instant so many days and minutes ago. A run reads up to five minutes ago, and a little of the past again."""
    return (datetime.now(UTC) - timedelta(days=days, minutes=minutes)).strftime(pattern)


def build_entity(name, source, columns, *, key="thing_id", changed_at=None, **more):
    """An entity with text columns, from one resource. `columns` maps each to a field."""
    mapping = {"map": columns, **({"changed_at": changed_at} if changed_at else {}), **more}
    return {
        "entity": name,
        "key": key,
        "columns": dict.fromkeys(columns, "text"),
        "sources": {source: mapping},
    }


class ConnectorShop(Shop):
    """A project that reads a built-in connector into entities."""

    def __init__(self, root, connector, *entities, settings=None, secrets=(), resources=()):
        super().__init__(root)
        root.mkdir()
        self.connector = connector
        self.secrets = {name: SECRET.format(name) for name in secrets}
        self.env |= {name.upper(): value for name, value in self.secrets.items()}
        references = {name: f"env:{name.upper()}" for name in secrets}
        connection = {"connector": connector, "settings": dict(settings or {}), "secrets": references}
        connection["limits"] = {"requests_per_minute": 100_000, "tries": 2}
        if resources:
            connection["resources"] = list(resources)
        tenants = {"acme": {"connections": {"it": connection}}}
        self.write("headwater.yaml", {"version": 1, "name": "connectors", "tenants": tenants})
        for entity in entities:
            self.write(f"models/entities/{entity['entity']}.yaml", entity)

    def try_connection(self):
        """Add the connection by `headwater connection add`, with the declared limits, test it, and remove it again."""
        declared = yaml.safe_load((self.root / "headwater.yaml").read_text())["tenants"]["acme"]["connections"]["it"]
        words = [f"--set={name}={value}" for name, value in declared["settings"].items()]
        words += [f"--secret={name}={reference}" for name, reference in declared["secrets"].items()]
        self("connection", "add", "trial", "--connector", self.connector, *words)
        result = self("connection", "test", "trial").json
        self("connection", "remove", "trial", "--yes")
        return result

    def write(self, path, document):
        """Write a declaration of the project."""
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(yaml.safe_dump(document, sort_keys=False))

    def run_in_process(self, *words):
        """Run a command. No secret may be in what it prints."""
        result = super().run_in_process(*words)
        assert not any(secret in result.out + result.err for secret in self.secrets.values())
        return result

    def read(self, entity, *columns):
        """The rows that are there now, sorted."""
        names = ", ".join(columns)
        return sorted(self.query(f"SELECT {names} FROM silver.{entity} WHERE is_current"))

    def count_versions(self, entity):
        """The number of versions of all records."""
        return self.query(f"SELECT count(*) FROM silver.{entity}")[0][0]

    def list_reads(self):
        """Resource, purpose and number of records of each batch, in the order in which they were read."""
        with closing(sqlite3.connect(self.data / "ledger.db")) as ledger:
            return ledger.execute("SELECT resource, purpose, rows FROM batch ORDER BY ordinal").fetchall()
