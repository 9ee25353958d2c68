"""A service that sends the bytes that a test sets, and a project that reads them."""

from __future__ import annotations

from contextlib import contextmanager

import yaml

from tests.e2e.builders import Shop
from tests.e2e.http_server import serve_http

FIELDS = {
    "id": "bigint", "wide": "decimal(38,10)", "money": "decimal(18,4)", "big": "bigint", "double": "double", "name": "text",
    "any": "json", "on": "date", "at": "timestamp",
}  # fmt: skip


class ByteService:
    """The service: responds with `body`."""

    def __init__(self):
        self.body = b"[]"
        self.url = ""

    def send(self, *records, wrap=b"[%s]"):
        """Records, as bytes or text, in a list."""
        self.body = wrap % b",".join(one if isinstance(one, bytes) else one.encode() for one in records)


@contextmanager
def serve():
    """Serve a new service while the block runs."""
    service = ByteService()
    with serve_http(lambda _: (200, {}, service.body)) as service.url:
        yield service


class ByteShop(Shop):
    """A project that reads one collection of such a service, whole, on every run, into the entity `thing`."""

    def __init__(self, root, service, *, fields=FIELDS, records="", warehouse=None, entity=None):
        super().__init__(root)
        root.mkdir()
        self.warehouse = warehouse
        self.write("headwater.yaml", {
            "version": 1, "name": "desk",
            "tenants": {"acme": {"connections": {"it": {"connector": "desk", "settings": {"base_url": service.url}}}}},
        } | ({"warehouse": warehouse} if warehouse else {}))  # fmt: skip
        self.write("connectors/desk/connector.yaml", {
            "connector": "desk", "base_url": "{base_url}", "settings": {"base_url": {}}, "hold_back": "0s",
            "limits": {"requests_per_minute": 100_000, "tries": 1},
            "resources": [{
                "resource": "things", "path": "things", "key": ["id"], "fields": fields, "records": records,
                "cursor": {"kind": "snapshot", "every": "0s"},
            }],
        })  # fmt: skip
        columns = {name: "text" if kind == "json" else kind for name, kind in fields.items()}
        self.write("models/entities/thing.yaml", {
            "entity": "thing", "key": "id", "columns": columns,
            "sources": {"desk.things": {"map": {name: f'"{name}"' for name in columns}}},
        } | (entity or {}))  # fmt: skip

    def update_resource(self, **resource):
        """Merge `resource` into the resource in the manifest."""
        path = "connectors/desk/connector.yaml"
        document = yaml.safe_load((self.root / path).read_text())
        document["resources"][0] |= resource
        self.write(path, document)

    def update_entity_source(self, **source):
        """Merge `source` into the source of the entity."""
        path = "models/entities/thing.yaml"
        document = yaml.safe_load((self.root / path).read_text())
        document["sources"]["desk.things"] |= source
        self.write(path, document)

    def write(self, path, document):
        """A declaration of the project."""
        place = self.root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(yaml.safe_dump(document, sort_keys=False))

    def history(self, *columns, entity="thing"):
        """Versions of the things: key, version number, whether it is the current one, and these columns."""
        selection = ", ".join(("entity_key", "version_number", "is_current", *columns))
        return self.rows(f"SELECT {selection} FROM silver.{entity} ORDER BY 1, 2")

    def silver(self, *entities):
        """Every column of logs and of versions."""
        tables = [f"silver.{one}{part}" for one in entities or ("thing",) for part in ("_log", "")]
        # Rows in one order on every engine: that of their texts.
        return [sorted(map(repr, self.rows(f"SELECT * FROM {one}"))) for one in tables]

    def rows(self, sql):
        """What the warehouse answers: by the command line, where it is no file that is read at once."""
        return [tuple(row) for row in self("query", sql).json["rows"]] if self.warehouse else self.query(sql)

    def values(self, column, where="is_current"):
        """The texts of a column in the history, by id and time."""
        quoted = f'"{column}"'
        asked = f"SELECT id, CAST({quoted} AS VARCHAR) FROM silver.thing WHERE {where} ORDER BY id, valid_from"
        return [tuple(row) for row in self("query", asked).json["rows"]]
