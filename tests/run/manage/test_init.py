"""A new project is one that can be checked."""

from __future__ import annotations

import pytest

from headwater.errors import DeclarationError
from headwater.model.load import load_project
from headwater.run import app


def test_a_project_of_a_blueprint_and_a_connector_is_in_good_order(tmp_path):
    app.init_project(tmp_path / "my-msp", blueprint="msp", connector="connectwise")
    file = tmp_path / "my-msp" / "headwater.yaml"
    file.write_text(file.read_text().replace("CHANGE-ME", "acme"))
    with app.open_project(tmp_path / "my-msp") as workspace:
        report = app.check_project(workspace)
    assert report.connectors == ("connectwise",)
    assert "time_entry" in report.facts
    assert any("CONNECTWISE_PUBLIC_KEY" in warning for warning in report.warnings)


def test_an_empty_project_is_one_too(tmp_path):
    app.init_project(tmp_path / "Something Else!")
    assert load_project(tmp_path / "Something Else!").name == "something-else"


def test_nothing_is_overwritten(tmp_path):
    app.init_project(tmp_path)
    with pytest.raises(DeclarationError, match="The folder has a project already"):
        app.init_project(tmp_path)


@pytest.mark.parametrize(("option", "wanted"), [("blueprint", "mps"), ("connector", "conectwise")])
def test_an_unknown_blueprint_or_connector_is_refused_before_anything_is_written(option, wanted, tmp_path):
    with pytest.raises(DeclarationError, match=f"There is no {option} `{wanted}`") as caught:
        app.init_project(tmp_path / "new", **{option: wanted})
    assert caught.value.hint.startswith("did you mean")
    assert not (tmp_path / "new").exists()


def test_the_schema_knows_every_noun():
    assert set(app.build_json_schema()) == {"project", "connector", "entity", "rules", "dimension", "fact"}
