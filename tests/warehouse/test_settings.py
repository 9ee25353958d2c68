"""What the settings class of each engine says of URLs, places and drivers."""

from __future__ import annotations

from pathlib import Path

import pytest

from headwater.declared import Origin
from headwater.errors import DeclarationError
from headwater.run.plugins import find_warehouse_settings, list_warehouse_kinds
from headwater.run.selftest.warehouse_url import list_url_examples, parse_warehouse_url
from headwater.warehouse.duckdb.settings import DuckDBWarehouse
from headwater.warehouse.spark.settings import SparkWarehouse

ROOT = Path("/project")


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("duckdb:kept", {"kind": "duckdb", "path": "kept/{tenant}.duckdb"}),
        ("duckdb:kept/mine.duckdb?threads=2", {"kind": "duckdb", "path": "kept/{tenant}.duckdb", "threads": 2}),
        ("duckdb:{tenant}.db", {"kind": "duckdb", "path": "{tenant}.db"}),
        ("duckdb::memory:", {"kind": "duckdb", "path": ":memory:"}),
        ("duckdb:", {"kind": "duckdb"}),
        ("files:kept?format=csv", {"kind": "files", "url": "kept", "format": "csv"}),
        ("files:s3://bucket/x", {"kind": "files", "url": "s3://bucket/x"}),
        ("postgresql://me@host/db", {"kind": "postgres", "url": "postgresql://me@host/db"}),
        ("postgres://me@host/db", {"kind": "postgres", "url": "postgres://me@host/db"}),
        ("env:DATABASE_URL", {"kind": "postgres", "url": "env:DATABASE_URL"}),
        ("postgres:env:URL?memory=1GB", {"kind": "postgres", "url": "env:URL", "memory": "1GB"}),
        ("spark:local[2]", {"kind": "spark", "url": "local[2]"}),
        (
            "redshift://me@host/db?stage=s3://b/x",
            {"kind": "redshift", "url": "redshift://me@host/db", "stage": "s3://b/x"},
        ),
    ],
)
def test_a_url_means_the_same_as_options_in_a_file(text, options):
    found = parse_warehouse_url(text)
    assert found == find_warehouse_settings(options["kind"]).model_validate(options)
    assert str(found.origin) == "--warehouse"


@pytest.mark.parametrize("text", ["nowhere", "oracle:x", "duckdb:a?threads=many", "redshift:env:URL"])
def test_a_url_that_means_nothing_is_refused_with_examples(text):
    with pytest.raises(DeclarationError, match="This is not the URL of a warehouse") as caught:
        parse_warehouse_url(text)
    assert caught.value.hint == f"use one of: {list_url_examples()}"


@pytest.mark.parametrize("kind", list_warehouse_kinds())
def test_every_engine_shows_urls_that_it_understands(kind):
    found = find_warehouse_settings(kind)
    for example in found.url_examples:
        assert isinstance(parse_warehouse_url(example.replace("BUCKET/PREFIX", "bucket/prefix")), found)


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("duckdb:kept", [("path", "/project/kept/a-b.duckdb")]),
        ("files:kept", [("url", "/project/kept/a-b")]),
        ("files:s3://bucket/x", [("url", "s3://bucket/x/a-b")]),
        ("postgresql://host/db", [("", "postgres, schemas a-b_silver and a-b_gold")]),
        ("spark:sc://host", [("", "spark, databases a_b_silver and a_b_gold")]),
        (
            "spark:local[2]",
            [("", "spark, databases a_b_silver and a_b_gold"), ("path", "/project/.headwater/spark/a-b")],
        ),
    ],
)
def test_a_tenant_has_places(text, places):
    found = parse_warehouse_url(text).list_places("a-b", ROOT)
    assert [(place.option, place.location) for place in found] == places
    assert all(place.is_name == (not place.option) for place in found)


def test_tenants_are_apart_where_their_places_differ_or_nothing_is_kept():
    assert DuckDBWarehouse().separates_tenants
    assert DuckDBWarehouse(path=":memory:").separates_tenants
    assert not DuckDBWarehouse(path="all.duckdb").separates_tenants
    assert SparkWarehouse(kind="spark").separates_tenants


def test_some_warehouses_are_open_to_one_process_only():
    assert "in memory" in DuckDBWarehouse(path=":memory:").exclusive_reason
    assert "belongs to this process" in SparkWarehouse(kind="spark").exclusive_reason
    assert not SparkWarehouse(kind="spark", url="local[1]").exclusive_reason
    assert not DuckDBWarehouse().exclusive_reason


def test_a_driver_that_is_missing_says_what_to_install():
    class Absent(DuckDBWarehouse):
        """An engine whose driver nobody has."""

        engine = "no_such_driver.engine:Engine"
        requirement = "headwater[absent]"

    settings = Absent().with_origin(Origin("headwater.yaml", 3))
    with pytest.raises(DeclarationError, match="The driver of the duckdb warehouse is not installed") as caught:
        settings.open("acme", ROOT, lambda text, _: text)
    assert (caught.value.where, caught.value.hint) == ("headwater.yaml:3", 'pip install "headwater[absent]"')


def test_a_secret_that_is_missing_is_named_where_it_is_declared(tmp_path, monkeypatch):
    monkeypatch.delenv("NOT_SET", raising=False)
    settings = find_warehouse_settings("postgres").model_validate({"kind": "postgres", "url": "env:NOT_SET"})
    asked = []

    def resolve(text, option):
        asked.append((text, option))
        raise LookupError

    with pytest.raises(LookupError):
        settings.open("acme", tmp_path, resolve)
    assert asked == [("env:NOT_SET", "url")]


class Recorder:
    """In the place of an engine whose server is not at hand: remembers what it is opened with."""

    def __init__(self, *arguments, **options):
        self.arguments = arguments
        self.options = options


def open_recorder(text, **options):
    """What the engine of a URL is opened with."""
    parsed = parse_warehouse_url(text)
    recorded = type(
        "Recorded", (type(parsed),), {"__doc__": "Its engine is a recorder.", "engine": f"{__name__}:Recorder"}
    )
    settings = recorded.model_validate(parsed.model_dump(exclude_unset=True) | options)
    engine = settings.open("a-b", ROOT, lambda text, option: f"{option} of {text}" if ":" in text else text)
    return engine.arguments, {name: value for name, value in engine.options.items() if name != "read_only"}


def test_an_engine_is_opened_with_its_options():
    assert open_recorder("spark:local[2]?memory=4g", settings={"a.b": "1", "c.password": "env:SECRET"}) == (
        ("a-b", "local[2]", "/project/.headwater/spark"),
        {
            "table_format": "delta",
            "settings": {"spark.driver.memory": "4g", "a.b": "1", "c.password": "settings of env:SECRET"},
        },
    )
    assert open_recorder("spark:env:REMOTE", path="x/{tenant}")[0] == ("a-b", "url of env:REMOTE", "x/a-b")
    assert open_recorder("spark:")[0] == ("a-b", "", "")
    assert open_recorder("redshift:env:URL?stage=s3://b/x") == (
        ("a-b", "url of env:URL"),
        {"stage": "stage of s3://b/x", "iam_role": "iam_role of env:REDSHIFT_ROLE"},
    )
    assert open_recorder("postgres:env:URL") == (("a-b", "url of env:URL"), {"memory": "64MB"})
    assert open_recorder("files:kept?format=csv&threads=2") == (
        ("a-b", "/project/kept", "csv", ""),
        {"threads": 2},
    )
