"""`connection login`: a person agrees in the browser, and the service sends a code to an address of this machine."""

from __future__ import annotations
