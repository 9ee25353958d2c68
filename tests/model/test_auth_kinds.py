"""`auth:` of a manifest: the class of its kind says what it takes, and each mistake has its line."""

from __future__ import annotations

import pytest

from headwater.errors import DeclarationErrors
from headwater.model.auth_kinds import list_auth_kinds
from headwater.model.connector import Connector
from headwater.model.load import load_connector
from headwater.run import app
from headwater.wire.auth import Basic, Headers, NoAuth

MANIFEST = """\
connector: toy
base_url: https://api.example.com
auth:
{auth}
resources:
  - {{resource: things, path: things, key: [id], fields: {{id: bigint}}}}
"""


def load(folder, auth):
    path = folder / "connector.yaml"
    path.write_text(MANIFEST.format(auth=auth))
    return load_connector(path)


def test_each_kind_is_its_class(tmp_path):
    auth = load(tmp_path, "  kind: basic\n  user: a\n  password: b").auth
    assert auth == Basic(user="a", password="b")
    assert Connector.model_validate({"connector": "x", "base_url": "y", "resources": []}).auth == NoAuth()
    given = Headers(headers={"a": "b"})
    assert Connector(connector="x", base_url="y", auth=given, resources=()).auth is given


@pytest.mark.parametrize(
    ("auth", "line", "words"),
    [
        ("  kind: basic\n  user: a", 3, ("`auth.password` is missing", "add `password:`")),
        ("  kind: basic\n  user: a\n  password: b\n  pasword: c", 7, ("`auth.pasword` is not a known key", "password")),
        ("  kind: basic\n  password: b\n  user: [a]", 6, ("`auth.user` is invalid", "use a text")),
        ("  kind: headers\n  headers:\n    X: {a: b}", 6, ("`auth.headers.X` is invalid", "use a text")),
        ("  kind: basix\n  user: a", 4, ("`auth.kind` is invalid", "'basix'", "basic", "installed:", "headers")),
        ("  user: a\n  password: b", 3, ("`auth.kind` is invalid", "installed:")),
        ("  - basic", 3, ("`auth` is invalid", "auth: {kind: ...}")),
    ],
)
def test_a_mistake_has_its_line(tmp_path, auth, line, words):
    with pytest.raises(DeclarationErrors) as caught:
        load(tmp_path, auth)
    (error,) = caught.value.errors
    assert error.where == f"{tmp_path.name}/connector.yaml:{line}"
    for word in words:
        assert word in str(error)


def test_the_schema_for_editors_has_every_kind():
    schema = app.build_json_schema()["connector"]
    assert set(schema["properties"]["auth"]["discriminator"]["mapping"]) == set(list_auth_kinds())


def test_the_kinds_of_the_package_are_installed():
    assert set(list_auth_kinds()) >= {"none", "basic", "headers", "query", "oauth2_client_credentials"}
