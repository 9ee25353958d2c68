"""Every noun that people declare is frozen, closed and explained under its fields."""

from __future__ import annotations

import importlib

import pytest

from headwater.declared import Declared, describe_fields
from headwater.model.project import WarehouseOptions
from tests.house.source import modules

for _module in modules():
    if _module.room in {"model", "wire"} or _module.path.name == "settings.py":
        importlib.import_module(_module.name)


def nouns() -> list[type[Declared]]:
    pending, found = [Declared], []
    while pending:
        for kind in pending.pop().__subclasses__():
            pending.append(kind)
            if kind.__module__.startswith("headwater."):
                found.append(kind)
    return found


@pytest.mark.parametrize("noun", nouns(), ids=lambda noun: noun.__name__)
def test_a_noun_is_frozen_closed_and_explained(noun):
    assert noun.model_config["frozen"] is True
    # What a warehouse takes is for its engine to say, whose own class is closed.
    assert noun.model_config["extra"] == ("allow" if noun is WarehouseOptions else "forbid")
    assert noun.__doc__
    # Pydantic would read the source of each class when it is imported, 0.1 s of every command.
    assert not noun.model_config.get("use_attribute_docstrings")
    silent = noun.model_fields.keys() - describe_fields(noun).keys() - {"kind"}
    assert not silent


def test_no_two_nouns_share_a_name():
    names = [noun.__name__ for noun in nouns()]
    assert len(names) == len(set(names))
