"""`connector test`: plays every scenario that applies to a connector, and reports what was lost, doubled or sent elsewhere."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from headwater.clock import Clock, SystemClock
from headwater.errors import DeclarationError, HeadwaterError
from headwater.names import did_you_mean
from headwater.run.kit.lives import build_lives
from headwater.run.kit.record_faults import RECORD_FAULTS
from headwater.run.kit.replay import REPLAY_CHECKS, replay
from headwater.run.kit.scenario import Scenario, ScenarioResult, Shape, evaluate
from headwater.run.kit.scenario_run import open_scenario_run
from headwater.run.kit.service_faults import SERVICE_FAULTS
from headwater.run.kit.shapes import choose_shapes
from headwater.run.pipeline.context import never_stop
from headwater.run.plugins import InstalledConnector, load_connector_folder, load_connector_plugin
from headwater.testing.kit.recording import load_recordings

SCENARIOS = (*RECORD_FAULTS, *SERVICE_FAULTS)
"""All scenarios."""

ScenarioListener = Callable[[str, str, ScenarioResult | None], None]
"""Called twice for each scenario, with its name and the resource: with None when it starts, and with its result."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectorTestOptions:
    """What to test of a connector, and how."""

    resources: tuple[str, ...] = ()
    """Only these resources. Default: one of each way in which resources are read."""
    only: tuple[str, ...] = ()
    """Only these scenarios."""
    seed: int = 1
    """The seed of the records."""
    lives: int = 1
    """How many random sequences of changes and faults each resource lives through."""
    recordings: Path | None = None
    """The folder of the recorded pages; see `find_recordings`."""
    stop: Callable[[], bool] = never_stop


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectorTestReport:
    """The result of a test of a connector."""

    connector: str
    seed: int
    shapes: dict[str, str]
    """The tested resources, and how each is read."""
    results: tuple[ScenarioResult, ...]
    seconds: float
    covered: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """By tested resource: the others that are read in the same way."""
    stopped: bool = False
    """Whether the test was stopped before all scenarios were played."""

    @property
    def outcome(self) -> str:
        """`passed`, `failed` if a scenario failed or none was played, or `stopped` if it was stopped before one failed."""
        counts = self.counts
        if self.stopped and not counts["failed"]:
            return "stopped"
        return "failed" if counts["failed"] or not counts["passed"] + counts["reported"] else "passed"

    @property
    def counts(self) -> Counter[str]:
        """The number of results by outcome."""
        return Counter(result.outcome for result in self.results)

    @property
    def exit_code(self) -> int:
        """0 if all scenarios were played and none failed, else 1."""
        return 0 if self.outcome == "passed" else 1

    @property
    def failures(self) -> tuple[ScenarioResult, ...]:
        """The scenarios that failed."""
        return tuple(result for result in self.results if result.outcome == "failed")


def find_connector(name: str, root: Path | None = None) -> InstalledConnector:
    """The connector in the folder `name`, in the project at `root`, or installed. DeclarationError if there is none."""
    folders = [Path(name), *([root / name] if root is not None else [])]
    for folder in folders:
        if (folder / "connector.yaml").is_file():
            return load_connector_folder(folder)
    if "/" in name or folders[0].is_dir():
        raise DeclarationError(
            "This folder has no connector.",
            where="connector test",
            details=name,
            hint="a connector is a folder with `connector.yaml`; `headwater connector new NAME` creates one",
        )
    return load_connector_plugin(name, root=root, where="connector test")


def run_connector_test(
    plugin: InstalledConnector,
    options: ConnectorTestOptions,
    listen: ScenarioListener | None = None,
    *,
    clock: Clock | None = None,
) -> ConnectorTestReport:
    """Play the scenarios. DeclarationError if the options name a resource or a scenario that does not exist."""
    clock = clock or SystemClock()
    begin, scenarios = clock.monotonic(), _choose_scenarios(options)
    shapes = choose_shapes(plugin.connector, options.resources)
    results = _replay_all(plugin, options)
    for scenario, shape in _list_plays(scenarios, shapes, all_of=bool(options.resources)):
        if options.stop():
            break
        _report(listen, scenario, shape, None)
        results.append(_play(plugin, scenario, shape, seed=options.seed, clock=clock))
        _report(listen, scenario, shape, results[-1])
    return ConnectorTestReport(
        connector=plugin.connector.connector,
        seed=options.seed,
        shapes={shape.resource.resource: shape.label for shape in shapes},
        results=tuple(results),
        seconds=round(clock.monotonic() - begin, 3),
        covered={shape.resource.resource: shape.others for shape in shapes},
        stopped=options.stop(),
    )


def find_recordings(plugin: InstalledConnector, root: Path | None = None) -> Path | None:
    """The folder with the recorded pages of a connector: in the project at `root`, or beside its manifest."""
    places = [root / "connectors" / plugin.connector.connector if root is not None else None, plugin.folder]
    folders = [place / "recordings" for place in places if place is not None]
    return next((folder for folder in folders if folder.is_dir()), None)


