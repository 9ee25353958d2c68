"""`headwater generate models` with names of schemas that are not names of classes, and with nothing to write."""

from __future__ import annotations

import json
import runpy

import pytest
import yaml

from headwater.cli.main import run_command

REF = "#/components/schemas/"


def write_spec(path, schemas):
    spec = {"openapi": "3.0.1", "components": {"schemas": schemas}}
    path.write_text(json.dumps(spec) if path.suffix == ".json" else yaml.safe_dump(spec))
    return str(path)


def build_record(**properties):
    return {"type": "object", "properties": {"id": {"type": "integer"}, **properties}}


@pytest.mark.parametrize("suffix", ["json", "yaml"])
def test_a_name_with_dots_becomes_the_name_of_a_class(tmp_path, capsys, suffix):
    schemas = {
        "Agreement.Adjustment": build_record(kind={"$ref": REF + "Agreement.Kind"}),
        "Agreement.Kind": build_record(name={"type": "string"}),
        "AgreementAdjustment": build_record(amount={"type": "number"}),
        "2fa-token": build_record(),
        "plain": build_record(),
    }
    out = tmp_path / "schemas.py"
    spec = write_spec(tmp_path / f"spec.{suffix}", schemas)
    assert run_command(["generate", "models", spec, str(out), "--json"]) == 0
    names = json.loads(capsys.readouterr().out)["models"]
    assert len(names) == len(set(names)) >= len(schemas)
    module = runpy.run_path(str(out))
    assert {"AgreementAdjustment2", "AgreementKind", "AgreementAdjustment"} <= module.keys()
    assert {"id", "kind"} == module["AgreementAdjustment2"].model_fields.keys()


def test_a_description_without_records_is_refused_and_writes_nothing(tmp_path, capsys):
    out = tmp_path / "schemas.py"
    spec = write_spec(tmp_path / "spec.json", {"Other": {"type": "object", "properties": {"x": {"type": "string"}}}})
    assert run_command(["generate", "models", spec, str(out), "--json"]) == 2
    error = json.loads(capsys.readouterr().out)["error"]
    assert "`id`" in error["found"]
    assert "--config" in error["fix"]
    assert not out.exists()
