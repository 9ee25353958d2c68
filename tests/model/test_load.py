"""Load declarations from files, and the errors for those that are invalid."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent
from typing import Literal

import pytest

from headwater.declared import Declared
from headwater.errors import DeclarationError, DeclarationErrors
from headwater.model.address import Folder
from headwater.model.check.context import ValidationContext
from headwater.model.check.entities import check_declarations
from headwater.model.dimension import DateDimension, EntityDimension, EnumDimension
from headwater.model.entity import Entity
from headwater.model.field import Field
from headwater.model.load import load_declarations, load_project
from headwater.model.project import WarehouseOptions

PROJECT = """
version: 1
name: my-msp
tenants:
  acme:
    connections:
      psa:
        connector: connectwise
        settings: {base_url: "https://api-na.myconnectwise.net", company: acme}
        secrets: {public_key: "env:CONNECTWISE_PUBLIC_KEY"}
"""
TICKET = """
entity: ticket
key: ticket_id
columns:
  ticket_id: bigint
  status: text
  company_id: bigint
  note: {type: text, history: overwrite}
sources:
  connectwise.tickets:
    changed_at: _info.lastUpdated
    map: {ticket_id: id, status: status.name, company_id: company.id}
"""
CUSTOMER = """
dimension: customer
entity: ticket
attributes:
  status: T2
  note: T1
"""
FACT = """
fact: work
entity: ticket
grain: [ticket_id]
measures: {one: "1", two: "one + 1"}
lookups:
  customer: {dimension: customer, on: ticket_id, strategy: current}
