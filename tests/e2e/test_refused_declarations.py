"""Declarations that would fail or be ignored later are refused by `check`, with their line and in plain words."""

from __future__ import annotations

import pytest

from tests.e2e.builders import Shop
from tests.e2e.record_service import CHANGES, RecordShop, Service, serve


@pytest.fixture
def shop(tmp_path):
    with serve(Service()) as service:
        shop = RecordShop(tmp_path / "shop", service, things={"cursor": CHANGES})
        shop.entity("thing", ["things"])
        shop("check")
        yield shop


def write_text(shop, path, text):
    file = shop.root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(text if isinstance(text, bytes) else text.encode())


def edit_manifest(shop, change):
    path = shop.root / "connectors" / "shelf" / "connector.yaml"
    path.write_text(change(path.read_text()))


def refuse(shop, command=("check",)):
    error = shop(*command, code=2).error
    assert "pydantic" not in str(error)
    return error


def test_a_setting_that_init_left_open_is_refused_by_check_run_and_connection_test(tmp_path):
    shop = Shop(tmp_path)
    shop("init", "mine", "--blueprint", "msp", "--connector", "connectwise")
    shop.root = tmp_path / "mine"
    for command in (("check",), ("run",), ("connection", "test", "psa")):
        error = refuse(shop, command)
        assert "`company` is not filled in" in error["message"]
        assert error["at"].startswith("headwater.yaml:")


@pytest.mark.parametrize("url", ["htp://127.0.0.1:1", "127.0.0.1", "http://example.com", "https://"])
def test_a_base_url_that_cannot_be_used_is_refused(shop, url):
    connection = {"connector": "shelf", "settings": {"base_url": url}}
    shop.declare(tenants={"acme": {"connections": {"psa": connection}}})
    assert refuse(shop)["at"].startswith("headwater.yaml:")


@pytest.mark.parametrize("text", ["", "# later\n", "---\n"])
def test_a_model_file_without_a_declaration_is_refused(shop, text):
    write_text(shop, "models/entities/later.yaml", text)
    error = refuse(shop)
    assert error["at"].startswith("models/entities/later.yaml")


@pytest.mark.parametrize(
    ("content", "line"), [("# caf\u00e9\n".encode("latin-1"), 1), ("entity: a\n# \u20ac\n".encode("cp1252"), 2)]
)
def test_a_file_that_is_not_utf8_is_refused_with_its_line_and_a_fix(shop, content, line):
    write_text(shop, "models/entities/later.yaml", content)
    error = refuse(shop)
    assert error["at"] == f"models/entities/later.yaml:{line}"
    assert "UTF-8" in error["fix"]


def test_a_file_in_utf16_is_read_or_refused_with_a_fix(shop):
    write_text(shop, "models/entities/later.yaml", "entity: later\n".encode("utf-16"))
    assert refuse(shop)["fix"]


@pytest.mark.parametrize(
    ("measures", "cycle"),
    [
        ({"first": "second + 1", "second": "first + 1"}, "first -> second -> first"),
        ({"first": "first + 1"}, "first -> first"),
        ({"first": "second", "second": "third", "third": "second"}, "second -> third -> second"),
    ],
)
def test_measures_that_need_each_other_are_refused_with_the_path(shop, measures, cycle):
    shop.write("models/facts/one.yaml", {"fact": "one", "entity": "thing", "grain": ["thing_id"], "measures": measures})
    error = refuse(shop)
    assert error["at"].startswith("models/facts/one.yaml:")
    assert error["found"] == cycle


def test_a_measure_with_the_name_of_its_column_is_no_cycle(shop):
    measures = {"name": "name", "same": "name", "again": "same"}
    shop.write("models/facts/one.yaml", {"fact": "one", "entity": "thing", "grain": ["thing_id"], "measures": measures})
    shop("check")


@pytest.mark.parametrize("text", ["copy", "thing_id +", "(thing_id", "thing_id thing_id thing_id"])
def test_an_expression_that_cannot_be_parsed_is_refused_in_plain_words(shop, text):
    measures = {"first": text}
    shop.write("models/facts/one.yaml", {"fact": "one", "entity": "thing", "grain": ["thing_id"], "measures": measures})
    error = refuse(shop)
    assert "Token" not in error["fix"]
    assert "SQL" in error["fix"]


