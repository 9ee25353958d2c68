"""The command to try at the end: it works as printed, from where the user stands."""

from __future__ import annotations

import shlex
import shutil
import sys
from pathlib import Path

QUERY = """\
  SELECT company.name, company.valid_from::date AS since, round(sum(work.hours), 1) AS hours
  FROM gold.fact_time_entry AS work
  JOIN gold.dim_company AS company USING (company_key)
  GROUP BY ALL ORDER BY hours DESC LIMIT 10"""
"""Hours by company, a row for each version it had."""


def trial(folder: Path) -> str:
    """A `headwater query` on the project in `folder`."""
    return f'{_called()} query --project {shlex.quote(str(folder))} "\n{QUERY}"'


def _called() -> str:
    """What the user types to call this program: the plain word where that finds it."""
    path = Path(sys.argv[0])
    if path.name != "headwater":
        return f"{shlex.quote(sys.executable)} -m headwater.cli"
    found = shutil.which("headwater")
    return "headwater" if found and Path(found).resolve() == path.resolve() else shlex.quote(str(path))
