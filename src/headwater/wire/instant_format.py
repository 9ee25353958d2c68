"""Instants as services want them in requests, and as they send them in records."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from email.utils import format_datetime
from typing import Any, Literal
from zoneinfo import ZoneInfo

from headwater.clock import format_instant, from_micros, parse_instant, to_micros

Style = Literal["iso", "epoch", "epoch_ms", "http"]
"""The formats with a name."""

_BEGINNING = datetime(1970, 1, 1)  # noqa: DTZ001 - a wall clock
_DATE_CALL = re.compile(r"/Date\((-?\d+)(?:[+-]\d{4})?\)/")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """A bound of a window as it is sent."""

    text: str
    """The text in the request."""
    instant: datetime
    """The instant farthest outside of the window that the text may mean."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InstantFormat:
    """How to write an instant so that the service requests no record less, whatever its grain and its zone.

    At the end of daylight saving time, an hour of wall-clock time occurs twice, and the service may mean either.
    """

    style: Style = "iso"
    pattern: str = ""
    """The codes of strftime. It overrides `style`."""
    zone: str = "UTC"
    """The zone of the texts without an offset."""
    grain: timedelta = timedelta(seconds=1)

    def format_since(self, instant: datetime) -> Bound:
        """The lower bound: no text that means a later instant."""
        return self._format(instant, up=False)

    def format_until(self, instant: datetime) -> Bound:
        """The upper bound: no text that means an earlier instant."""
        return self._format(instant, up=True)

    def _format(self, instant: datetime, *, up: bool) -> Bound:
        if not self.pattern or self.zone == "UTC" or instant.year < 2:
            rounded = _round(instant.astimezone(UTC).replace(tzinfo=None), self.grain, up=up)
            moment = rounded.replace(tzinfo=UTC)
            return Bound(text=self._render(moment), instant=moment)
        zone = ZoneInfo(self.zone)
        local = _round(instant.astimezone(zone).replace(tzinfo=None), self.grain, up=up)
        earliest, latest = _find_meanings(local, zone)
        if up and earliest < instant:
            local = _round(local + (instant - earliest), self.grain, up=True)
        elif not up and latest > instant:
            local = _round(local - (latest - instant), self.grain, up=False)
        earliest, latest = _find_meanings(local, zone)
        return Bound(text=self._render(local), instant=latest if up else earliest)

    def _render(self, moment: datetime) -> str:
        if self.pattern:
            # strftime does not pad years before 1000.
            return moment.strftime(self.pattern.replace("%Y", f"{moment.year:04d}"))
        if self.style == "iso":
            return format_instant(moment)
        if self.style == "http":
            return format_datetime(moment, usegmt=True)
        return str(to_micros(moment) // (1000 if self.style == "epoch_ms" else 1_000_000))

    def parse(self, value: Any) -> datetime | None:
        """Parse the stamp of a record. Return None if it is not an instant."""
        try:
            if isinstance(value, str):
                match = _DATE_CALL.fullmatch(value)
                return from_micros(1000 * int(match[1])) if match else parse_instant(value)
            if isinstance(value, int | float) and not isinstance(value, bool):
                return datetime.fromtimestamp(value / (1000 if self.style == "epoch_ms" else 1), UTC)
        except (ValueError, OverflowError, OSError):
            return None
        return None


def check_zone(name: str) -> str:
    """Return `name` if it is a time zone. Raise ValueError otherwise."""
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        msg = f"`{name}` is not a time zone (use a name such as Europe/Vienna)"
        raise ValueError(msg) from None
    return name


def _find_meanings(local: datetime, zone: tzinfo) -> tuple[datetime, datetime]:
    """The earliest and the latest instant that a wall-clock time may mean."""
    meanings = [local.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1)]
    return min(meanings), max(meanings)


def _round(local: datetime, grain: timedelta, *, up: bool) -> datetime:
    step = max(grain, timedelta(microseconds=1))
    whole, rest = divmod(local - _BEGINNING, step)
    return _BEGINNING + (whole + (1 if up and rest else 0)) * step
