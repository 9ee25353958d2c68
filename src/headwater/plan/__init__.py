"""What is to be done: a pure function of what is declared, what the ledger knows and what was asked.

A plan is a tuple of frozen steps. `explain` draws it, `run/` executes it, an orchestrator may draw it too: none of
them decides anything. This room opens no file, asks no service and never learns what time it is; whoever calls it
brings the services' times along. Tests: tests/plan.
"""

from __future__ import annotations
