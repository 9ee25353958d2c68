"""Tools for the tests of Headwater and of its extensions.

Has no influence on data. No package that works on data imports it. Tests: tests/house, and every test that uses it.
"""

from __future__ import annotations
