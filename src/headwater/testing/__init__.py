"""What the tests of Headwater, and of those who extend it, are made with.

Decides nothing about data and is never imported by a room that works on it. Tests: tests/house, and every test that uses it.
"""

from __future__ import annotations
