"""The demo: a simulated ConnectWise, a sequence of syncs, and a report at the end.

Decides the steps of the demo and the contents of the report. It uses `run.app`, as any caller does. Must not know any
package below `run/` but errors, events and clock, nor the code of the sandbox, which runs in a separate process and is
called over HTTP. Tests: tests/cli/test_demo.py.
"""

from __future__ import annotations
