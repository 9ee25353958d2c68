"""The store of a queue of tenants: jobs, workers and results, in the database of a ledger on Postgres.

The queue is Procrastinate's: its tables and functions store the jobs, hand them out by priority, and keep two jobs of one
tenant apart. Only this package imports it. It knows no tenant's data, and not what a job asks for: that is a JSON object.
Tests: tests/ledger/queue.
"""

from __future__ import annotations
