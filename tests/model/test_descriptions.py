"""The docstrings below the fields of a declaration are its descriptions, read when somebody asks."""

from __future__ import annotations

from pydantic import Field

from headwater.declared import Declared, describe_fields


class Address(Declared):
    """A place."""

    kind: str = "place"
    """What it is."""
    street: str
    """The street,
    and the number."""
    since: str = Field(default="", alias="from")
    """When it was first used."""
    silent: int = 0

    def render(self) -> str:
        """Not a field."""
        return self.street


class Office(Address):
    """A place of work."""

    kind: str = "office"
    desks: int = 1
    """How many people fit."""


def test_fields_are_described_by_what_stands_below_them():
    assert describe_fields(Address) == {
        "kind": "What it is.",
        "street": "The street,\nand the number.",
        "since": "When it was first used.",
    }


def test_a_field_that_is_declared_again_does_not_keep_the_old_description():
    assert describe_fields(Office) == {
        "street": "The street,\nand the number.",
        "since": "When it was first used.",
        "desks": "How many people fit.",
    }


def test_the_schema_shows_the_descriptions_under_the_names_that_users_write():
    properties = Office.model_json_schema()["properties"]
    assert properties["from"]["description"] == "When it was first used."
    assert properties["desks"]["description"] == "How many people fit."
    assert "description" not in properties["kind"]


def test_a_class_inside_a_function_is_described_too():
    class Room(Declared):
        """A room."""

        number: int
        """On the door."""

    assert describe_fields(Room) == {"number": "On the door."}


def test_a_class_without_source_is_not_described():
    space = {"Declared": Declared, "__name__": "elsewhere"}
    exec("class Yard(Declared):\n    size: int\n    'In square metres.'\n", space)
    assert describe_fields(space["Yard"]) == {}
