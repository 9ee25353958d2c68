"""`connector new`: the files of a new connector, with a manifest, a README and a test."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from headwater.errors import DeclarationError
from headwater.names import check_name
from headwater.run.plugins import list_connector_names

_MANIFEST = """\
# The resources of the service, and how to request them. Reference: docs/reference/declarations.md
version: 1
connector: {name}
title: {name}
base_url: "{{base_url}}"
settings:
  base_url: {{description: "the URL of the service, e.g. https://api.example.com/v1"}}
secrets:
  token: "an access token"
auth: {{kind: headers, headers: {{Authorization: "Bearer {{token}}"}}}}
paging: {{kind: page_number, param: page, size_param: per_page, size: 100}}
resources:
  - resource: things
    path: things
    key: [id]
    fields: {{id: bigint, name: text, updated_at: timestamp}}
"""

_README = """\
# {name}

1. In `connector.yaml`, set the URL, the authentication, the paging, and the filter for changed records.
2. Save one response for each resource as `samples/RESOURCE.json`, next to this file. Remove private data from it.
3. Run `headwater check` to validate the manifest, and `pytest connectors/{name}` to compare the samples with it.
4. Declare a connection that uses the connector in `headwater.yaml`, then run `headwater connection test NAME`.
"""

_TEST = """\
\"\"\"The manifest of {name} loads, and its samples match it.\"\"\"

from __future__ import annotations

import json
from pathlib import Path

import pytest

from headwater.model.load import load_connector

HERE = Path(__file__).parent
CONNECTOR = load_connector(HERE / "connector.yaml")


@pytest.mark.parametrize("resource", CONNECTOR.resources, ids=lambda resource: resource.resource)
def test_a_sample_of_each_resource_contains_its_key(resource):
    sample = HERE / "samples" / f"{{resource.resource}}.json"
    if not sample.exists():
        pytest.skip(f"save a response of the service as {{sample.name}}")
    records = json.loads(sample.read_text())
    for record in records if not resource.records else records[resource.records]:
        for part in resource.key:
            assert part.split(".")[0] in record
"""


def write_connector(folder: Path, name: str) -> list[Path]:
    """Write the files of a new connector to `folder`, and return their paths.

    DeclarationError if the folder exists, or an installed connector has the name.
    """
    _check(folder, name)
    files: Mapping[str, str] = {
        "connector.yaml": _MANIFEST.format(name=name),
        "README.md": _README.format(name=name),
        f"test_{name}.py": _TEST.format(name=name),
    }
    try:
        folder.mkdir(parents=True)
        for file, text in files.items():
            (folder / file).write_text(text, encoding="utf-8")
    except OSError as error:
        raise DeclarationError(
            "The connector cannot be written.",
            where=str(folder),
            details=str(error),
            hint="choose another project folder",
        ) from error
    return [folder / file for file in files]


def _check(folder: Path, name: str) -> None:
    try:
        check_name(name)
    except ValueError as error:
        raise DeclarationError(
            "This is not a valid connector name.", where="connector new", details=name, hint=str(error)
        ) from error
    if name in list_connector_names():
        raise DeclarationError(
            "An installed connector has this name.",
            where="connector new",
            details=name,
            hint="choose another name: a connector of the project would replace the installed one",
        )
    if folder.exists():
        raise DeclarationError(
            "The connector exists already.", where=str(folder), details=name, hint="choose another name"
        )
