"""Auth kinds that sign each request with a shared secret, which is not sent."""

from __future__ import annotations
