"""What a simulated service does wrong at the moment. A scenario sets it before a run, and clears it after it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

from headwater.testing.kit.http_server import Answer

PageListener = Callable[[int], None]
"""Called with the number of a page after it was answered."""


@dataclass(kw_only=True)
class Weather:
    """The faults of one run. Pages are counted from 1 in each run."""

    cap: int = 0
    """The most records of a page, whatever was requested; 0: as requested."""
    refusals: list[Answer] = field(default_factory=list)
    """Answers that requests for pages get first, from page 2 on, one each."""
    broken_from: int = 0
    """From this page on, every request for a page is answered with 503; 0: never."""
    spoiled: dict[int, Answer] = field(default_factory=dict)
    """How the answer to a page is spoiled, once: cut or delayed."""
    repeats_from: int = 0
    """From this page on, the page before is sent again; 0: never."""
    link_base: str = ""
    """The address to which links lead; empty: to the service."""
    redirects_to: str = ""
    """The address to which page 2 is redirected."""
    ignores_filter: bool = False
    hidden: set[int] = field(default_factory=set)
    """The numbers of records that lists leave out, although they exist and are counted."""
    expires_at: int = 0
    """At this page, the service forgets the token or the session; 0: never."""
    expires_links: bool = False
    """Whether the service no longer knows the links of a delta."""
    clock_shift: timedelta = timedelta(0)
    """How far its clock is ahead."""
    on_page: PageListener | None = None
