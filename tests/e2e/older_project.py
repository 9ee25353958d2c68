"""A project with history in each of its tables, kept as version 0.1 left it.

`python -m tests.e2e.older_project FOLDER` makes such a project with the code that is checked out. The archive in
`tests/fixtures` was made so by version 0.1: later versions open it and must lose nothing.
"""

from __future__ import annotations

import sys
import tarfile
from pathlib import Path

import yaml

from tests.e2e.builders import Shop
from tests.e2e.record_service import CHANGES, SNAPSHOT, SWEEP, RecordShop, Service, at, serve

ARCHIVE = Path(__file__).parents[1] / "fixtures" / "project_of_0_1.tar.xz"
LAST_DAY = 5
"""The day of the last run that the archive holds."""

COMPANY_FIELDS = {"id": "bigint", "name": "text", "phone": "text", "changed": "timestamp"}
ENTRY_FIELDS = {
    "id": "bigint", "company": "bigint", "area": "bigint", "kind": "text", "hours": "decimal(9,2)",
    "started": "timestamp", "changed": "timestamp",
}  # fmt: skip
RESOURCES = {
    "companies": {"fields": COMPANY_FIELDS, "cursor": CHANGES, "deletes": SWEEP},
    "ratings": {"fields": {"id": "bigint", "rating": "text"}, "cursor": SNAPSHOT},
    "areas": {"fields": {"id": "bigint", "name": "text"}, "cursor": SNAPSHOT},
    "entries": {"fields": ENTRY_FIELDS, "cursor": CHANGES},
}


class PagedService(Service):
    """Such a service that gives two records a page, and whose pages can be broken."""

    def __init__(self):
        super().__init__()
        self.broken = ()
        """Beginnings of the addresses that answer 503: `areas/2` is the second page of a collection."""
        self.requests = []

    def build_answer(self, path, params):
        page = int(params.pop("page", "1"))
        size = int(params.pop("pageSize", "2"))
        name = f"{path.strip('/')}/{page}"
        if name.startswith(tuple(self.broken)):
            return 503, {}
        if path != "/time":
            self.requests.append((path, page, params))
        status, body = super().build_answer(path, params)
        return (status, body[(page - 1) * size : page * size]) if isinstance(body, list) else (status, body)


class OlderProject(RecordShop):
    """The project: two sources of one entity, a snapshot, a fact with lookups, and columns of every kind of history."""

    def write_connector(self, **resources):
        self.resources |= resources
        self.write("connectors/shelf/connector.yaml", {
            "connector": "shelf", "base_url": "{base_url}", "settings": {"base_url": {}}, "hold_back": "0s",
            "clock": {"path": "time"}, "limits": {"requests_per_minute": 100_000, "tries": 1}, "look_back": "0d",
            "paging": {"kind": "page_number", "size": 2},
            "resources": [{"resource": name, "path": name, **more} for name, more in self.resources.items()],
        })  # fmt: skip

    def move(self, service):
        """Read the service at another address."""
        self.service = service
        path = self.root / "headwater.yaml"
        written = yaml.safe_load(path.read_text())
        written["tenants"]["acme"]["connections"]["psa"]["settings"]["base_url"] = service.url
        path.write_text(yaml.safe_dump(written, sort_keys=False))

    def declare_company(self, *, phone=False):
        """The entity of two sources; with `phone`, a column that begins later."""
        columns, taken = (
            {"company_id": "bigint", "name": "text", "rating": "text"},
            {"company_id": "id", "name": "name"},
        )
        if phone:
            columns["phone"], taken["phone"] = {"type": "text", "history": "overwrite"}, "phone"
        self.write("models/entities/company.yaml", {
            "entity": "company", "key": "company_id", "columns": columns, "on_schema_change": "from_now",
            "sources": {
                "shelf.companies": {"map": taken, "changed_at": "changed"},
                "shelf.ratings": {"map": {"company_id": "id", "rating": "rating"}},
            },
        })  # fmt: skip

    def declare_star(self):
        """The other entities, the dimensions and the fact."""
        self.write("models/entities/area.yaml", {
            "entity": "area", "key": "area_id", "columns": {"area_id": "bigint", "name": "text"},
            "sources": {"shelf.areas": {"map": {"area_id": "id", "name": "name"}}},
        })  # fmt: skip
        columns = {"entry_id": "bigint", "company_id": "bigint", "area_id": "bigint", "kind": "text"}
        self.write("models/entities/entry.yaml", {
            "entity": "entry", "key": "entry_id",
            "columns": {**columns, "hours": "decimal(9,2)", "started": "timestamp"},
            "sources": {"shelf.entries": {"changed_at": "changed", "map": {
                "entry_id": "id", "company_id": "company", "area_id": "area", "kind": "kind", "hours": "hours",
                "started": "started",
            }}},
        })  # fmt: skip
        attributes = {"company_id": "T1", "name": "T2", "rating": "T1"}
        self.write("models/dimensions/company.yaml", {
            "dimension": "company", "entity": "company", "attributes": attributes,
        })  # fmt: skip
        self.write("models/dimensions/area.yaml", {
            "dimension": "area", "entity": "area", "surrogate": "sequence", "attributes": {"area_id": "T1", "name": "T2"},
        })  # fmt: skip
        self.write("models/dimensions/kind.yaml", {
            "dimension": "kind", "values_of": {"entity": "entry", "column": "kind"},
        })  # fmt: skip
        self.write("models/facts/entry.yaml", {
            "fact": "entry", "entity": "entry", "grain": ["entry_id"],
            "lookups": {
                "company": {"dimension": "company", "on": "company_id", "strategy": "point_in_time", "at": "started"},
                "company_now": {"dimension": "company", "on": "company_id", "strategy": "current"},
                "area": {"dimension": "area", "on": "area_id", "strategy": "current"},
                "kind": {"dimension": "kind", "on": "kind", "strategy": "direct"},
            },
            "measures": {"hours": "hours"},
        })  # fmt: skip


