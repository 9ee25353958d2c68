"""The cache of parsed declarations: whatever happens to it, a command finds what it finds without it."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from headwater.errors import DeclarationErrors
from headwater.model import expression, expression_tree, yaml_document
from headwater.model.memo import Memo
from headwater.run import declaration_cache
from headwater.run.inspect.explain import explain
from headwater.run.workspace import choose_tenant, open_project

PROJECT = """\
version: 1
name: shop
settings: {marker: only-in-the-project-file}
tenants: {acme: {}}
"""
CONNECTOR = """\
connector: toy
base_url: "https://toy.example"
auth: {kind: none}
resources:
  - {resource: things, path: things, key: [id], fields: {id: bigint, name: text}}
"""
ENTITY = """\
entity: thing
sources: {toy.things: {map: {id: id, name: "upper(name)"}}}
key: id
columns: {id: bigint, name: text}
"""


@pytest.fixture
def root(tmp_path):
    for path, text in {
        "headwater.yaml": PROJECT,
        "connectors/toy/connector.yaml": CONNECTOR,
        "models/thing.yaml": ENTITY,
    }.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    (tmp_path / ".headwater").mkdir()
    return tmp_path


@pytest.fixture
def forget(monkeypatch):
    """What a new process does: it remembers nothing."""

    def forget():
        monkeypatch.setattr(expression, "TEMPLATES", Memo())
        monkeypatch.setattr(yaml_document, "DOCUMENTS", Memo())

    forget()
    return forget


@pytest.fixture
def parsed(monkeypatch):
    """The texts that are parsed: expressions and YAML."""
    texts = []
    build, load = expression_tree.build_template, yaml_document._load_documents
    monkeypatch.setattr(expression_tree, "build_template", lambda text, where: texts.append(text) or build(text, where))
    monkeypatch.setattr(yaml_document, "_load_documents", lambda text, file: texts.append(file) or load(text, file))
    return texts


def cache_file(root):
    return root / ".headwater" / "cache" / "declarations.json"


def read_map(root):
    """What the project declares about `name`."""
    with open_project(root) as workspace:
        source = workspace.declarations.entities["thing"].sources["toy.things"]
        return source.map["name"], explain(choose_tenant(workspace, "acme"), "thing")


def test_a_second_process_parses_only_the_project_file_and_the_manifest_of_the_project(root, forget, parsed):
    first = read_map(root)
    assert {"upper(name)", "id", "models/thing.yaml"} <= set(parsed)
    forget()
    parsed.clear()
    assert read_map(root) == first
    assert sorted(parsed) == ["headwater.yaml", "toy/connector.yaml"]


def spoil(body):
    yield b""
    yield body[:-1]
    yield body[: len(body) // 2]
    yield body.replace(b"UPPER", b"LOWER")
    yield b"0" + body[1:]
    yield body.partition(b"\n")[2]
    yield b"\xff" * 100


def test_a_damaged_file_is_ignored_and_written_again(root, forget):
    expected = read_map(root)
    body = cache_file(root).read_bytes()
    assert b"UPPER" in body
    for damaged in spoil(body):
        assert damaged != body
        cache_file(root).write_bytes(damaged)
        forget()
        assert read_map(root) == expected
        assert cache_file(root).read_bytes() == body


def test_a_file_of_the_right_versions_with_other_contents_is_ignored(root, forget):
    expected = read_map(root)
    for payload in (b"[]", b"{}", b'{"documents": [], "templates": {}}', b'{"documents": {}, "templates": {"id": 1}}'):
        cache_file(root).write_bytes(declaration_cache._build_head(payload) + b"\n" + payload)
        forget()
        assert read_map(root) == expected


def test_a_file_of_another_version_is_ignored(root, forget, parsed, monkeypatch):
    expected = read_map(root)
    forget()
    parsed.clear()
    monkeypatch.setattr(declaration_cache, "_hash_versions", lambda: "another")
    assert read_map(root) == expected
    assert "upper(name)" in parsed


def test_versions_that_cannot_be_determined_mean_no_cache(root, forget, monkeypatch):
    def refuse():
        raise OSError

    monkeypatch.setattr(declaration_cache, "_hash_versions", refuse)
    assert read_map(root)[0] == "upper(name)"
    assert not cache_file(root).exists()


def test_an_edit_within_the_same_instant_and_of_the_same_size_is_seen(root, forget):
    path = root / "models" / "thing.yaml"
    assert read_map(root)[0] == "upper(name)"
    before = path.stat()
    path.write_text(ENTITY.replace("upper", "lower"))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert path.stat().st_size == before.st_size
    for _ in range(2):
        forget()
        assert read_map(root)[0] == "lower(name)"


def test_an_error_is_found_again_at_its_line_and_a_mended_file_is_good(root, forget):
    read_map(root)
    path = root / "models" / "thing.yaml"
    for text, message in (
        ("uper(name)", "is not in the expression language"),
        ("upper(nam)", "no column `nam`"),
        ("upper(", "cannot be parsed"),
    ):
        path.write_text(ENTITY.replace("upper(name)", text))
        for _ in range(2):
            forget()
            with pytest.raises(DeclarationErrors, match=r"models/thing\.yaml:2") as found:
                read_map(root)
            assert message in str(found.value)
    path.write_text(ENTITY)
    forget()
    assert read_map(root)[0] == "upper(name)"


def test_the_scope_is_checked_although_the_expression_is_known(root, forget):
    """The manifest changes, and the file with the expression does not."""
    read_map(root)
    manifest = root / "connectors" / "toy" / "connector.yaml"
    manifest.write_text(CONNECTOR.replace("name: text", "title: text"))
    forget()
    with pytest.raises(DeclarationErrors, match="There is no column `name`"):
        read_map(root)


def test_two_files_with_the_same_content_have_their_own_names(root, forget):
    (root / "models" / "twin.yaml").write_text(ENTITY)
    for _ in range(2):
        forget()
        with pytest.raises(DeclarationErrors, match="declared twice") as found:
            read_map(root)
        assert "models/twin.yaml:1" in str(found.value)
        assert "models/thing.yaml:1" in str(found.value)
        assert not cache_file(root).exists()


def test_a_project_that_cannot_be_written_to_works(root, forget):
    (root / ".headwater" / "cache").write_text("a file where the folder would be")
    for _ in range(2):
        forget()
        assert read_map(root)[0] == "upper(name)"


def test_a_project_that_never_ran_gets_no_folder(root, forget):
    (root / ".headwater").rmdir()
    for _ in range(2):
        forget()
        open_project(root)
    assert not (root / ".headwater").exists()


def test_the_project_file_and_manifests_of_the_project_are_not_in_the_cache(root, forget):
    read_map(root)
    body = cache_file(root).read_text()
    assert "only-in-the-project-file" not in body
    assert "toy.example" not in body
    assert "upper(name)" in body


def test_processes_that_start_at_once_find_the_same(root):
    command = [sys.executable, "-m", "headwater.cli", "check", "--project", str(root), "--json"]
    for _ in range(2):
        processes = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(4)]
        results = {process.communicate()[0] for process in processes}
        assert len(results) == 1
        assert [process.returncode for process in processes] == [0] * 4
    head, _, payload = cache_file(root).read_bytes().partition(b"\n")
    assert head == declaration_cache._build_head(payload)


@pytest.mark.parametrize(
    "text",
    [
        "{1: a}", "!!set {a, b}", "!!binary aGk=", "!!omap [a: 1]", "a: !!timestamp 2026-01-02", "9007199254740993", "[]",
        "a: &x [1]\nb: *x", "a: 1\n---\nb: 2", "{a: {1: b}}", "- 1.0\n- 1\n- true\n- ~\n- '1'", "", "# nothing",
    ],
)  # fmt: skip
def test_a_document_that_is_kept_is_the_one_that_was_parsed(text, tmp_path, forget):
    path = tmp_path / "document.yaml"
    path.write_text(text)
    expected = yaml_document.read_documents(path)
    for _ in range(2):
        assert repr(yaml_document.read_documents(path, keep=True)) == repr(expected)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text() | st.integers(), inner, max_size=3),
    max_leaves=8,
)


@given(value=VALUES, carriage=st.booleans())
def test_any_document_that_is_kept_is_the_one_that_was_parsed(value, carriage, tmp_path_factory):
    path = tmp_path_factory.mktemp("any") / "document.yaml"
    text = yaml.safe_dump(value, allow_unicode=True)
    path.write_bytes(text.replace("\n", "\r\n" if carriage else "\n").encode())
    expected = repr(yaml_document.read_documents(path))
    assert repr(yaml_document.read_documents(path, keep=True)) == expected
    assert repr(yaml_document.read_documents(path, keep=True)) == expected
