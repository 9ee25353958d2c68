"""Commands that set up, change or remove what a project has."""

from __future__ import annotations
