"""The results of a fleet run: plain values, which processes can exchange."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from headwater.errors import HeadwaterError
from headwater.events import Finding
from headwater.run.results import RunReport

TenantOutcome = Literal["succeeded", "partial", "failed", "cancelled", "crashed", "timed_out", "leased", "not_started"]
"""How a tenant ended: as its run did, or `crashed` (its process died), `timed_out`, `leased` (another run works on it), or
`not_started` (a stop was requested before its turn)."""

_FAILURES = frozenset({"failed", "crashed", "timed_out"})
_HARMLESS = frozenset({"succeeded", "leased"})


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantResult:
    """How one tenant ended."""

    tenant: str
    outcome: TenantOutcome
    seconds: float = 0.0
    requests: int = 0
    rows: int = 0
    quarantined: int = 0
    inserted: int = 0
    """Rows inserted into tables of the warehouse."""
    findings: tuple[Finding, ...] = ()
    errors: tuple[Mapping[str, str], ...] = ()
    """The four parts of each error."""

    @property
    def is_unusual(self) -> bool:
        """Whether a person should look at it."""
        return self.outcome != "succeeded" or bool(self.findings) or self.quarantined > 0


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetReport:
    """The result of a fleet run."""

    seconds: float
    tenants: tuple[TenantResult, ...]
    """In the order in which they ended."""

    @property
    def outcomes(self) -> dict[str, int]:
        """The number of tenants by outcome."""
        return dict(Counter(result.outcome for result in self.tenants))

    @property
    def exit_code(self) -> int:
        """0 if all succeeded or another run works on them, 1 if all others failed, 3 if some did not succeed."""
        tried = [result for result in self.tenants if result.outcome != "leased"]
        if tried and all(result.outcome in _FAILURES for result in tried):
            return 1
        return 0 if all(result.outcome in _HARMLESS for result in tried) else 3


def build_tenant_result(report: RunReport) -> TenantResult:
    """The result of a tenant, from the report of its run. Of a hundred steps that wait for one error, only the error stays."""
    return TenantResult(
        tenant=report.tenant,
        outcome=report.outcome.value,
        seconds=round(report.seconds, 3),
        requests=report.requests,
        rows=report.rows,
        quarantined=report.quarantined,
        inserted=sum(inserted for _, inserted in report.written.values()),
        findings=report.findings,
        errors=tuple(describe_error(step.error) for step in report.steps if step.error is not None),
    )


def describe_error(error: HeadwaterError) -> Mapping[str, str]:
    """The four parts of an error."""
    return error.as_dict()
