"""What a project that people join has: a licence, a way to report, forms, hooks and workflows, which say what is so."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
FORMS = sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml"))
FIELDS = {"markdown", "input", "textarea", "dropdown", "checkboxes"}


def read_text(*parts):
    return ROOT.joinpath(*parts).read_text(encoding="utf-8")


def test_the_licence_is_the_one_that_the_package_names():
    project = tomllib.loads(read_text("pyproject.toml"))["project"]
    first, *rest = read_text("LICENSE").splitlines()
    assert first == f"SPDX-License-Identifier: {project['license']}"
    assert project["license-files"] == ["LICENSE"]
    assert any("https://www.apache.org/licenses/LICENSE-2.0" in line for line in rest)


@pytest.mark.parametrize("target", ["test", "test-all"])
def test_a_workflow_calls_the_command_and_nothing_else(target):
    workflow = yaml.safe_load(read_text(".github", "workflows", f"{target}.yml"))
    (job,) = workflow["jobs"].values()
    assert [step["run"] for step in job["steps"] if "run" in step] == [f"make {target}"]
    assert job["env"]["CI"] == "true"
    assert workflow["permissions"] == {"contents": "read"}


def test_a_workflow_installs_what_its_command_needs():
    def read_uses(target):
        (job,) = yaml.safe_load(read_text(".github", "workflows", f"{target}.yml"))["jobs"].values()
        return {step["uses"].partition("@")[0]: step.get("with", {}) for step in job["steps"] if "uses" in step}

    assert read_uses("test")["actions/setup-python"]["python-version"] == "3.11"
    assert read_uses("test-all")["actions/setup-java"]["java-version"] == "17"
    assert "actions/setup-java" not in read_uses("test")


def test_the_hooks_are_the_checks_of_the_makefile():
    hooks = [hook for repo in yaml.safe_load(read_text(".pre-commit-config.yaml"))["repos"] for hook in repo["hooks"]]
    recipes = (
        re.search(rf"^{name}:.*\n((?:\t.*\n)+)", read_text("Makefile"), re.MULTILINE)[1] for name in ("lint", "types")
    )
    recipe = "".join(recipes)
    checks = [line.split("$(BIN)/")[1].removesuffix(" .") for line in recipe.splitlines()]
    entries = [hook["entry"].removeprefix(".venv/bin/").replace(" --force-exclude", "") for hook in hooks]
    assert entries == checks
    assert {hook["language"] for hook in hooks} == {"system"}


@pytest.mark.parametrize("path", [path for path in FORMS if path.name != "config.yml"], ids=lambda path: path.stem)
def test_a_form_is_complete(path):
    form = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert {"name", "description", "body"} <= set(form)
    fields = [field for field in form["body"] if field["type"] != "markdown"]
    assert {field["type"] for field in form["body"]} <= FIELDS
    assert len({field["id"] for field in fields}) == len(fields)
    assert all(field["attributes"]["label"] for field in fields)
    assert any(field.get("validations", {}).get("required") for field in fields)


def test_a_defect_is_reported_with_what_the_command_line_prints():
    defect = next(path for path in FORMS if path.stem == "defect")
    labels = [field["attributes"].get("label") for field in yaml.safe_load(defect.read_text(encoding="utf-8"))["body"]]
    assert "headwater version --verbose" in labels
    assert "headwater version --verbose" in read_text("SECURITY.md")
