"""Who holds a lease: `{host}:{pid}:{start}`, and whether that process is still alive.

`start` names the machine's boot, the process namespace, the process's start time and the claim: a process id means
something only within one boot and namespace, and only together with the start time. Where one of the first two differs
from ours, or cannot be known, nobody is called dead; expiry decides then.
"""

from __future__ import annotations

import os
import secrets
import socket
from dataclasses import dataclass
from pathlib import Path

_UNKNOWN = "0"


@dataclass(frozen=True, slots=True, kw_only=True)
class _LeaseOwner:
    host: str
    pid: int
    boot: str
    space: str
    ticks: str


def lease_owner() -> str:
    """This process, as the holder of one claim; every call is another holder, so that two runs in one process differ."""
    pid = os.getpid()
    start = "-".join((_read_boot_id(), _read_pid_namespace(), _read_start_ticks(pid) or _UNKNOWN, secrets.token_hex(3)))
    return f"{socket.gethostname()}:{pid}:{start}"


def describe_owner(text: str) -> str:
    """A holder as people read it: `process 4711 on web1`."""
    seen = _parse_owner(text)
    return f"process {seen.pid} on {seen.host}" if seen else text


def is_dead_process(text: str) -> bool:
    """Whether the process of a holder is known to be dead. False when it lives, or when nobody here can tell."""
    seen = _parse_owner(text)
    if seen is None or _UNKNOWN in (seen.boot, seen.space):
        return False
    if (seen.host, seen.boot, seen.space) != (socket.gethostname(), _read_boot_id(), _read_pid_namespace()):
        return False
    return _read_start_ticks(seen.pid) != seen.ticks


def _parse_owner(text: str) -> _LeaseOwner | None:
    host, _, rest = text.partition(":")
    pid, _, start = rest.partition(":")
    parts = start.split("-")
    if not pid.isdecimal() or len(parts) != 4:
        return None
    return _LeaseOwner(host=host, pid=int(pid), boot=parts[0], space=parts[1], ticks=parts[2])


def _read_boot_id() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip().replace("-", "")[:12]
    except OSError:
        return _UNKNOWN


def _read_pid_namespace() -> str:
    try:
        return str(Path("/proc/self/ns/pid").stat().st_ino)
    except OSError:
        return _UNKNOWN


def _read_start_ticks(pid: int) -> str | None:
    """When a process started, in ticks since the boot; None when there is none, or only what is left of a dead one."""
    try:
        # the name in parentheses may hold anything, so we count from its end
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in "ZX" else fields[19]