@pytest.mark.parametrize("fields", [{"Id": "bigint"}, {"a.b": "text", "a_b": "text"}, {"NAME": "text"}])
def test_fields_that_would_be_one_column_are_refused(shop, fields):
    things = {"cursor": CHANGES, "fields": {"id": "bigint", "name": "text", "changed": "timestamp", **fields}}
    shop.write_connector(things=things)
    error = refuse(shop)
    assert error["at"].startswith("shelf/connector.yaml:")
    assert list(fields)[-1] in error["found"]


@pytest.mark.parametrize("text", ["cast(id as timestamp)", "cast((id) as date)", "try_cast(id as timestamp)", "id"])
def test_a_number_does_not_become_an_instant(shop, text):
    columns = {"thing_id": "bigint", "began": "timestamp"}
    source = {"changed_at": "changed", "map": {"thing_id": "id", "began": text}}
    shop.write(
        "models/entities/other.yaml",
        {"entity": "other", "key": "thing_id", "columns": columns, "sources": {"shelf.things": source}},
    )
    error = refuse(shop)
    assert "which cannot become" in error["message"]
    assert error["at"].startswith("models/entities/other.yaml:")


def test_a_stamp_that_is_a_number_is_refused(shop):
    shop.entity("thing", {"things": {"changed_at": "id"}})
    assert "which cannot become timestamp" in refuse(shop)["message"]


@pytest.mark.parametrize("text", ["cast(changed as date)", "cast(cast(id as text) as date)", "cast(name as timestamp)"])
def test_casts_that_engines_make_are_accepted(shop, text):
    columns = {"thing_id": "bigint", "began": "date"}
    source = {"changed_at": "changed", "map": {"thing_id": "id", "began": text}}
    shop.write(
        "models/entities/other.yaml",
        {"entity": "other", "key": "thing_id", "columns": columns, "sources": {"shelf.things": source}},
    )
    shop("check")


@pytest.mark.parametrize(
    ("old", "new", "fix"),
    [
        (
            "base_url: '{base_url}'\n",
            "base_url: '{base_url}'\nparams: {key: '{token}'}\nsecrets: {token: a}\n",
            "auth:",
        ),
        ("base_url: '{base_url}'\n", "base_url: '{base_url}'\nheaders: {A: '{bas_url}'}\n", "`base_url`"),
        ("base_url: '{base_url}'\n", "base_url: '{base_ur}'\n", "`base_url`"),
        ("  path: things\n", "  path: '{base_url}/things'\n", "{parent}"),
        ("  path: things\n", "  path: things\n  params: {at: '{base_url}'}\n", "params"),
        ("    params:\n", "    first: {since: '{secret_token}'}\n    params:\n", "one of: since, until"),
        ("      since: '{since}'\n", "      since: '{base_url}'\n", "params:"),
        (
            "hold_back:",
            "secrets: {token: a}\nauth: {kind: headers, headers: {Authorization: 'Bearer {tokn}'}}\nhold_back:",
            "did you mean `token`?",
        ),
    ],
)
def test_a_placeholder_that_is_not_replaced_is_refused(shop, old, new, fix):
    edit_manifest(shop, lambda text: text.replace(old, new))
    error = refuse(shop)
    assert error["at"].startswith("shelf/connector.yaml:")
    assert fix in error["fix"]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("  path: things\n", "  path: things\n  key: [ids]\n", "`key` of `things`"),
        ("    field: changed\n", "    field: changd\n", "`cursor.field` of `things`"),
        ("  path: things\n", "  path: things\n  deletes: {kind: flag, field: gon}\n", "`deletes.field` of `things`"),
    ],
)
def test_a_path_that_names_no_field_is_refused(shop, old, new, message):
    """A key that no record has refuses all of them, and a stamp that no record has lets an ignored filter pass."""
    edit_manifest(shop, lambda text: text.replace(old, new))
    error = refuse(shop)
    assert error["at"].startswith("shelf/connector.yaml:")
    assert message in error["message"]
    assert "did you mean" in error["fix"]


