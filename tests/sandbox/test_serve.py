from __future__ import annotations

import os
import socket
import subprocess
import sys

import httpx2
import pytest

from headwater.errors import DeclarationError
from headwater.sandbox.__main__ import main
from headwater.sandbox.service import load_sandbox


def test_the_command_prints_its_url_and_serves():
    command = [
        sys.executable,
        "-m",
        "headwater.sandbox",
        "connectwise",
        "--port",
        "0",
        "--companies",
        "1",
        "--months",
        "1",
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            url = process.stdout.readline().strip()
            response = httpx2.get(f"{url}/_sandbox/state")
        finally:
            process.terminate()
    assert url.startswith("http://127.0.0.1:")
    assert response.json()["clock"] == "2025-10-01T00:00:00Z"


def test_a_port_in_use_is_an_error(capsys):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        assert main(["connectwise", "--port", str(port)]) == 1
    assert capsys.readouterr().err.startswith("error: the sandbox cannot listen\n")


def test_an_unknown_service_is_a_wrong_declaration():
    with pytest.raises(DeclarationError, match="not simulated"):
        load_sandbox("connectwize")


PACKAGE = """
class Echo:
    def add_options(self, parser):
        parser.add_argument("--word", default="")

    def build_app(self, options):
        async def app(scope, receive, send):
            if scope["type"] == "http":
                await send({"type": "http.response.start", "status": 200, "headers": []})
                await send({"type": "http.response.body", "body": options.word.encode()})

        return app
"""


def test_another_package_simulates_a_service_of_its_own(tmp_path):
    info = tmp_path / "echo_sandbox-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: echo-sandbox\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[headwater.sandboxes]\necho = echo_sandbox:Echo\n")
    (tmp_path / "echo_sandbox.py").write_text(PACKAGE)
    words = [sys.executable, "-m", "headwater.sandbox", "--word", "hello", "echo"]
    env = {**os.environ, "PYTHONPATH": str(tmp_path)}
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env=env) as process:
        try:
            response = httpx2.get(process.stdout.readline().strip())
        finally:
            process.terminate()
    assert response.text == "hello"


BARE = """
import sys
class Bare:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "uvicorn":
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Bare())
import runpy
sys.argv = sys.argv[1:]
runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
"""


@pytest.mark.parametrize(
    "words",
    [
        ("headwater.cli", "sandbox", "connectwise"),
        ("headwater.cli", "demo", "demo"),
        ("headwater.sandbox", "connectwise"),
    ],
    ids=" ".join,
)
def test_without_its_extra_the_line_to_type_is_said(words, tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", BARE, *words], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert 'pip install "headwater[sandbox]"' in done.stderr
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.iterdir())
