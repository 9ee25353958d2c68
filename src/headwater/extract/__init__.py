"""Reading a service, page by page, into raw: what `wire` decides is done here.

The only room that opens a socket, and only in `client.py`. It knows records as bytes, and the window, place and budget
of a read; what a record means is the business of bronze. Tests: tests/extract.
"""

from __future__ import annotations
