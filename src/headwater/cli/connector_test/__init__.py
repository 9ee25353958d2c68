"""`headwater connector test`: its arguments, its progress and its report."""

from __future__ import annotations
