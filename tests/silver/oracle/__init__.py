"""What history means, in plain Python, written from its rules alone: it knows no SQL and nothing of Headwater.

`event` and `fold` are the event level (a set of events is a history); `batch`, `absence` and `history` the batch level (what
reads make of records, and what complete reads prove). The tests beside them are computed by hand.
"""

from __future__ import annotations
