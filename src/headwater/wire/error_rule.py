"""What responses of a service mean, where its status codes do not say so."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Literal

from pydantic import Field

from headwater.declared import Declared
from headwater.wire.message import Response
from headwater.wire.records import read_value

Meaning = Literal["failed", "retry", "denied", "empty", "expired"]
"""What a response means."""


class ErrorRule(Declared):
    """A response that means something else than its status says. The first rule that applies counts.

    E.g. `{field: IsSuccess, equals: "false", means: failed, message: ErrorMessage}`.
    """

    status: tuple[int, ...] = ()
    """The status codes to which it applies. Default: 200 to 299."""
    field: str = ""
    """The path of a value in the response. Empty: the status decides."""
    equals: str | None = None
    """The value at `field`; case does not matter. Default: any value but null."""
    means: Meaning = "failed"
    """`failed`: the resource stops. `retry`: try again. `denied`: renew the credentials. `empty`: no records. `expired`: the
    stored link of a `delta` cursor is too old, so everything is read again."""
    message: str = Field(default="")
    """The path of the message of the service."""

    def is_about(self, response: Response) -> bool:
        """Whether the rule applies to `response`."""
        if response.status not in self.status if self.status else response.status not in range(200, 300):
            return False
        if not self.field:
            return True
        value = read_value(response.body, self.field)
        if self.equals is None or value is None:
            return value is not None
        text = value if isinstance(value, str) else json.dumps(value)
        return text.casefold() == self.equals.casefold()

    def read_message(self, response: Response) -> str:
        """The message of the service, or an empty text."""
        value = read_value(response.body, self.message) if self.message else None
        return "" if value is None else str(value)


def find_rule(rules: Iterable[ErrorRule], response: Response) -> ErrorRule | None:
    """The first rule that applies to `response`."""
    return next((rule for rule in rules if rule.is_about(response)), None)
