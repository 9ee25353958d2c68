"""A project whose history was put in by hand, so that a test says which past there was."""

from __future__ import annotations

import shutil
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import yaml

from headwater.clock import to_micros
from headwater.run import app
from headwater.silver.merge.merge import save_batches
from headwater.silver.merge.result import Provenance
from headwater.silver.schema.migrate import migrate_tables
from tests.e2e.builders import SHOP
from tests.silver.builders import make_event, merge_events

CONNECTION = {"connector": "connectwise", "settings": {"base_url": "http://127.0.0.1:1", "company": "acme"}}


def make_project(root: Path, *connections: str, more: str = "") -> Path:
    """A project of four entities, with connections that nobody asks."""
    shutil.copytree(SHOP, root)
    lines = [f"      {name}: {CONNECTION}".replace("'", '"') for name in connections or ("psa",)]
    path = root / "headwater.yaml"
    path.write_text("\n".join([path.read_text(), "tenants:", "  acme:", "    connections:", *lines, more]))
    return root


def remember(root: Path, *events, entity: str = "contact", source: str = "connectwise.contacts") -> None:
    """Put events into silver; each batch counts as read on the day after the last of them."""
    with app.open_project(root) as workspace, closing(workspace.open_tenant("acme").open_warehouse()) as warehouse:
        declared = workspace.declarations.entities[entity]
        migrate_tables(warehouse, declared)
        merge_events(warehouse, list(events), declared)
        for batch in {event.batch for event in events}:
            last = max(event.sequence for event in events if event.batch == batch)
            read_at = datetime.fromtimestamp(last // 1_000_000 + 86_400, UTC)
            provenance = Provenance(
                batch_id=batch, connection="psa", resource=source.split(".")[1], source=source, read_at=read_at
            )
            save_batches(warehouse, [provenance])


def make_contact_event(key: str, when: str, operation: str = "U", batch: str = "b1", **values):
    """An event of a contact at an instant."""
    at = to_micros(datetime.fromisoformat(when).replace(tzinfo=UTC))
    return make_event(key, at, operation, batch, **values)


def erase(root: Path) -> None:
    """Take the tenant out of the file, and then erase what it has."""
    path = root / "headwater.yaml"
    project = yaml.safe_load(path.read_text())
    project.pop("tenants")
    path.write_text(yaml.safe_dump(project))
    with app.open_project(root) as workspace:
        app.add_tenant(workspace, "acme")
        app.remove_tenant(workspace, "acme", erase=True)
