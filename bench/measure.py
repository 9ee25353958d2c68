"""What a piece of work costs, in a process of its own."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable


def measured(work: Callable[[], None]) -> None:
    """Do `work`, then print its seconds, CPU seconds and peak memory in MB."""
    started, before = time.perf_counter(), _cpu()
    work()
    seconds = time.perf_counter() - started
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{seconds:.3f} {_cpu() - before:.3f} {memory:.1f}")


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime
