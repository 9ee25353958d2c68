"""`connector new`: the files of a new connector, with a manifest, a README and a test."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType

from headwater.codegen.description import load_description
from headwater.codegen.draft import draft_manifest
from headwater.codegen.listing import find_listings
from headwater.codegen.models import generate_models
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
3. Run `headwater check` to validate the manifest, and `pytest connectors/{name}` to test it against a simulated service, and to
   compare the samples with it.
4. Declare a connection that uses the connector in `headwater.yaml`, then run `headwater connection test NAME`.
"""

_TEST = """\
\"\"\"The manifest of {name} loads, and its samples match it.\"\"\"

from __future__ import annotations

import json
from pathlib import Path

import pytest

from headwater.model.load import load_connector
from headwater.testing import check_connector

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


def test_the_connector_loses_nothing():
    check_connector(HERE)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewConnector:
    """What `connector new` wrote."""

    written: tuple[Path, ...]
    resources: int = 1
    decisions: int = 0
    """How many decisions the manifest leaves to a person, each in a comment."""
    left_out: tuple[str, ...] = ()
    """Paths that list records and that a manifest cannot read."""


def write_connector(folder: Path, name: str, description: Path | None = None) -> NewConnector:
    """Write the files of a new connector to `folder`: an example, or a draft from an OpenAPI `description`.

    DeclarationError if the folder exists, or an installed connector has the name.
    """
    _check(folder, name)
    if description is None:
        return NewConnector(written=_write(folder, name, _MANIFEST.format(name=name)))
    loaded = load_description(description, "openapi")
    listings, left_out = find_listings(loaded)
    if not listings:
        raise DeclarationError(
            "The description has no path that lists records.",
            where=description.name,
            details=f"{len(loaded.paths)} paths",
            hint="a path lists records if the response of its GET is a list, or an object with one list",
        )
    schemas = folder / "schemas.py"
    with TemporaryDirectory() as scratch:
        # The contracts come first, because only they tell the names of their classes, and a failure leaves no folder.
        generated = Path(scratch) / schemas.name
        names = generate_models(description, generated, tuple(dict.fromkeys(one.schema for one in listings)))
        classes = {one.schema: _find_class(one.schema, names) for one in listings}
        draft = draft_manifest(name, loaded, listings, classes, left_out)
        written = _write(folder, name, draft.manifest, {schemas.name: generated.read_text("utf-8")})
    return NewConnector(written=written, resources=len(listings), decisions=draft.decisions, left_out=left_out)


def _find_class(schema: str, names: Iterable[str]) -> str:
    """The generated class of a schema: class names begin with a capital letter and have no signs."""
    plain = re.sub(r"\W", "", schema).lower()
    return next(name for name in names if name.lower() == plain)


def _write(folder: Path, name: str, manifest: str, more: Mapping[str, str] = MappingProxyType({})) -> tuple[Path, ...]:
    files = {
        "connector.yaml": manifest,
        "README.md": _README.format(name=name),
        f"test_{name}.py": _TEST.format(name=name),
        **more,
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
    return tuple(folder / file for file in files)


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
