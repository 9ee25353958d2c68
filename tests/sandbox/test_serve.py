from __future__ import annotations

import socket
import subprocess
import sys

import httpx2
import pytest

from headwater.errors import DeclarationError
from headwater.sandbox.__main__ import main
from headwater.sandbox.service import serve


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
            answer = httpx2.get(f"{url}/_sandbox/state")
        finally:
            process.terminate()
    assert url.startswith("http://127.0.0.1:")
    assert answer.json()["clock"] == "2025-10-01T00:00:00Z"


def test_a_taken_port_is_said_in_four_slots(capsys):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["connectwise", "--port", str(port)]) == 1
    assert "cannot listen" in capsys.readouterr().err


def test_an_unknown_service_is_a_wrong_declaration():
    with pytest.raises(DeclarationError, match="not simulated"):
        serve("connectwize")
