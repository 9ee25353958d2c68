"""How large a record may be: what is larger is refused by itself, so that it cannot stop all the others."""

from __future__ import annotations

import re
from collections.abc import Iterator

from headwater.bronze.jsonl import BLOCK, Block

LARGEST = 64 << 20
"""Bytes of a record."""
MOST = 1_000_000
"""Values of a record: each costs memory, whatever its length."""
_STRINGS = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)


def find_excess(text: bytes) -> str:
    """Why a record is too large to be kept; empty where it is not."""
    if len(text) <= BLOCK:
        return ""
    if len(text) > LARGEST:
        return f"a record may have at most {LARGEST:,} bytes, not {len(text):,}"
    if _separators(text) <= MOST or _separators(_STRINGS.sub(b"", text)) <= MOST:
        return ""
    return f"a record may have at most {MOST:,} values"


def drop_oversized(blocks: Iterator[Block], refused: set[int]) -> Iterator[Block]:
    """The blocks without records that are too large; the numbers of those go to `refused`.

    Only the first line of a block can be longer than a block, see `read_blocks`.
    """
    for block in blocks:
        end = block.body.index(b"\n")
        if find_excess(block.body[:end]):
            refused.add(block.first)
            if block.count > 1:
                yield Block(first=block.first + 1, body=block.body[end + 1 :], count=block.count - 1)
        else:
            yield block


def _separators(text: bytes) -> int:
    return text.count(b",") + text.count(b"[") + text.count(b"{")
