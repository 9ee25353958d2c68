"""The grid: a test with the fixture `engine` runs on every engine. A mark names the engines on which it cannot pass.

Three marks divide the suite. `spark` is on every test that starts Spark, and is set here, from the engine or the fixtures
of a test. `azure` is on every test that starts Azurite. `long` is on what takes minutes. `make test` runs what has none of
them, `make test-all` the rest. A fourth, `drawn`, is on the properties: `make test` draws a share of their examples,
`make test-all` draws all of them.

`notimpl` (not implemented yet), `notyet` (the engine does not support it yet), `never` (not applicable): each mark names
engines and a reason. Marks are strict: a test that passes in spite of its mark fails.
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
    """Run a test with the fixture `engine` on every engine."""
    chosen = any("engine" in mark.args[0] for mark in metafunc.definition.iter_markers("parametrize"))
    if "engine" in metafunc.fixturenames and not chosen:
        metafunc.parametrize("engine", NAMES, indirect=True, scope="module")


def pytest_configure(config):
    """Leave out `long` tests if no marks are selected."""
    config.option.markexpr = config.option.markexpr or "not long"


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Convert marks to strict xfail. Sort slow tests first, so that they do not delay the end."""
    items.sort(key=_place)
    for item in items:
        engine = getattr(item, "callspec", None) and item.callspec.params.get("engine")
        if engine == "spark" or "java" in item.fixturenames:
            item.add_marker("spark")
            # A test that is stopped within a call to the JVM leaves an answer unread, and every later test reads it.
            if not item.get_closest_marker("timeout"):
                item.add_marker(pytest.mark.timeout(SPARK_TIMEOUT))
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
"""Parts of the names of slow tests, the slowest first."""
_APART = ("kills_at_random", "same_star", "many_hostile", "many_more_events")
"""Parts of the names of slow tests that share no fixture with their module."""


def _place(item):
    return next((place for place, name in enumerate(_LONG) if name in item.nodeid), len(_LONG))


class Together(LoadScopeScheduling):
    """Assigns the tests of a module to the same process, and those on Spark separately.

    Slow tests that share no fixture with their module are assigned one by one.
    """

    def _split_scope(self, nodeid):
        if any(name in nodeid for name in _APART):
            return nodeid
        module = nodeid.partition("::")[0]
        return f"{module} on Spark" if "spark" in nodeid else module


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Distribute the tests with `Together`."""
    return Together(config, log)


BUDGET = {"spark": int(os.environ.get("HEADWATER_SPARK_EXAMPLES", "2"))}
"""Maximum number of examples of a property by engine, where each example takes seconds."""
SPARK_TIMEOUT = 1200
"""The maximum time of a test on Spark, in seconds: several times what the slowest one takes on an idle machine."""
SHARE = float(os.environ.get("HEADWATER_SHARE", "1"))
"""The share of the examples that each property draws."""


def count_examples(engine, examples, share=SHARE):
    """Return how many of the `examples` of a property are drawn."""
    return min(math.ceil(share * examples), BUDGET.get(engine, examples))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    """Draw fewer examples on a slow engine, or if a share is set."""
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
    """Starts engines, each of them once."""
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
    """Java for Spark. A test that starts Spark uses this fixture or `spark_engine`, and therefore has the mark `spark`."""
    skip_without_java()


@pytest.fixture(scope="session")
def spark_engine(java):
    """Spark, started once."""
    with grid.spark_engine() as started:
        yield started
        started.clear()


@pytest.fixture(scope="module")
def engine(request, engines):
    """An engine of the grid. After the tests of a module, its data is deleted."""
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
    """Fail the session if an engine was left out and CI=true is set."""
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
