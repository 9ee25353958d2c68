"""Scenarios of a service that refuses, breaks, hangs, or has another clock. One resource of a connector is enough for them."""

from __future__ import annotations

from datetime import timedelta
from email.utils import format_datetime

from headwater.run.kit.scenario import Scenario, Shape
from headwater.run.kit.scenario_run import ScenarioRun
from headwater.testing.kit.gate import JSON, Gate
from headwater.testing.kit.http_server import Answer
from headwater.testing.kit.sample import JsonObject, dump_json, set_path
from headwater.testing.kit.weather import Weather
from headwater.wire.records import split_path

_WAIT = 20
"""Seconds for which the service asks."""


def _play_refusals(trial: ScenarioRun, answers: list[Answer], *, wait: float) -> None:
    trial.create_records()
    begin = trial.clock.monotonic()
    sync = trial.sync(Weather(refusals=answers))
    if sync.exit_code == 0 and trial.clock.monotonic() - begin < wait:
        trial.complaints.append(f"the next request came before the {wait:.0f} s for which the service asked")
    trial.recover()


def play_limit_in_seconds(trial: ScenarioRun) -> None:
    """429 with `Retry-After` in seconds."""
    answer = Answer(status=429, headers={**JSON, "Retry-After": str(_WAIT)}, body=b'{"message": "slow down"}')
    _play_refusals(trial, [answer], wait=_WAIT)


def play_limit_until_date(trial: ScenarioRun) -> None:
    """429 with `Retry-After` as a date."""
    until = format_datetime(trial.clock.now() + timedelta(seconds=_WAIT + 2), usegmt=True)
    answer = Answer(status=429, headers={**JSON, "Retry-After": until}, body=b"{}")
    _play_refusals(trial, [answer], wait=_WAIT)


def play_limit_until_epoch(trial: ScenarioRun) -> None:
    """429 with the end of the limit as an epoch."""
    until = str(int((trial.clock.now() + timedelta(seconds=_WAIT + 2)).timestamp()))
    answer = Answer(status=429, headers={**JSON, "X-RateLimit-Reset": until}, body=b"{}")
    _play_refusals(trial, [answer], wait=_WAIT)


def play_server_errors(trial: ScenarioRun) -> None:
    """500, 502 and 503, one after another."""
    answers = [Answer(status=status, headers=JSON, body=b'{"message": "broken"}') for status in (500, 502, 503)]
    _play_refusals(trial, answers, wait=0)


def play_cut_body(trial: ScenarioRun) -> None:
    """The connection breaks in the middle of a page."""
    trial.create_records()
    trial.sync(Weather(spoiled={1: Answer(is_cut=True), 3: Answer(is_cut=True)}))
    trial.recover()


def play_slow_body(trial: ScenarioRun) -> None:
    """A page stops in the middle, for longer than the timeout."""
    trial.create_records()
    trial.sync(Weather(spoiled={1: Answer(delay=1.4)}))
    trial.recover()


def play_outage(trial: ScenarioRun) -> None:
    """The service breaks after the first page, until the next run."""
    trial.create_records()
    if not trial.sync(Weather(broken_from=2)).is_reported:
        trial.complaints.append("a run that could not read everything ended as if it had")
    trial.recover()


def play_redirect(trial: ScenarioRun) -> None:
    """A page is redirected to another host."""
    trial.create_records()
    trial.sync(Weather(redirects_to=trial.stranger.url))
    trial.recover()


def play_expired_token(trial: ScenarioRun) -> None:
    """The service forgets the token in the middle of a read."""
    trial.create_records()
    before = trial.service.gate.issued
    trial.sync(Weather(expires_at=2))
    if trial.service.gate.issued < before + 2 and not trial.syncs[-1].is_reported:
        trial.complaints.append("no new token was requested")
    trial.recover()


def play_error_in_200(trial: ScenarioRun) -> None:
    """An answer with status 200 has an error inside."""
    trial.create_records()
    rule = next(one for one in trial.service.connector.errors if _is_hidden_error(one.status, one.field, one.means))
    body: JsonObject = {}
    value = rule.equals or "broken"
    set_path(body, split_path(rule.field), {"true": True, "false": False}.get(value.lower(), value))
    sync = trial.sync(Weather(refusals=[Answer(headers=JSON, body=dump_json(body))]))
    if rule.means == "failed" and not sync.is_reported:
        trial.complaints.append("an error inside of an answer 200 was taken for a page")
    trial.recover()