def company(ident, name, day=1, phone="1"):
    return {"id": ident, "name": name, "phone": phone, "changed": at(day)}


def entry(ident, company_id, hours, day=1, *, started=1, kind="work", **more):
    return {"id": ident, "company": company_id, "area": 1, "kind": kind, "hours": hours, "started": at(started),
            "changed": at(day), **more}  # fmt: skip


def collections(day):
    """What the service holds at the end of a day."""
    names = {1: "North", 2: "South" if day < 2 else "South & Sons", 3: "West"}
    companies = [company(ident, name, 2 if ident == 2 and day > 1 else 1) for ident, name in names.items()]
    companies.append(company(5, "Centre", 3 if day > 2 else 1))
    if day > 1:
        companies = [one for one in companies if one["id"] != 3]  # the sweep of the third day misses it
    if day == 2:
        companies = companies[:-1]  # and another one, which comes back with a change of the very instant of that sweep
    if day > 2:
        companies.append(company(4, "East", 3, phone="44"))
    entries = [entry(1, 1, 2), entry(2, 2, 3, kind="travel"), entry(3, 3, 1)]
    if day > 1:
        entries[0] = entry(1, 1, "2.5", 2)
        entries.append(entry(4, 2, 4, 2, started=2))
    if day > 2:
        entries += [{**entry(5, 1, 1, 3), "id": "no number"}, entry(6, 4, 8, 3, started=3)]
    return {
        "companies": companies,
        "ratings": [{"id": 1, "rating": "a"}, {"id": 2, "rating": "b" if day < 3 else "c"}],
        "areas": [{"id": ident, "name": f"area {ident}"} for ident in (1, 2, 3)],
        "entries": entries,
    }


def make_project(root, service):
    """Sync such a project on days 2 to 5: changes, a delete, a refused record, a column more, and reads that fail."""
    project = OlderProject(root, service, **RESOURCES)
    project.declare_company()
    project.declare_star()
    project.on(2, **collections(1))
    project.on(3, **collections(2))
    project.declare_company(phone=True)
    project.on(4, **collections(3))
    service.broken = ("",)
    project.on(LAST_DAY, code=1)
    service.broken = ("areas/2",)
    project.on(LAST_DAY, code=3)
    service.broken = ()
    return project


def unpack_project(folder, service):
    """The project that version 0.1 left, in a folder of its own, reading `service`."""
    with tarfile.open(ARCHIVE) as archive:
        if hasattr(tarfile, "data_filter"):  # Python 3.11.4
            archive.extraction_filter = tarfile.data_filter
        archive.extractall(folder)
    project = OlderProject.__new__(OlderProject)  # what Shelf makes a project of is there already
    Shop.__init__(project, folder / "project")
    project.move(service)
    service.day, service.collections = LAST_DAY, collections(3)
    return project


def main(folder):
    """Make the project in a folder, and the archive beside it."""
    with serve(PagedService()) as service:
        make_project(Path(folder) / "project", service)
    with tarfile.open(Path(folder) / ARCHIVE.name, "w:xz") as archive:
        archive.add(Path(folder) / "project", arcname="project")


if __name__ == "__main__":
    main(sys.argv[1])
