"""The guide to generated models is followed: its commands, and its file for `--config`."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

from headwater.cli.main import run_command
from tests.codegen.test_formats import ENTITY, write_json

GUIDE = Path(__file__).parents[2] / "docs" / "guides" / "generate-models.md"
REF = "#/components/schemas/"


def build_listing(name):
    schema = {"type": "array", "items": {"$ref": REF + name}}
    return {"get": {"responses": {"200": {"content": {"application/json": {"schema": schema}}}}}}


SPEC = {
    "openapi": "3.0.1",
    "paths": {
        "/company/companies": build_listing("Company"),
        "/service/tickets": build_listing("Ticket"),
    },
    "components": {
        "schemas": {
            "Company": {"type": "object", "properties": {"id": {"type": "integer"}, "name": {"type": "string"}}},
            "Ticket": {"type": "object", "properties": {"id": {"type": "integer"}, "closedDate": {"type": "string"}}},
            "Member": {"type": "object", "properties": {"id": {"type": "integer"}, "password": {"type": "string"}}},
        }
    },
}
MANIFEST = {"entities": [{"entityName": "Customer-18", "entityPath": "Customer-18.cdm.json/Customer-18"}]}


def write_inputs(folder):
    write_json(folder / "service.openapi.json", SPEC)
    write_json(folder / "Customer-18.cdm.json", ENTITY)
    write_json(folder / "default.manifest.cdm.json", MANIFEST)


def read_block(language):
    return re.search(rf"```{language}\n(.*?)```", GUIDE.read_text(), re.DOTALL)[1]


def test_the_commands_of_the_guide_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_inputs(tmp_path)
    for line in read_block("sh").splitlines():
        assert run_command(shlex.split(line)[1:]) == 0
    assert "class Company(Record)" in (tmp_path / "connectors/desk/schemas.py").read_text()
    assert "class Customer18(SparkModel)" in (tmp_path / "models.py").read_text()


def test_the_config_of_the_guide_does_what_the_guide_says(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_inputs(tmp_path)
    (tmp_path / "generation.toml").write_text(read_block("toml"))
    assert run_command(["generate", "models", "service.openapi.json", "out.py", "--config", "generation.toml"]) == 0
    text = (tmp_path / "out.py").read_text()
    assert "closedDate: datetime | None" in text
    assert "class Ticket(BaseModel)" in text
    assert "Member" not in text
