"""Reads a service into raw, page by page. It carries out what `wire` decides.

This is the only room that opens a socket, and it does so only in `client.py`. It handles records as bytes, together with
the window, position and rate limit of a read. Bronze interprets the records. Tests: tests/extract.
"""

from __future__ import annotations