def play_wrong_clock(trial: ScenarioRun) -> None:
    """The clock of the service is three hours ahead, then three hours behind."""
    trial.create_records()
    trial.sync(Weather(clock_shift=timedelta(hours=3)))
    trial.things.change(3, trial.clock.now())
    trial.clock.advance(timedelta(hours=1))
    trial.sync(Weather(clock_shift=-timedelta(hours=3)))
    trial.things.change(4, trial.clock.now())
    trial.wait()
    trial.sync()
    trial.wait()
    trial.sync()


def _is_hidden_error(status: tuple[int, ...], field: str, means: str) -> bool:
    return bool(field) and means in ("failed", "retry") and all(one in range(200, 300) for one in status)


def _find_paging_obstacle(shape: Shape) -> str:
    return "" if shape.is_paged else "the resource has one page"


def _find_token_obstacle(shape: Shape) -> str:
    has_expiry = Gate(connector=shape.connector, values=_Anything()).has_expiry
    return _find_paging_obstacle(shape) if has_expiry else "the credentials do not expire"


def _find_error_obstacle(shape: Shape) -> str:
    rules = [one for one in shape.connector.errors if _is_hidden_error(one.status, one.field, one.means)]
    return _find_paging_obstacle(shape) if rules else "`errors:` has no rule about an answer 200"


def _find_clock_obstacle(shape: Shape) -> str:
    return "" if shape.connector.clock is not None else "the manifest has no `clock:`"


class _Anything(dict[str, str]):
    def __contains__(self, key: object) -> bool:
        return True

    def __missing__(self, key: str) -> str:
        return key


SERVICE_FAULTS = (
    Scenario(
        name="limit-seconds", promise="a 429 with Retry-After in seconds is obeyed", play=play_limit_in_seconds,
        look_at="`limits:` (`tries`, `max_wait`)", find_obstacle=_find_paging_obstacle, aspects=(),
    ),
    Scenario(
        name="limit-date", promise="a 429 with Retry-After as a date is obeyed", play=play_limit_until_date,
        look_at="`limits:` (`tries`, `max_wait`)", find_obstacle=_find_paging_obstacle, aspects=(),
    ),
    Scenario(
        name="limit-epoch", promise="a 429 with X-RateLimit-Reset as an epoch is obeyed", play=play_limit_until_epoch,
        look_at="`limits:` (`tries`, `max_wait`)", find_obstacle=_find_paging_obstacle, aspects=(),
    ),
    Scenario(
        name="server-errors", promise="500, 502 and 503 lose no page", play=play_server_errors,
        look_at="`limits: tries`, and `errors:` about 5xx", find_obstacle=_find_paging_obstacle, aspects=(),
    ),
    Scenario(
        name="cut-body", promise="half a page is not taken for a page", play=play_cut_body,
        look_at="`limits: tries`", aspects=(),
    ),
    Scenario(
        name="slow-body", promise="a page that stops in the middle is requested again", play=play_slow_body,
        look_at="`limits:` (`timeout`, `tries`)", aspects=(), timeout="1s",
    ),
    Scenario(
        name="outage", promise="a read that dies is reported, and goes on in the next run", play=play_outage,
        look_at="`errors:` about 503", find_obstacle=_find_paging_obstacle, aspects=(),
    ),
    Scenario(
        name="redirect", promise="a redirect to another host is not followed", play=play_redirect,
        look_at="`hosts:`", find_obstacle=_find_paging_obstacle, aspects=(),
    ),
    Scenario(
        name="expired-token", promise="a token that expires during a read is renewed", play=play_expired_token,
        look_at="`auth:`, and `errors:` about 401", find_obstacle=_find_token_obstacle, aspects=(),
    ),
    Scenario(
        name="error-in-200", promise="an error inside of an answer 200 is no page", play=play_error_in_200,
        look_at="`errors:`", find_obstacle=_find_error_obstacle, aspects=(),
    ),
    Scenario(
        name="wrong-clock", promise="a wrong clock hides no change", play=play_wrong_clock,
        look_at="`clock:` and `hold_back:`", find_obstacle=_find_clock_obstacle, aspects=(),
    ),
)  # fmt: skip
"""The scenarios about a whole connector."""
