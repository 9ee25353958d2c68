"""Describes the installation for bug reports: versions of Headwater, Python and libraries, and the plug-ins.

The data comes from the metadata of installed packages. It imports nothing, and reads neither paths nor the environment.
"""

from __future__ import annotations

import platform
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, entry_points, requires, version

from headwater.version import __version__

DISTRIBUTION = "headwater"
_REQUIREMENT = re.compile(r"(?P<name>[\w.-]+).*?(?:;.*extra == ['\"](?P<extra>[\w-]+)['\"])?$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Plugin:
    """An entry point in a group of Headwater."""

    group: str
    name: str
    package: str
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """The installed version of Headwater, and its environment."""

    version: str
    python: str
    platform: str
    libraries: Mapping[str, str | None]
    """The versions of the required libraries; None for a library that is not installed."""
    extras: Mapping[str, bool]
    """Whether all libraries of each extra are installed."""
    plugins: tuple[Plugin, ...]


def describe_installation() -> Installation:
    """Describe the current installation."""
    required = list(_read_requirements())
    libraries = {name: _find_version(name) for name, _ in sorted(required)}
    needed: dict[str, list[str]] = {}
    for name, extra in required:
        if extra:
            needed.setdefault(extra, []).append(name)
    return Installation(
        version=__version__,
        python=f"{platform.python_implementation()} {platform.python_version()}",
        platform=platform.platform(),
        libraries=libraries,
        extras={extra: all(libraries[name] for name in names) for extra, names in sorted(needed.items())},
        plugins=tuple(sorted(_find_plugins(), key=lambda plugin: (plugin.group, plugin.name))),
    )


def _read_requirements() -> Iterator[tuple[str, str]]:
    """The required libraries, each with the extra that requires it, or "" if no extra does."""
    for line in requires(DISTRIBUTION) or ():
        if match := _REQUIREMENT.match(line):
            yield match["name"].lower(), match["extra"] or ""


def _find_version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _find_plugins() -> Iterator[Plugin]:
    ours = f"{DISTRIBUTION}."
    for group in entry_points().groups:
        for point in entry_points(group=group) if group.startswith(ours) else ():
            package, number = (point.dist.name, point.dist.version) if point.dist else ("unknown", "")
            yield Plugin(group=group.removeprefix(ours), name=point.name, package=package, version=number)
