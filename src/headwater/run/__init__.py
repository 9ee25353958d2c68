"""Where all rooms meet: the dozen verbs that a face may call, the wiring of plugs, the execution of a plan.

Decides nothing about records, history or stars; it opens what a project names, follows the plan and tells what
happened. Faces import `run.app` and `run.result` only. Tests: tests/run.
"""

from __future__ import annotations
