"""The grid: a test that takes `engine` runs on every engine, and says with a mark where one cannot follow.

`notimpl` (we could, and have not yet), `notyet` (the engine must first), `never` (it makes no sense there): each names
engines and a reason, and each is strict: a test that passes in spite of its mark fails.
"""

from __future__ import annotations

from contextlib import ExitStack

import pytest

from tests.grid.engines import NAMES, OPENERS

MARKS = ("notimpl", "notyet", "never")


def pytest_generate_tests(metafunc):
    """Every engine, one after the other, for a test that takes one."""
    chosen = any("engine" in mark.args[0] for mark in metafunc.definition.iter_markers("parametrize"))
    if "engine" in metafunc.fixturenames and not chosen:
        metafunc.parametrize("engine", NAMES, indirect=True, scope="module")


def pytest_collection_modifyitems(items):
    """Marks become expectations: xfail, strict. The longest test comes first, so that nobody waits for it at the end."""
    items.sort(key=lambda item: "fifty_kills" not in item.name)
    for item in items:
        engine = getattr(item, "callspec", None) and item.callspec.params.get("engine")
        for mark in item.iter_markers():
            if mark.name not in MARKS:
                continue
            if not mark.kwargs.get("reason") or not set(mark.args) <= set(NAMES):
                msg = f"{item.nodeid}: {mark.name} names engines and a reason"
                raise pytest.UsageError(msg)
            if engine in mark.args:
                item.add_marker(pytest.mark.xfail(reason=f"{mark.name}: {mark.kwargs['reason']}", strict=True))


@pytest.fixture(scope="session")
def engines():
    """The engines that were asked for so far, each started once."""
    started = {}
    with ExitStack() as stack:

        def start(name):
            if name not in started:
                started[name] = stack.enter_context(OPENERS[name]())
                stack.callback(started[name].clear)
            return started[name]

        yield start


@pytest.fixture(scope="module")
def engine(request, engines):
    """An engine of the grid. What a module's tests opened on it is erased behind them."""
    found = engines(request.param)
    yield found
    found.clear()
