"""What holds for every built-in connector: a key, a filter or a host that is wrong here is wrong without a word later."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import pytest

import headwater.connectors
from headwater.model.field import Field
from headwater.model.load import load_connector
from headwater.run.plugins import list_connector_names, load_connector_plugin
from headwater.wire.cursor import ChangeFilter, DeleteFlag, DeleteMark
from headwater.wire.instant_format import InstantFormat
from headwater.wire.records import split_path
from tests.connectors.shop import ConnectorShop

FOLDER = Path(headwater.connectors.__file__).parent
NAMES = sorted(path.parent.name for path in FOLDER.glob("*/connector.yaml"))
SAMPLES = {
    "text": "/Date(1772352000000+0000)/",
    "timestamp": "2026-03-01T08:00:00.1234567Z",
    "date": "2026-03-01",
    "bigint": 1_772_352_000,
}
"""A stamp as records have it, by the type of its field."""


def list_resources():
    for name in NAMES:
        manifest = load_connector(FOLDER / name / "connector.yaml")
        for resource in manifest.resources:
            yield pytest.param(name, resource.resource, id=f"{name}.{resource.resource}")


RESOURCES = list(list_resources())


def load(name, resource):
    plugin = load_connector_plugin(name)
    return plugin.connector.with_defaults(plugin.connector.find_resource(resource)), {
        field.path: field for field in plugin.get_fields(resource)
    }


def test_every_manifest_is_installed():
    assert set(NAMES) <= set(list_connector_names())
    assert len(NAMES) > 1


@pytest.mark.parametrize("name", NAMES)
def test_every_resource_says_how_well_it_is_known(name):
    manifest = load_connector(FOLDER / name / "connector.yaml")
    assert [resource.resource for resource in manifest.resources if resource.confidence is None] == []
    assert len(manifest.resources) >= 10


@pytest.mark.parametrize("name", NAMES)
def test_every_setting_and_secret_is_used_and_described(name):
    text = (FOLDER / name / "connector.yaml").read_text()
    manifest = load_connector(FOLDER / name / "connector.yaml")
    for key in (*manifest.settings, *manifest.secrets):
        assert f"{{{key}}}" in text, key
    assert all(setting.description for setting in manifest.settings.values())
    assert all(manifest.secrets.values())


@pytest.mark.parametrize(("name", "resource"), RESOURCES)
def test_the_key_the_stamp_and_the_flag_are_fields(name, resource):
    item, fields = load(name, resource)
    # A key that leads into JSON, or a list, would not tell records apart.
    for path in item.key:
        field = fields[split_path(path)]
        assert not field.many
        assert field.dtype in ("text", "bigint", "integer")
    if isinstance(item.cursor, ChangeFilter):
        assert split_path(item.cursor.field) in fields
    if isinstance(item.deletes, DeleteFlag | DeleteMark):
        assert split_path(item.deletes.field) in fields
    if item.custom_fields:
        bag = fields[split_path(item.custom_fields)]
        assert {part.name for part in bag.parts} >= {"id", "value"}


@pytest.mark.parametrize(("name", "resource"), RESOURCES)
def test_the_filter_checks_the_stamps_that_records_have(name, resource):
    item, fields = load(name, resource)
    if not isinstance(item.cursor, ChangeFilter):
        return
    field = fields[split_path(item.cursor.field)]
    sample = SAMPLES[field.dtype]
    assert InstantFormat(style=item.cursor.format).parse(sample) is not None
    # A number is compared as seconds or milliseconds, as the request has it.
    assert field.dtype != "bigint" or item.cursor.format in ("epoch", "epoch_ms")


@pytest.mark.parametrize(("name", "resource"), RESOURCES)
def test_a_request_by_id_says_where_its_record_is(name, resource):
    item, _ = load(name, resource)
    # One record has no list, so the path of the list would find nothing in its response.
    if item.verify is not None and not item.verify.is_grouped and item.records:
        assert item.verify.records is not None


@pytest.mark.parametrize("name", NAMES)
def test_every_host_is_declared(name):
    manifest = load_connector(FOLDER / name / "connector.yaml")

    def fill(text):
        for key, setting in manifest.settings.items():
            text = text.replace(f"{{{key}}}", setting.default or (f"https://{key}" if "url" in key else key))
        return text

    base = urlsplit(fill(manifest.base_url))
    assert base.scheme == "https"
    for path, text in manifest.auth.texts.items():
        # A scope may be a URL, too. Nothing is sent there, and a person is sent back to this machine.
        if "://" in fill(text) and not text.endswith(".default") and path != ".redirect_url":
            assert urlsplit(fill(text)).netloc in {base.netloc, *manifest.hosts}, text
    assert manifest.lookup is None or manifest.lookup.hosts


def write_entity(item, fields: dict[tuple[str, ...], Field]):
    """An entity with all fields of a resource that are single values."""
    usable = {f"c{number}": field for number, field in enumerate(fields.values()) if not field.many}
    keys = {split_path(path) for path in item.key}
    key = [column for column, field in usable.items() if field.path in keys]
    return {
        "entity": item.resource,
        "key": ["parent_key", *key] if item.parent else key,
        "columns": {column: field.dtype for column, field in usable.items()}
        | ({"parent_key": "text"} if item.parent else {}),
        "sources": {
            "SOURCE": {
                "map": {column: quote_path(field) for column, field in usable.items()}
                | ({"parent_key": "_parent"} if item.parent else {})
            }
        },
    }


def quote_path(field):
    return ".".join(f'"{step}"' for step in field.path)


@pytest.mark.parametrize("name", NAMES)
def test_a_project_that_uses_all_resources_passes_the_check(name, tmp_path):
    manifest = load_connector(FOLDER / name / "connector.yaml")
    entities = []
    for resource in manifest.resources:
        item, fields = load(name, resource.resource)
        entity = write_entity(item, fields)
        entity["sources"] = {f"{name}.{resource.resource}": entity["sources"]["SOURCE"]}
        entities.append(entity)
    settings = {
        key: "https://127.0.0.1" if "url" in key else "UTC" if "zone" in key else "x" for key in manifest.settings
    }
    shop = ConnectorShop(tmp_path / "shop", name, *entities, settings=settings, secrets=tuple(manifest.secrets))
    warnings = [text for text in shop("check").json["warnings"] if "nobody has logged in" not in text]
    assert not warnings
