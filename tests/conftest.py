"""The grid: a test that takes `engine` runs on every engine, and says with a mark where one cannot follow.

Three marks divide the suite. `spark` is on every test that starts Spark, and is set here, from the engine or the fixtures
of a test. `azure` is on every test that starts Azurite. `long` is on what takes minutes. `make test` runs what has none of
them, `make test-all` the rest. A fourth, `drawn`, is on the properties: `make test` draws a share of their examples,
`make test-all` draws all of them.

`notimpl` (we could, and have not yet), `notyet` (the engine must first), `never` (it makes no sense there): each names
engines and a reason, and each is strict: a test that passes in spite of its mark fails.
"""

from __future__ import annotations

import math
import os
from contextlib import ExitStack

import pytest
from hypothesis import settings
from xdist.scheduler import LoadScopeScheduling

from tests.grid import engines as grid
from tests.grid.engines import NAMES, OPENERS
from tests.grid.spark_session import must_run, notice, skip_without_java
from tests.storage import bucket as buckets
from tests.storage import container as containers

MARKS = ("notimpl", "notyet", "never")


def pytest_generate_tests(metafunc):
    """Every engine, one after the other, for a test that takes one."""
    chosen = any("engine" in mark.args[0] for mark in metafunc.definition.iter_markers("parametrize"))
    if "engine" in metafunc.fixturenames and not chosen:
        metafunc.parametrize("engine", NAMES, indirect=True, scope="module")


def pytest_configure(config):
    """Where no marks are chosen, what is `long` is left out."""
    config.option.markexpr = config.option.markexpr or "not long"


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Marks become expectations: xfail, strict. What takes long comes first, so that nobody waits for it at the end."""
    items.sort(key=_place)
    for item in items:
        engine = getattr(item, "callspec", None) and item.callspec.params.get("engine")
        if engine == "spark" or "java" in item.fixturenames:
            item.add_marker("spark")
        if "azurite" in item.fixturenames:
            item.add_marker("azure")
        if getattr(getattr(item, "obj", None), "is_hypothesis_test", False):
            item.add_marker("drawn")
        for mark in item.iter_markers():
            if mark.name not in MARKS:
                continue
            if not mark.kwargs.get("reason") or not set(mark.args) <= set(NAMES):
                msg = f"{item.nodeid}: {mark.name} names engines and a reason"
                raise pytest.UsageError(msg)
            if engine in mark.args:
                item.add_marker(pytest.mark.xfail(reason=f"{mark.name}: {mark.kwargs['reason']}", strict=True))


_LONG = (
    "spark",
    "kills_at_random",
    "many_hostile",
    "same_star",
    "tests/docs/test_tutorial",
    "tests/cli/test_demo",
    "tests/e2e/test_star",
    "tests/testing/conformance/",
    "tests/silver/",
    "tests/e2e/",
    "tests/gold/",
)
"""What tests are called that take long, the longest first."""
_APART = ("kills_at_random", "same_star", "many_hostile", "many_more_events")
"""What tests are called that take long and share no fixture with their module."""


def _place(item):
    return next((place for place, name in enumerate(_LONG) if name in item.nodeid), len(_LONG))


class Together(LoadScopeScheduling):
    """Which tests one process is given together: those of a module, and of these again those on Spark.

    What takes long and has nothing in common with its module is given away by itself.
    """

    def _split_scope(self, nodeid):
        if any(name in nodeid for name in _APART):
            return nodeid
        module = nodeid.partition("::")[0]
        return f"{module} on Spark" if "spark" in nodeid else module


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Several processes share the tests in this way."""
    return Together(config, log)


BUDGET = {"spark": int(os.environ.get("HEADWATER_SPARK_EXAMPLES", "2"))}
"""How many examples a property draws on an engine, where that is fewer than it asks for: each costs seconds there."""
SHARE = float(os.environ.get("HEADWATER_SHARE", "1"))
"""The share of its examples that each property draws."""


def count_examples(engine, asked, share=SHARE):
    """How many examples a property draws that asks for so many."""
    return min(math.ceil(share * asked), BUDGET.get(engine, asked))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    """Fewer examples on a slow engine, and where a share is asked for."""
    engine = getattr(item, "callspec", None) and item.callspec.params.get("engine")
    test = getattr(item, "obj", None)
    drawn = getattr(test, "_hypothesis_internal_use_settings", None)
    if drawn is None or not hasattr(test, "hypothesis"):
        return (yield)
    test._hypothesis_internal_use_settings = settings(drawn, max_examples=count_examples(engine, drawn.max_examples))
    try:
        return (yield)
    finally:
        test._hypothesis_internal_use_settings = drawn


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


@pytest.fixture(scope="session")
def java():
    """Java, for Spark to run on. A test that starts Spark asks for this or for `spark_engine`, and so is marked `spark`."""
    skip_without_java()


@pytest.fixture(scope="session")
def spark_engine(java):
    """Spark, started once."""
    with grid.spark_engine() as started:
        yield started
        started.clear()


@pytest.fixture(scope="module")
def engine(request, engines):
    """An engine of the grid. What a module's tests opened on it is erased behind them."""
    found = request.getfixturevalue("spark_engine") if request.param == "spark" else engines(request.param)
    usual, found.flavour = found.flavour, getattr(request.module, "FLAVOURS", {}).get(request.param, found.flavour)
    yield found
    found.clear()
    found.flavour = usual


def pytest_terminal_summary(terminalreporter):
    """Say so when an engine was left out."""
    skipped = terminalreporter.stats.get("skipped", ())
    for text in (notice(skipped), containers.describe_skips(skipped)):
        if text:
            terminalreporter.write_sep("=", text, yellow=True, bold=True)


@pytest.hookimpl(wrapper=True)
def pytest_sessionfinish(session):
    """Where CI=true is set, leaving an engine out is a failure."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if must_run() and reporter and notice(reporter.stats.get("skipped", ())):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
    return (yield)


@pytest.fixture(scope="session")
def object_store():
    """An object store on this machine; its address."""
    with buckets.run_server() as endpoint:
        yield endpoint


@pytest.fixture
def bucket(object_store):
    """A bucket that is there and empty; its address."""
    return buckets.create_bucket(object_store, "lakehouse")


@pytest.fixture(scope="session")
def azurite():
    """The emulator of Azure Storage; its address. A test that asks for it has the mark `azure`."""
    containers.skip_without_azurite()
    with containers.start_azurite() as endpoint:
        yield endpoint


@pytest.fixture
def container(azurite):
    """An empty container of Azure Storage; its URL."""
    return containers.create_container(azurite)


@pytest.fixture(params=["bucket", pytest.param("container", marks=pytest.mark.azure)])
def object_url(request):
    """The URL of an empty bucket or container."""
    return request.getfixturevalue(request.param)
