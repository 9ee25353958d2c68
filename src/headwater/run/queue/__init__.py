"""Runs all tenants of a project on several machines: a queue of jobs in the database of the ledger, and its workers.

The queue is Procrastinate's: its tables and functions store the jobs, hand them out by priority, and keep two jobs of one
tenant apart. Only this package imports it. Tests: tests/run/queue, tests/e2e/queue.
"""

from __future__ import annotations
