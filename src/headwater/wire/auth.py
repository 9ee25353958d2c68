"""How a request proves who is asking. Values are placeholders in braces: `{company}` names a setting or a secret."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from headwater.declared import Declared
from headwater.errors import DeclarationError
from headwater.wire.template import fill, fill_headers, find_placeholders


class NoAuth(Declared):
    """Nothing is proved: public services and tests."""

    kind: Literal["none"] = "none"

    def headers_for(self, values: Mapping[str, str]) -> dict[str, str]:
        """No header."""
        del values
        return {}


class Basic(Declared):
    """HTTP Basic, with a user name that may be composed, and further headers."""

    kind: Literal["basic"] = "basic"
    user: str
    """User name, e.g. `{company}+{public_key}`."""
    password: str
    """Password, e.g. `{private_key}`."""
    headers: dict[str, str] = Field(default_factory=dict)
    """Further headers that carry credentials, e.g. `clientId: "{client_id}"`."""

    def headers_for(self, values: Mapping[str, str]) -> dict[str, str]:
        """`Authorization` and the further headers, filled in from settings and secrets."""
        where = _where(self)
        _refuse_line_breaks(f"{self.user}{self.password}", values, where=where)
        pair = f"{fill(self.user, values, where=where)}:{fill(self.password, values, where=where)}"
        proof = base64.b64encode(pair.encode()).decode()
        return {"Authorization": f"Basic {proof}", **fill_headers(self.headers, values, where=where)}


class Headers(Declared):
    """One or several headers that carry keys or a bearer token."""

    kind: Literal["headers"] = "headers"
    headers: dict[str, str]
    """Header names and values, e.g. `Authorization: "Bearer {token}"`."""

    def headers_for(self, values: Mapping[str, str]) -> dict[str, str]:
        """The headers, filled in from settings and secrets."""
        return fill_headers(self.headers, values, where=_where(self))


Auth = Annotated[NoAuth | Basic | Headers, Field(discriminator="kind")]
"""Every way of proving who asks that a manifest may name."""


def _where(auth: Declared) -> str:
    return f"auth of the connector ({auth.origin})"


def _refuse_line_breaks(text: str, values: Mapping[str, str], *, where: str) -> None:
    """A line break in a user name or password is always a slip of whoever stored it."""
    for name in find_placeholders(text):
        if any(sign in values.get(name, "") for sign in "\r\n\0"):
            raise DeclarationError(
                f"`{name}` holds a line break", where=where, hint="store the value without a line break at its end"
            )