def _replay_all(plugin: InstalledConnector, options: ConnectorTestOptions) -> list[ScenarioResult]:
    """The results of the recorded pages."""
    wanted = set(options.only or REPLAY_CHECKS)
    if not wanted & set(REPLAY_CHECKS):
        return []
    recordings = load_recordings(options.recordings) if options.recordings is not None else ()
    chosen = [one for one in recordings if not options.resources or one.resource in options.resources]
    results = [result for recording in chosen for result in replay(plugin, recording) if result.scenario in wanted]
    if not chosen:
        nothing = "there are no recorded pages: `headwater connector record` reads some from the service"
        results = [
            ScenarioResult(scenario="recorded", resource="", outcome="not_applicable", promise="", detail=nothing)
        ]
    return results


def _report(listen: ScenarioListener | None, scenario: Scenario, shape: Shape, result: ScenarioResult | None) -> None:
    if listen is not None:
        listen(scenario.name, shape.resource.resource, result)


def _list_plays(
    scenarios: Sequence[Scenario], shapes: Sequence[Shape], *, all_of: bool
) -> Iterator[tuple[Scenario, Shape]]:
    """Each scenario with the resources for which it is played: one of each combination of the aspects that matter to it."""
    for scenario in scenarios:
        groups: dict[object, Shape] = {}
        # A shape to which the scenario applies comes first, so that an obstacle is reported only if there is none.
        for shape in sorted(shapes, key=lambda one: bool(scenario.find_obstacle(one))):
            own = shape.resource.resource if all_of and scenario.aspects else None
            has_obstacle = bool(scenario.find_obstacle(shape))
            if has_obstacle and groups:
                continue
            groups.setdefault((own, *map(shape.get_aspect, scenario.aspects)), shape)
        yield from ((scenario, shape) for shape in groups.values())


def _play(plugin: InstalledConnector, scenario: Scenario, shape: Shape, *, seed: int, clock: Clock) -> ScenarioResult:
    resource = shape.resource.resource
    if obstacle := scenario.find_obstacle(shape):
        return ScenarioResult(
            scenario=scenario.name,
            resource=resource,
            outcome="not_applicable",
            promise=scenario.promise,
            detail=obstacle,
        )
    begin = clock.monotonic()
    declared = plugin.connector.find_resource(resource)
    assert declared is not None
    try:
        with TemporaryDirectory(prefix="headwater-kit-") as scratch:
            root = Path(scratch) / "project"
            root.mkdir()
            with open_scenario_run(plugin, declared, root, seed=seed, timeout=scenario.timeout) as trial:
                scenario.play(trial)
                return evaluate(trial, scenario, seconds=clock.monotonic() - begin)
    except HeadwaterError as error:
        return ScenarioResult(
            scenario=scenario.name,
            resource=resource,
            outcome="failed",
            promise=scenario.promise,
            detail=" ".join(str(error).split()),
            look_at=scenario.look_at,
            seconds=round(clock.monotonic() - begin, 3),
        )


def _choose_scenarios(options: ConnectorTestOptions) -> tuple[Scenario, ...]:
    scenarios = (*SCENARIOS, *build_lives(options.lives))
    names = [*REPLAY_CHECKS, *(scenario.name for scenario in scenarios)]
    for name in options.only:
        if name not in names:
            raise DeclarationError(
                "There is no such scenario.", where="--only", details=name, hint=did_you_mean(name, names)
            )
    return tuple(scenario for scenario in scenarios if not options.only or scenario.name in options.only)


def check_connector(
    connector: str | Path,
    *,
    resources: Sequence[str] = (),
    only: Sequence[str] = (),
    seed: int = 1,
    lives: int = 1,
    root: str | Path | None = None,
) -> ConnectorTestReport:
    """Test a connector as `headwater connector test` does. For the tests of a connector: AssertionError if a scenario fails.

    `connector` is the folder of a connector, a file in it such as `__file__`, the name of an installed connector, or of one of
    the project at `root`.
    DeclarationError if the manifest is invalid. Nothing is sent to the real service.
    """
    place = Path(connector).parent if Path(connector).is_file() else connector
    plugin = find_connector(str(place), None if root is None else Path(root))
    options = ConnectorTestOptions(
        resources=tuple(resources),
        only=tuple(only),
        seed=seed,
        lives=lives,
        recordings=find_recordings(plugin, None if root is None else Path(root)),
    )
    report = run_connector_test(plugin, options)
    if report.outcome != "passed":
        raise AssertionError(describe_failures(report))
    return report


def describe_failures(report: ConnectorTestReport) -> str:
    """The failures of a report, each with what to look at in the manifest."""
    if not report.failures:
        reasons = sorted({result.detail for result in report.results if result.outcome == "not_applicable"})
        return f"no scenario was played for {report.connector}: {'; '.join(reasons) or 'none was chosen'}"
    lines = [
        f"{report.connector} failed {len(report.failures)} of {len(report.results)} scenarios (seed {report.seed})"
    ]
    for result in report.failures:
        lines.append(f"{result.scenario} of {result.resource}: {result.promise}")
        lines.append(f"  found  {result.detail}")
        lines.append(f"  fix    look at {result.look_at}")
    return "\n".join(lines)
