"""The owner of a lease, `{host}:{pid}:{start}`, and whether its process is still alive.

`start` contains the boot of the machine, the process namespace, the start time of the process and a random claim id. A
process id identifies a process only within one boot and namespace, and together with the start time. If the boot or the
namespace is unknown or differs from ours, no process counts as dead, and the lease ends when it expires.
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
    namespace: str
    ticks: str


def build_lease_owner() -> str:
    """An owner for one claim by this process. Each call returns another owner, so that two runs in one process differ."""
    pid = os.getpid()
    start = "-".join((_read_boot_id(), _read_pid_namespace(), _read_start_ticks(pid) or _UNKNOWN, secrets.token_hex(3)))
    return f"{socket.gethostname()}:{pid}:{start}"


def describe_owner(text: str) -> str:
    """An owner as text for messages: `process 4711 on web1`."""
    owner = _parse_owner(text)
    return f"process {owner.pid} on {owner.host}" if owner else text


def is_dead_process(text: str) -> bool:
    """Whether the process of an owner is known to be dead. False if it is alive or if this process cannot know."""
    owner = _parse_owner(text)
    if owner is None or _UNKNOWN in (owner.boot, owner.namespace):
        return False
    if (owner.host, owner.boot, owner.namespace) != (socket.gethostname(), _read_boot_id(), _read_pid_namespace()):
        return False
    return _read_start_ticks(owner.pid) != owner.ticks


def _parse_owner(text: str) -> _LeaseOwner | None:
    host, _, rest = text.partition(":")
    pid, _, start = rest.partition(":")
    parts = start.split("-")
    if not pid.isdecimal() or len(parts) != 4:
        return None
    return _LeaseOwner(host=host, pid=int(pid), boot=parts[0], namespace=parts[1], ticks=parts[2])


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
    """When a process started, in ticks since the boot; None if it does not exist or is a zombie."""
    try:
        # the name in parentheses may contain anything, so the fields are counted from its end
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in "ZX" else fields[19]
