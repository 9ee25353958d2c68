"""All errors of Headwater, grouped by what to do about them.

    HeadwaterError
      DeclarationError      a declaration is invalid                  -> fix the file; exit code 2
      ServiceError          the remote service failed
        TransientError      429, 5xx, a reset, a broken body          -> retried, then failed
        PermanentError      4xx, revoked, forbidden, filter ignored   -> stops only this resource
          LoginRequired     the connection has no valid login         -> run `headwater connection login`
          NotFoundError     404: no such resource or record           -> a record that is requested by id is absent
            ExpiredError    410: the link to changes is too old       -> everything is read again
      LakeError             raw or bronze cannot be read or written   -> check the disk, permissions, a damaged file
      StoreError            a folder or bucket refused an operation   -> check the disk, permissions, credentials, network
      WarehouseError        the engine refused a statement
        UnsupportedError    the engine lacks a capability (named)     -> use another engine or setting
      StateError            the ledger: migration due, unknown batch  -> nothing was written
        LeaseHeld           another run works on the same tenant      -> wait until it finishes
        StepNotReady        steps that this step needs have not run   -> run them first; exit code 2
      SafetyCheckError      a safety stop that a person can override  -> check, then confirm
    Cancelled               (BaseException) a request to stop         -> finish the page, then exit

Each error has four parts: what happened, where, the value that was found, and how to fix it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar


class HeadwaterError(Exception):
    """An error: what happened, where, the value that was found, and how to fix it."""

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, *, where: str = "", details: str = "", hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.where = where
        self.details = details
        self.hint = hint

    def __str__(self) -> str:
        labels = (("at", self.where), ("found", self.details), ("fix", self.hint))
        lines = [f"  {label:<5} {_indent(text)}" for label, text in labels if text]
        return "\n".join([self.message, *lines])

    def as_dict(self) -> dict[str, str]:
        """The kind of the error and its four parts, as `--json` prints them."""
        return {
            "kind": type(self).__name__,
            "message": self.message,
            "at": self.where,
            "found": self.details,
            "fix": self.hint,
        }


class DeclarationError(HeadwaterError):
    """A declaration is invalid. `where` is its file and line."""

    exit_code = 2

    def __init__(self, message: str, *, where: str, details: str = "", hint: str = "") -> None:
        if not where:
            msg = "a DeclarationError needs `where`"
            raise ValueError(msg)
        super().__init__(message, where=where, details=details, hint=hint)


class DeclarationErrors(DeclarationError):
    """Several errors at once, so that you can fix them all."""

    def __init__(self, errors: Sequence[DeclarationError]) -> None:
        first = errors[0]
        super().__init__(first.message, where=first.where, details=first.details, hint=first.hint)
        self.errors = tuple(errors)

    def __str__(self) -> str:
        return "\n\n".join(str(error) for error in self.errors)

    def as_dict(self) -> dict[str, str]:
        """The parts of the first error, and the number of errors."""
        return {**super().as_dict(), "count": str(len(self.errors))}


class ServiceError(HeadwaterError):
    """The remote service did not respond as requested."""


class TransientError(ServiceError):
    """A temporary failure: the same request may succeed after `after` seconds (None: use the usual backoff)."""

    def __init__(
        self, message: str, *, where: str = "", details: str = "", hint: str = "", after: float | None = None
    ) -> None:
        super().__init__(message, where=where, details=details, hint=hint)
        self.after = after


class PermanentError(ServiceError):
    """The service will not accept this request. Only the resource that sent it stops."""


class LoginRequired(PermanentError):
    """The connection has no login, or the service no longer accepts it. A person must log in."""


class NotFoundError(PermanentError):
    """The service has nothing at this URL: 404, or 410 for its subclass."""


class ExpiredError(NotFoundError):
    """The URL, the link or the token from which to continue no longer exists: 410. Everything must be read again."""


class LakeError(HeadwaterError):
    """A file of the lake cannot be read or written."""


class StoreError(HeadwaterError):
    """A folder or a bucket cannot be read or written."""


class WarehouseError(HeadwaterError):
    """The warehouse refused a statement or cannot be reached."""


class UnsupportedError(WarehouseError):
    """The warehouse lacks the named capability."""


class StateError(HeadwaterError):
    """The ledger refused an operation. Nothing was written."""


class LeaseHeld(StateError):
    """Another run holds the lease that this one needs."""


class StepNotReady(StateError):
    """A step was requested before the steps that it depends on succeeded. Nothing was done."""

    exit_code = 2


class SafetyCheckError(HeadwaterError):
    """A safety stop: the operation looks wrong. A person can allow it."""


class Cancelled(BaseException):
    """A request to stop: finish the current page, then exit."""


def _indent(text: str) -> str:
    return text.replace("\n", "\n        ")
