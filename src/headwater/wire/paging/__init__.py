"""How to read a collection page by page. A position is a short text that the ledger stores, so a read can resume.

Every variant is stateless and one class in a module of its own. It defines the first position, the request at a
position, the position that follows a page (None: none), and whether that end is certain. `paging/kinds.py` lists them.
Loops are detected in one place for all of them, `wire.loop_guard`.

A page that is shorter than requested is not always the last one: services may cap their pages. It is the last one if the
service says so: by a next link, URL or token that is missing, by a flag, or by a total or a count that is reached. It is
also the last one if the page after it is empty. Nothing else ends a read.
"""

from __future__ import annotations
