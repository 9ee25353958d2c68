"""The maximum size of a record. A larger record is refused alone, so that it does not block the others."""

from __future__ import annotations

import re
from collections.abc import Iterator

from headwater.bronze.jsonl import BLOCK_SIZE, Block

MAX_BYTES = 64 << 20
"""The most bytes of a record."""
MAX_VALUES = 1_000_000
"""The most values in a record, because each value needs memory, whatever its length."""
_STRINGS = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)


def find_excess(text: bytes) -> str:
    """Why a record is too large, or an empty text if it is not."""
    if len(text) <= BLOCK_SIZE:
        return ""
    if len(text) > MAX_BYTES:
        return f"a record may have at most {MAX_BYTES:,} bytes, not {len(text):,}"
    if _count_separators(text) <= MAX_VALUES or _count_separators(_STRINGS.sub(b"", text)) <= MAX_VALUES:
        return ""
    return f"a record may have at most {MAX_VALUES:,} values"


def drop_oversized(blocks: Iterator[Block], oversized: set[int]) -> Iterator[Block]:
    """Yield the blocks without records that are too large. Add the line numbers of those to `oversized`.

    Only the first line of a block can be longer than a block, see `read_blocks`.
    """
    for block in blocks:
        end = block.body.index(b"\n")
        if find_excess(block.body[:end]):
            oversized.add(block.first)
            if block.count > 1:
                yield Block(first=block.first + 1, body=block.body[end + 1 :], count=block.count - 1)
        else:
            yield block


def _count_separators(text: bytes) -> int:
    return text.count(b",") + text.count(b"[") + text.count(b"{")
