"""Runs all tenants of a project on several machines: what a job asks for, the command that queues, and the worker.

`ledger/queue` stores the jobs. Tests: tests/run/queue, tests/e2e/test_queue.py, tests/e2e/test_queue_proof.py.
"""

from __future__ import annotations
