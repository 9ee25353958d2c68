"""Which tenants a fleet run covers, in which order, and how it runs them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from fnmatch import fnmatchcase

from headwater.clock import EPOCH
from headwater.plan.state import RunRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetRequest:
    """A request to run many tenants."""

    run: RunRequest = field(default_factory=RunRequest)
    """What to run for each tenant."""
    pattern: str = "*"
    """Only tenants whose name matches this pattern, as in a shell: `eu-*`."""
    due: timedelta | None = None
    """Only tenants without a successful run that ended within this span."""
    jobs: int = 1
    """The number of processes."""
    timeout: timedelta | None = None
    """The longest time for one tenant."""

    @property
    def is_in_process(self) -> bool:
        """Whether the calling process serves the tenants itself. It could not end a tenant that hangs."""
        return self.jobs == 1 and self.timeout is None


def choose_tenants(
    tenants: Iterable[str], last_successes: Mapping[str, datetime], request: FleetRequest, *, now: datetime
) -> tuple[str, ...]:
    """The tenants of a fleet run. First those that never succeeded, then by the age of their last success."""
    ended = {tenant: last_successes.get(tenant, EPOCH) for tenant in tenants if fnmatchcase(tenant, request.pattern)}
    if request.due is not None:
        # A success of the future is from before the clock was set back, and says nothing.
        ended = {tenant: at for tenant, at in ended.items() if at > now or now - at >= request.due}
    return tuple(sorted(ended, key=lambda tenant: (ended[tenant], tenant)))