@pytest.mark.parametrize(
    ("paging", "fix"),
    [
        ("{kind: cursor}", "page_number"),
        ("{kind: page_numbers}", "did you mean `page_number`?"),
        ("{param: a}", "add `kind`"),
        ("{kind: page_number, size: many}", "whole number"),
        ("[a]", "pairs"),
    ],
)
def test_a_refusal_uses_plain_words(shop, paging, fix):
    edit_manifest(shop, lambda text: text.replace("hold_back:", f"paging: {paging}\nhold_back:"))
    error = refuse(shop)
    assert fix in error["fix"]
    assert "Input" not in error["fix"]
    assert "page_number.size" not in error["message"]


@pytest.mark.parametrize(
    ("part", "key", "near"), [("lake", "ur", "url"), ("ledger", "urll", "url"), ("warehouse", "pth", "path")]
)
def test_an_unknown_key_of_an_environment_has_a_near_name(shop, part, key, near):
    value = {key: "x", "kind": "duckdb"} if part == "warehouse" else {key: "x"}
    shop.declare(environments={"production": {part: value}})
    error = refuse(shop)
    assert f"environments.production.{part}.{key}" in error["message"]
    assert error["fix"] == f"did you mean `{near}`?"


@pytest.mark.parametrize("command", ["check", "plan"])
def test_a_policy_of_no_resource_is_refused(shop, command):
    """It would relax nothing, and nobody would be told."""
    shop.declare(policies={"shelf.thngs": {"fields": {"name": "text"}}})
    error = refuse(shop, (command,))
    assert (error["found"], error["fix"]) == ("shelf.thngs", "did you mean `shelf.things`?")
    assert error["at"].startswith("headwater.yaml:")


def test_check_warns_of_a_policy_for_a_field_that_the_contract_lacks(shop):
    shop.declare(policies={"shelf.things": {"fields": {"nme": "text", "status": "text", "quite_new": "text"}}})
    warnings = shop("check").json["warnings"]
    assert [warning.partition(": ")[2] for warning in warnings] == [
        "`nme` is not in the contract of shelf.things, and becomes a new column; did you mean `name`?",
        "`quite_new` is not in the contract of shelf.things, and becomes a new column",
    ]


@pytest.mark.parametrize("part", [{"every": {"thngs": "1h"}}, {"overlap": {"thngs": "1d"}}, {"resources": ["thngs"]}])
def test_check_refuses_a_connection_that_names_no_resource(shop, part):
    connection = {"connector": "shelf", "settings": {"base_url": shop.service.url}, **part}
    shop.declare(tenants={"acme": {"connections": {"psa": connection}}})
    error = refuse(shop)
    assert (error["found"], error["fix"]) == ("thngs", "did you mean `things`?")


STAGE = {"stage": "s3://bucket/prefix"}


@pytest.mark.parametrize(
    ("warehouse", "part"),
    [
        ({"url": "postgresql://host/db", **STAGE}, "redshift://"),
        ({"iam_role": "headwater-copy", **STAGE}, "arn:"),
    ],
)
def test_an_option_of_redshift_that_cannot_work_is_refused(shop, warehouse, part):
    shop.declare(warehouse={"kind": "redshift", **warehouse})
    assert part in refuse(shop)["fix"]


def test_a_publication_of_a_warehouse_that_cannot_export_is_refused(shop):
    shop.declare(warehouse={"kind": "redshift", **STAGE}, publish=[{"name": "out", "url": "out", "format": "parquet"}])
    error = refuse(shop)
    assert error["message"] == "A redshift warehouse cannot publish its tables."
    assert error["at"].startswith("headwater.yaml:")


def test_an_unset_reference_of_the_warehouse_is_a_warning(shop):
    shop.declare(warehouse={"kind": "redshift", **STAGE})
    warnings = shop("check").json["warnings"]
    assert [name in "\n".join(warnings) for name in ("REDSHIFT_URL", "REDSHIFT_ROLE")] == [True, True]
