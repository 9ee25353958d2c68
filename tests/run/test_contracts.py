"""The fields of a connector's contracts are data; the classes are built when a record is read."""

from __future__ import annotations

import ast
import importlib
import itertools
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from headwater.connectors.connectwise import schemas
from headwater.errors import DeclarationError
from headwater.model import contract_module
from headwater.model.contract_module import is_closed, load_module
from headwater.model.field import build_nodes, list_contract_fields
from headwater.model.memo import Memo
from headwater.run import plugins

CONNECTWISE = Path(schemas.__file__)
MANIFEST = """\
connector: toy
base_url: "https://toy.example"
auth: {kind: none}
resources:
  - {resource: things, path: things, key: [id], contract: Thing}
  - {resource: parts, path: parts, key: [id], fields: {id: bigint, "maker.name": text}}
"""
HEADER = "from headwater.model.field_types import Record, Whole\n"
THING = HEADER + "class Thing(Record):\n    id: Whole\n    name: str | None = None\n"


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A connector of another distribution. `import_package(text)` gives its contracts a text, in a new process."""
    folder = tmp_path / "toy_plugin"
    folder.mkdir()
    (folder / "__init__.py").touch()
    (folder / "connector.yaml").write_text(MANIFEST)
    (folder / "types.py").write_text("from headwater.model.field_types import Whole as Number\n")
    monkeypatch.syspath_prepend(tmp_path)
    point = type("Point", (), {"value": "toy_plugin"})
    seconds = itertools.count(1_700_000_000)
    monkeypatch.setattr(plugins, "_find_entry_point", lambda group, name: point)

    def import_package(text):
        for name in [name for name in sys.modules if name.partition(".")[0] == "toy_plugin"]:
            del sys.modules[name]
        importlib.invalidate_caches()
        (folder / "schemas.py").write_text(text)
        # Python takes byte code for current if the size and the second of the text are the same.
        os.utime(folder / "schemas.py", (next(seconds), next(seconds)))
        return plugins.load_connector_plugin("toy")

    monkeypatch.setattr(contract_module, "NODES", Memo())
    monkeypatch.setattr("headwater.run.contracts.NODES", contract_module.NODES)
    yield import_package
    for name in [name for name in sys.modules if name.partition(".")[0] == "toy_plugin"]:
        del sys.modules[name]


def read_fields(plugin):
    return [(field.dotted, field.dtype) for field in plugin.get_fields("things")]


def test_the_fields_of_connectwise_are_those_of_its_classes():
    plugin = plugins.load_connector_plugin("connectwise")
    names = [resource.contract for resource in plugin.connector.resources]
    module = load_module(CONNECTWISE.read_bytes())
    assert [build_nodes(getattr(module, name)) for name in names] == [
        build_nodes(getattr(schemas, name)) for name in names
    ]
    for name, contract in plugin.contracts.items():
        assert plugin.get_fields(name) == list_contract_fields(contract)


def test_a_second_process_does_not_build_the_classes(tmp_path):
    program = (
        "import sys; from headwater.cli.main import run_command; print(run_command(sys.argv[1:])); print(*sys.modules)"
    )
    root = str(tmp_path / "msp")
    outputs = []
    (tmp_path / "msp" / ".headwater").mkdir(parents=True)
    for words in (
        ("init", root, "--blueprint", "msp", "--connector", "connectwise"),
        *[("check", "--project", root)] * 2,
    ):
        command = [sys.executable, "-c", program, *words]
        outputs.append(subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines())
        declared = tmp_path / "msp" / "headwater.yaml"
        declared.write_text(declared.read_text().replace("CHANGE-ME", "acme"))
    assert [output[-2] for output in outputs] == ["0", "0", "0"]
    executed = ["headwater_contracts_" in output[-1] for output in outputs]
    assert executed[1:] == [True, False]
    assert not [output for output in outputs if "headwater.connectors.connectwise.schemas" in output[-1].split()]
    assert outputs[1][:-1] == outputs[2][:-1]
    entries = json.loads((tmp_path / "msp/.headwater/cache/declarations.json").read_bytes().partition(b"\n")[2])
    assert len(entries["nodes"]) == 1


def test_the_classes_of_another_distribution_come_from_the_text_that_was_read(package):
    assert read_fields(package(THING)) == [("id", "bigint"), ("name", "text")]
    again = package(THING)
    assert read_fields(again) == [("id", "bigint"), ("name", "text")]
    assert list(again.contracts["things"].model_fields) == ["id", "name"]
    assert "toy_plugin.schemas" not in sys.modules


def test_classes_that_are_imported_already_are_used(package):
    plugin = package(THING)
    imported = importlib.import_module("toy_plugin.schemas")
    assert read_fields(plugin) == [("id", "bigint"), ("name", "text")]
    assert plugin.contracts["things"] is imported.Thing


def test_another_text_of_the_same_size_has_its_own_fields(package):
    assert read_fields(package(THING))[1] == ("name", "text")
    assert read_fields(package(THING.replace("name", "city")))[1] == ("city", "text")


def test_a_module_that_depends_on_another_one_is_imported_each_time(package):
    text = THING.replace(
        HEADER, "from headwater.model.field_types import Record\nfrom toy_plugin.types import Number as Whole\n"
    )
    for _ in range(2):
        assert read_fields(package(text)) == [("id", "bigint"), ("name", "text")]
        assert "toy_plugin.schemas" in sys.modules
    (Path(sys.modules["toy_plugin"].__file__).parent / "types.py").write_text(
        "from headwater.model.field_types import Instant as Number\n"
    )
    assert read_fields(package(text))[0] == ("id", "timestamp")


def test_stale_byte_code_decides_nothing(package, tmp_path):
    """Python takes byte code for current if the size and the second of the text are the same."""
    for text, field in ((THING, "name"), (THING.replace("name", "city"), "city")):
        plugin = package(text)
        os.utime(tmp_path / "toy_plugin" / "schemas.py", (1_700_000_000, 1_700_000_000))
        assert read_fields(plugin)[1] == (field, "text")
        assert list(plugin.contracts["things"].model_fields) == ["id", field]
        subprocess.run([sys.executable, "-c", "import toy_plugin.schemas"], check=True, cwd=tmp_path)


def test_threads_meet_no_module_in_part():
    body = CONNECTWISE.read_bytes() + b"\nOF_THREADS = 1\n"
    with ThreadPoolExecutor(4) as threads:
        modules = list(threads.map(lambda _: dict(vars(load_module(body))), range(4)))
    assert ["OF_THREADS" in module for module in modules] == [True] * 4


def test_a_contract_that_does_not_exist_is_an_error_each_time(package):
    for _ in range(2):
        with pytest.raises(DeclarationError, match="names a contract that does not exist"):
            package(THING.replace("Thing", "Other")).list_fields()


def test_declared_fields_are_those_of_their_class(package):
    plugin = package(THING)
    for _ in range(2):
        assert plugin.get_fields("parts") == list_contract_fields(plugin.contracts["parts"])


@pytest.mark.parametrize(
    "text",
    [
        "import os", "from toy import x", "from . import x", "x = open('a')", "if True:\n    x = 1",
        "class A(Record):\n    if True:\n        id: int", "class A(Record, metaclass=M):\n    pass",
        "@dataclass\nclass A(Record):\n    pass", "class A(Record):\n    id: make_type()", "x = lambda: 1",
        "class A(Record):\n    def f(self): ...", "from pydantic import create_model\nA = create_model('A')",
        "A = [B for B in C if D()]", "x = (y := 1)", "class A(Record):\n    import os",
    ],
)  # fmt: skip
def test_a_module_that_could_depend_on_more_is_not_closed(text):
    assert not is_closed(ast.parse(HEADER + text))


def test_a_generated_module_is_closed():
    assert is_closed(ast.parse(CONNECTWISE.read_bytes()))
    assert is_closed(ast.parse(THING))
