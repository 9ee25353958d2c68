"""The pages say what is so: nothing is missing, no link is broken, every example loads."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from headwater import errors
from headwater.cli import errors as failure
from headwater.cli.lazy_command import find_commands
from headwater.model.expression import find_names
from headwater.model.expression_tree import FUNCTIONS
from headwater.model.load import load_connector, load_declarations, load_project
from headwater.model.project import Project
from headwater.model.yaml_document import read_documents
from headwater.run.plugins import find_warehouse_settings
from headwater.testing.golden import compare_golden
from tests.docs.connector_page import connectors_page
from tests.docs.pages import DOCS, INTERNAL, SECTIONS, all_nouns, cli_page, command_words, declarations_page, nouns

ROOT = DOCS.parent
PAGES = sorted([*DOCS.rglob("*.md"), *ROOT.glob("*.md")])
KINDS = {"getting-started", "guides", "concepts", "reference", "decisions"}

_FENCE = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^(#+) (.+)$", re.MULTILINE)


def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def without_fences(text: str) -> str:
    return _FENCE.sub("", text)


def headings(path: Path) -> list[str]:
    return [title.strip() for _, title in _HEADING.findall(without_fences(text_of(path)))]


def anchor(title: str) -> str:
    """A heading's address, the way forges make it."""
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


@pytest.mark.golden
def test_the_page_of_the_command_line_is_made_from_its_help():
    compare_golden(DOCS / "reference" / "cli.md", cli_page())


@pytest.mark.golden
def test_the_page_of_declarations_is_made_from_the_nouns():
    compare_golden(DOCS / "reference" / "declarations.md", declarations_page())


@pytest.mark.golden
def test_the_page_of_connectors_is_made_from_their_manifests():
    compare_golden(DOCS / "reference" / "connectors.md", connectors_page())


def test_every_command_has_a_heading():
    known = headings(DOCS / "reference" / "cli.md")
    assert not [words for words in command_words() if f"headwater {' '.join(words)}" not in known]


@pytest.mark.parametrize("name", find_commands())
def test_a_command_is_named_on_the_page(name):
    assert f"headwater {name}" in headings(DOCS / "reference" / "cli.md")


def test_every_noun_has_a_heading():
    known = headings(DOCS / "reference" / "declarations.md")
    listed = {noun for _, _, modules in SECTIONS for module in modules for noun in nouns(module)}
    missing = [noun.__name__ for noun in all_nouns() if noun not in INTERNAL and noun.__name__ not in known]
    assert not missing
    assert listed <= set(all_nouns())


def test_every_error_has_a_heading_and_its_exit_code():
    page = text_of(DOCS / "reference" / "errors.md")
    kinds = {
        kind
        for module in (errors, failure)
        for kind in vars(module).values()
        if isinstance(kind, type) and issubclass(kind, errors.HeadwaterError | errors.Cancelled)
    }
    known = headings(DOCS / "reference" / "errors.md")
    assert not [kind.__name__ for kind in kinds if kind.__name__ not in known]
    for kind in kinds - {errors.Cancelled}:
        section = page.split(f"## {kind.__name__}\n")[1].split("\n## ")[0]
        assert f"Exit code {kind.exit_code}" in section, kind.__name__


def test_every_function_of_the_expression_language_is_on_its_page():
    page = text_of(DOCS / "reference" / "expressions.md")
    assert not [name for name in FUNCTIONS if f"`{name}(" not in page]


def test_every_page_is_of_one_of_the_kinds():
    strange = [
        path for path in DOCS.rglob("*.md") if path.parent != DOCS and path.relative_to(DOCS).parts[0] not in KINDS
    ]
    assert not strange


def test_the_index_leads_to_every_page():
    index = text_of(DOCS / "README.md")
    linked = {(DOCS / target.split("#")[0]).resolve() for target in _LINK.findall(index) if "://" not in target}
    missing = [path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md") if path.resolve() not in linked]
    assert not [name for name in missing if name != "README.md"]


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_no_link_leads_nowhere(path):
    for target in _LINK.findall(without_fences(text_of(path))):
        if re.match(r"[a-z]+:", target):
            continue
        file, _, part = target.partition("#")
        other = (path.parent / file).resolve() if file else path
        assert other.exists(), f"{path.name} links to {target}"
        if part and other.suffix == ".md":
            assert part in {anchor(title) for title in headings(other)}, f"{path.name} links to {target}"


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_page_has_one_title_and_no_heading_twice(path):
    found = _HEADING.findall(without_fences(text_of(path)))
    assert [level for level, _ in found].count("#") == 1
    if path.name not in {"CHANGELOG.md", "declarations.md"}:
        titles = [title for _, title in found]
        assert len(titles) == len(set(titles))


def yaml_blocks():
    for path in PAGES:
        for number, (language, text) in enumerate(_FENCE.findall(text_of(path)), 1):
            if language == "yaml":
                yield pytest.param(text, id=f"{path.relative_to(ROOT).as_posix()}-{number}")


@pytest.mark.parametrize("text", list(yaml_blocks()))
def test_a_declaration_that_is_shown_loads(text, tmp_path):
    shown = tmp_path / "shown.yaml"
    shown.write_text(text, encoding="utf-8")
    keys = {key for document in read_documents(shown) for key in document.values}
    if "connector" in keys:
        assert load_connector(shown).resources
    elif keys & {"entity", "dimension", "fact", "rules"}:
        found = load_declarations(tmp_path)
        assert found.entities or found.dimensions or found.facts or found.rules
    elif keys <= set(Project.model_fields):
        needed = "" if "version" in keys else "version: 1\nname: shown\n"
        (tmp_path / "headwater.yaml").write_text(needed + text, encoding="utf-8")
        assert load_project(tmp_path, find_warehouse_settings)
    else:
        pytest.fail("a block of yaml is a project, a connector or a declaration; a part of one is `text`")


def test_every_decision_is_numbered_and_says_context_decision_and_consequences():
    pages = sorted((DOCS / "decisions").glob("*.md"))
    assert [int(path.name[:4]) for path in pages] == list(range(1, len(pages) + 1))
    for path in pages:
        assert {"Context", "Decision", "Consequences"} <= set(headings(path)), path.name


def test_the_changelog_keeps_its_form():
    found = headings(ROOT / "CHANGELOG.md")
    assert found[:2] == ["Changelog", "[Unreleased]"]
    assert set(found[2:]) <= {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"} | {
        title for title in found if re.fullmatch(r"\[\d+\.\d+\.\d+\] - \d{4}-\d{2}-\d{2}", title)
    }


def test_every_word_of_the_glossary_is_one_thing():
    rows = re.findall(r"^\| ([^|]+) \| ([^|]+) \|$", text_of(DOCS / "concepts" / "glossary.md"), re.MULTILINE)
    words = [word.strip() for word, _ in rows if word.strip() not in {"word", "---"}]
    assert len(words) == len(set(words))
    assert {"connector", "tenant", "window", "batch", "entity", "change log", "version", "quarantine"} <= set(words)


def read_expressions():
    """The expressions that the page shows: the code in the first column of its tables."""
    rows = re.findall(r"^\| (`.*?`) \|", text_of(DOCS / "reference" / "expressions.md"), re.MULTILINE)
    return [code.replace(r"\|", "|") for row in rows for code in re.findall(r"`([^`]+)`", row)]


@pytest.mark.parametrize("written", read_expressions())
def test_an_expression_that_is_shown_is_in_the_language(written):
    find_names(written, where="expressions.md:1")