"""
FIELDS = {
    "connectwise.tickets": tuple(
        Field(path=tuple(path.split(".")), dtype=dtype)
        for path, dtype in {
            "id": "bigint",
            "status.name": "text",
            "company.id": "bigint",
            "_info.lastUpdated": "timestamp",
        }.items()
    )
}


def write(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text).lstrip("\n"), encoding="utf-8")
    return folder


def list_errors(folder: Path) -> list[DeclarationError]:
    with pytest.raises(DeclarationError) as caught:
        check_declarations(ValidationContext(declarations=load_declarations(folder), fields=FIELDS))
    return list(caught.value.errors) if isinstance(caught.value, DeclarationErrors) else [caught.value]


def test_the_project_file_of_the_design_is_understood(tmp_path: Path):
    project = load_project(write(tmp_path, {"headwater.yaml": PROJECT}))
    assert project.tenants["acme"].connections["psa"].settings["company"] == "acme"
    assert project.warehouse.as_dict() == {"kind": "duckdb"}


def test_a_folder_of_declarations_fits_together(tmp_path: Path):
    declarations = load_declarations(
        write(tmp_path, {"ticket.yaml": TICKET, "d/customer.yaml": CUSTOMER, "f/work.yaml": FACT})
    )
    check_declarations(ValidationContext(declarations=declarations, fields=FIELDS))
    assert declarations.entities["ticket"].overwritten == ("note",)
    assert str(declarations.facts["work"].origin) == "models/f/work.yaml:1"


def test_python_declares_the_same_things(tmp_path: Path):
    python = """
        from headwater.model.dimension import EntityDimension

        customer = EntityDimension(dimension="customer", entity="ticket", attributes={"status": "T2", "note": "T1"})
    """
    declarations = load_declarations(write(tmp_path, {"ticket.yaml": TICKET, "customer.py": python}))
    yaml = load_declarations(write(tmp_path / "other", {"customer.yaml": CUSTOMER}))
    assert declarations.dimensions == yaml.dimensions


def test_the_kind_of_a_dimension_is_told_by_its_keys(tmp_path: Path):
    files = {
        "a.yaml": CUSTOMER,
        "b.yaml": "dimension: status\nvalues_of: {entity: ticket, column: status}\n",
        "c.yaml": "dimension: date\ncalendar: gregorian\nfirst: 2020-01-01\n",
    }
    declarations = load_declarations(write(tmp_path, files)).dimensions
    assert [type(declarations[name]) for name in ("customer", "status", "date")] == [
        EntityDimension,
        EnumDimension,
        DateDimension,
    ]


def test_on_is_a_word_and_not_true(tmp_path: Path):
    declarations = load_declarations(write(tmp_path, {"work.yaml": FACT}))
    assert declarations.facts["work"].lookups["customer"].on == ("ticket_id",)


# ruff: noqa: E501 - one complaint a line reads best
@pytest.mark.parametrize(
    ("name", "files", "what", "where", "hint"),
    [
        ("an unknown word", {"t.yaml": TICKET + "colums: {}\n"}, "`colums` is not a known key.", "models/t.yaml:12", "did you mean `columns`?"),
        ("a word that is missing", {"t.yaml": "entity: ticket\nkey: a\ncolumns: {a: text}\n"}, "`sources` is missing.", "models/t.yaml:1", "add `sources:`"),
        ("a wrong type", {"t.yaml": TICKET.replace("status: text", "status: txt")}, "`columns.status.type` is invalid.", "models/t.yaml:5", "`txt` is not a type"),
        ("a key that is no column", {"t.yaml": TICKET.replace("key: ticket_id", "key: id")}, "This is invalid.", "models/t.yaml:1", "key `id` is not among"),
        ("a key that stands twice", {"t.yaml": TICKET + "key: x\n"}, "`key` appears twice.", "models/t.yaml:12", "keep one of them"),
        ("no YAML", {"t.yaml": "entity: [\n"}, "This file is not valid YAML.", "models/t.yaml:2", "check the indentation"),
        ("a misspelled noun", {"f.yaml": FACT.replace("fact:", "fakt:")}, "`fakt` is not a known key.", "models/f.yaml:1", "did you mean `fact`?"),
        ("Python that fails", {"x.py": "a = 1\nb = a / 0\n"}, "This file raises an error when it is imported.", "models/x.py:2", "correct this line"),
        ("no Python", {"x.py": "a = 1\nb = (\n"}, "This file raises an error when it is imported.", "models/x.py:2", "correct this line"),
        ("an empty file of Python", {"x.py": "# later\n"}, "This file declares nothing.", "models/x.py", "declare an entity"),
        ("nothing we know", {"t.yaml": "table: x\n"}, "No `entity:`, `dimension:`, `fact:` or `rules:` key found.", "models/t.yaml:1", "start the file with one of"),
        ("twice the same", {"a.yaml": TICKET, "b.yaml": TICKET}, "`ticket` is declared twice.", "models/b.yaml:1", "keep one"),
        ("a source nobody offers", {"t.yaml": TICKET.replace("connectwise.tickets", "connectwise.ticket")}, "ticket maps `connectwise.ticket`, which no connector has.", "models/t.yaml:9", "did you mean `connectwise.tickets`?"),
        ("a field that is not there", {"t.yaml": TICKET.replace("status.name", "status.nme")}, "There is no column `status.nme`.", "models/t.yaml:11", "did you mean `status.name`?"),
        ("a mapped column that is not declared", {"t.yaml": TICKET.replace("{ticket_id: id,", "{ticket_id: id, stats: status.name,")}, "ticket has no column `stats`.", "models/t.yaml:11", "did you mean `status`?"),
        ("a dimension of nothing", {"c.yaml": CUSTOMER}, "There is no entity `ticket`.", "models/c.yaml:2", ""),
        ("an attribute that is not there", {"t.yaml": TICKET, "c.yaml": CUSTOMER.replace("status: T2", "statuss: T2")}, "There is no column `statuss`.", "models/c.yaml:4", "did you mean `status`?"),
        ("a lookup into nothing", {"t.yaml": TICKET, "f.yaml": FACT}, "work.customer_key looks up `customer`, but there is no such dimension.", "models/f.yaml:6", ""),
        ("a wrong measure", {"t.yaml": TICKET, "c.yaml": CUSTOMER, "f.yaml": FACT.replace("one + 1", "onne + 1")}, "There is no column `onne`.", "models/f.yaml:4", "did you mean `one`?"),
        ("an instant without need", {"f.yaml": FACT.replace("strategy: current", "strategy: current, at: x")}, "`lookups.customer` is invalid.", "models/f.yaml:6", "`at` is allowed only"),
    ],
)  # fmt: skip
def test_a_complaint_says_what_where_and_what_to_try(tmp_path, name, files, what, where, hint):
    del name
    (error,) = list_errors(write(tmp_path, files))
    assert (error.message, error.where) == (what, where)
    assert error.hint.startswith(hint)


def test_all_complaints_come_at_once(tmp_path: Path):
    files = {
        "t.yaml": TICKET.replace("status.name", "nope").replace("company.id", "nope_either"),
        "c.yaml": CUSTOMER.replace("note", "nate"),
    }
    assert len(list_errors(write(tmp_path, files))) == 3


def test_a_missing_project_says_how_to_make_one(tmp_path: Path):
    with pytest.raises(DeclarationError, match="No project found") as caught:
        load_project(tmp_path)
    assert "headwater init" in caught.value.hint


def test_every_declaration_is_frozen_and_closed():
    kinds = [Declared]
    for kind in kinds:
        kinds.extend(kind.__subclasses__())
        assert kind.model_config["frozen"]
        assert kind.model_config["extra"] == ("allow" if kind is WarehouseOptions else "forbid")
    assert len(kinds) > 20


def test_an_entity_chooses_for_itself_and_the_project_for_all_others(tmp_path: Path):
    own = TICKET.replace("entity: ticket", "entity: own") + "on_schema_change: rebuild\n"
    declarations = load_declarations(write(tmp_path, {"ticket.yaml": TICKET, "own.yaml": own})).with_default("from_now")
    chosen = {name: one.on_schema_change for name, one in declarations.entities.items()}
    assert chosen == {"own": "rebuild", "ticket": "from_now"}
    assert str(declarations.entities["ticket"].origin) == "models/ticket.yaml:1"


@pytest.mark.parametrize("former", [("id", None), ("old", "old")])
def test_a_former_name_is_nobody_elses(former: tuple[str | None, ...]):
    columns = {name: {"type": "text", "renamed_from": before} for name, before in zip("bc", former, strict=True)}
    with pytest.raises(ValueError, match="names a declared column, or one that another column was renamed from"):
        Entity.model_validate({"entity": "thing", "key": "id", "columns": {"id": "bigint", **columns}, "sources": {}})


class Lakehouse(Declared):
    """The settings of an engine that only this module knows."""

    kind: Literal["lakehouse"]
    folder: Folder
    """Where its tables are."""


def find_settings(kind: str) -> type[Declared]:
    if kind != "lakehouse":
        msg = "this kind of warehouse is not installed"
        raise ValueError(msg)
    return Lakehouse


@pytest.mark.parametrize(
    ("text", "what", "where", "hint"),
    [
        (
            "{kind: lakehouse, foldr: a, folder: b}",
            "`warehouse.foldr` is not a known key.",
            4,
            "did you mean `folder`?",
        ),
        ("{kind: lakehouse}", "`warehouse.folder` is missing.", 4, "add `folder:`"),
        ("\n  kind: lakehouse\n  folder: ~/a", "`warehouse.folder` is invalid.", 6, "`~`, `$NAME` and"),
        ("\n  kind: lakehose", "`warehouse.kind` is invalid.", 5, "this kind of warehouse is not installed"),
        ("a.duckdb", "`warehouse` is invalid.", 4, "use `name: value` pairs"),
    ],
)
def test_the_options_of_a_warehouse_are_those_of_its_engine(tmp_path, text, what, where, hint):
    write(tmp_path, {"headwater.yaml": f"version: 1\nname: x\nlakes: {{}}\nwarehouse: {text}\n"})
    with pytest.raises(DeclarationErrors) as caught:
        load_project(tmp_path, find_settings)
    error, other = caught.value.errors
    assert (error.message, error.where) == (what, f"headwater.yaml:{where}")
    assert error.hint.startswith(hint)
    assert other.message == "`lakes` is not a known key."


def test_a_warehouse_knows_where_it_is_declared_in_every_environment(tmp_path):
    text = """
        version: 1
        name: x
        environments:
          prod:
            warehouse:
              kind: lakehouse
              folder: a
    """
    project = load_project(write(tmp_path, {"headwater.yaml": text}))
    assert project.warehouse.origin.find_location("folder") == "headwater.yaml:1"
    assert project.environments["prod"].warehouse.origin.find_location("folder") == "headwater.yaml:7"
    assert str(project.with_environment(project.environments["prod"]).warehouse.origin) == "headwater.yaml:5"
    with pytest.raises(DeclarationErrors, match=r"`environments.prod.warehouse.kind` is invalid"):
        load_project(tmp_path, lambda kind: find_settings(f"no {kind}"))
