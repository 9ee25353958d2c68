"""The ways of one drawn service: how it pages, what it can filter, how it is declared, and what it does wrong."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from random import Random


@dataclass(frozen=True, kw_only=True)
class Ways:
    """What a service is like for all its life, and how the project declares it."""

    paging: str
    """`page_number`, `link_header`, `forward_only` or `unpaged`."""
    size: int
    """Records of a page that are asked for."""
    cap: int
    """The most records of a page that are given."""
    links: bool
    """Whether a page says that there is a next one."""
    count: bool
    """Whether it says how many records a filter holds."""
    cursor: str
    """`changes` or `snapshot`."""
    knows: str
    """What of a filter it honours: `both` bounds, `since` only, or `nothing`."""
    nulls: bool
    """Whether a filter lets records through that have no stamp."""
    deletes: str
    """`sweep`, `flag`, `none`, or `snapshot` where a snapshot's own absences count."""
    verify: bool
    where: bool
    max_drop: float | None
    follows: bool
    """Whether it stamps by its own clock, which may be wrong."""

    @property
    def whole(self) -> bool:
        """Whether every read shows the contents of all records."""
        return self.cursor == "snapshot"

    @property
    def drops(self) -> bool:
        """Whether a record that is gone shall be gone."""
        return self.deletes in {"sweep", "flag", "snapshot"}

    @property
    def provable(self) -> bool:
        """Whether an honest read can be proved complete and stable by what the service says."""
        return self.paging in {"forward_only", "unpaged"} or self.count


@dataclass(frozen=True, kw_only=True)
class Weather:
    """What a service does wrong while one sync asks it."""

    date: str = "right"
    """Its clock: `right`, `behind`, `ahead`, `2062`, `jumping`."""
    counts: str = "right"
    """`right`, `capped`, `wrong`."""
    slide: int = 0
    """After this request for a page, a record on an earlier page is deleted; 0: never."""
    missing: int = 0
    """So many living ids are left out of lists of ids (of all reads, where it has no such lists)."""
    ghosts: int = 0
    """So many dead ids are shown in lists of ids."""
    twice: bool = False
    """Whether some records come twice in a read."""
    keyless: bool = False
    """Whether a record without a key is among them."""
    errors: tuple[int, ...] = ()
    """These requests are answered with 500, once each."""
    broken_from: int = 0
    """From this request on, everything is answered with 500; 0: never."""
    kill: int = 0
    """At this request the run is killed; 0: never."""
    kill_after: float = 0.0
    """The run is killed so many seconds after it was begun; 0: never."""
    edit: str = ""
    """What is changed in the manifest after this sync: `size`, `params`."""

    @property
    def kills(self) -> bool:
        return bool(self.kill or self.kill_after)


QUIET = Weather()


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """One scenario: the ways of the service, the weather of each sync, and the chance by which its records live."""

    seed: int
    ways: Ways
    weathers: tuple[Weather, ...]
    records: int
    changes: int
    kinds: tuple[str, ...] = field(default=())
    """Which kinds of changes happen."""


CHANGES = (
    "create",
    "change",
    "unmoved",
    "unstamped",
    "ancient",
    "future",
    "delete",
    "restore",
    "leave",
    "enter",
    "malform",
)
"""What may become of a record."""


def draw(seed: int) -> Scenario:
    """The scenario that a seed stands for."""
    chance = Random(seed)
    syncs = chance.randint(3, 6)
    return Scenario(
        seed=seed,
        ways=_ways(chance),
        weathers=tuple(_weather(chance) for _ in range(syncs)),
        records=chance.choice((6, 15, 40)),
        changes=chance.choice((2, 5, 9)),
        kinds=tuple(chance.sample(CHANGES, chance.randint(4, len(CHANGES)))),
    )


def _ways(chance: Random) -> Ways:
    cursor = chance.choice(("changes", "changes", "changes", "snapshot"))
    size = chance.choice((3, 7, 20))
    paging = chance.choice(("page_number", "page_number", "link_header", "forward_only", "unpaged"))
    ways = Ways(
        paging=paging,
        size=size,
        cap=chance.choice((1000, 1000, max(2, size // 2))),
        links=paging == "link_header" or chance.random() < 0.4,
        count=chance.random() < 0.5,
        cursor=cursor,
        knows=chance.choice(("both", "both", "both", "since", "since", "nothing")),
        nulls=chance.random() < 0.3,
        deletes=chance.choice(("sweep", "sweep", "sweep", "flag", "none")),
        verify=chance.random() < 0.4,
        where=chance.random() < 0.4,
        max_drop=chance.choice((1.0, 1.0, None)),
        follows=chance.random() < 0.3,
    )
    if cursor == "snapshot":
        ways = replace(ways, deletes=chance.choice(("snapshot", "snapshot", "none")), max_drop=None)
    return ways


def _weather(chance: Random) -> Weather:
    if chance.random() < 0.15:
        return QUIET

    def maybe(odds: float) -> bool:
        return chance.random() < odds

    return Weather(
        date=chance.choice(("right", "right", "right", "behind", "ahead", "2062", "jumping")),
        counts=chance.choice(("right", "right", "capped", "wrong")),
        slide=chance.randint(1, 3) if maybe(0.3) else 0,
        missing=chance.randint(1, 2) if maybe(0.25) else 0,
        ghosts=chance.randint(1, 2) if maybe(0.2) else 0,
        twice=maybe(0.2),
        keyless=maybe(0.1),
        errors=tuple(chance.sample(range(1, 12), 2)) if maybe(0.3) else (),
        broken_from=chance.randint(2, 6) if maybe(0.2) else 0,
        kill=chance.randint(1, 10) if maybe(0.12) else 0,
        kill_after=chance.uniform(0.5, 4.0) if maybe(0.06) else 0.0,
        edit=chance.choice(("size", "params")) if maybe(0.2) else "",
    )
