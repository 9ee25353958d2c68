"""Grants of OAuth 2.0 that need more than an id and a secret: the login of a person, and signed assertions."""

from __future__ import annotations
