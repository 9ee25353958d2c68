"""Every error of the product, sorted by what the reader should do about it.

    HeadwaterError
      DeclarationError      you wrote something we cannot mean        -> fix the file; exit code 2
      ServiceError          the remote service
        TransientError      429, 5xx, a reset, a broken body          -> retried for you, then failed
        PermanentError      4xx, revoked, forbidden, not honoured     -> stops this resource only
          NotFoundError     404, 410: nothing stands at that address  -> an answer, where one record was asked for
      LakeError             raw or bronze cannot be read or written   -> disk, rights, a damaged file
      StoreError            a folder or a bucket said no            -> disk, rights, credentials, network
      WarehouseError        the engine said no
        UnsupportedError    ... and never will (names the capability)
      StateError            the ledger: migration due, unknown batch  -> nothing was written
        LeaseHeld           another run works on the same tenant      -> wait for it
        StepNotReady        a step was asked for before what it needs -> run the others first; exit code 2
      SafetyCheckError      a safety stop that a person may lift      -> look, then confirm
    Cancelled               (BaseException) finish the page, then leave

Each says four things: what happened, where, the value that was found, and how to fix it.
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
        parts = (("at", self.where), ("found", self.details), ("fix", self.hint))
        lines = [f"  {label:<5} {_indent(text)}" for label, text in parts if text]
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
    """A declaration cannot be meant; `where` names file and line."""

    exit_code = 2

    def __init__(self, message: str, *, where: str, details: str = "", hint: str = "") -> None:
        if not where:
            msg = "a DeclarationError needs `where`"
            raise ValueError(msg)
        super().__init__(message, where=where, details=details, hint=hint)


class DeclarationErrors(DeclarationError):
    """Several complaints at once, so that one look mends them all."""

    def __init__(self, errors: Sequence[DeclarationError]) -> None:
        first = errors[0]
        super().__init__(first.message, where=first.where, details=first.details, hint=first.hint)
        self.errors = tuple(errors)

    def __str__(self) -> str:
        return "\n\n".join(str(error) for error in self.errors)

    def as_dict(self) -> dict[str, str]:
        """The first one's parts, and how many there are."""
        return {**super().as_dict(), "count": str(len(self.errors))}


class ServiceError(HeadwaterError):
    """The remote service did not do what was asked."""


class TransientError(ServiceError):
    """A passing failure: the same request may succeed after `after` seconds (None: back off as usual)."""

    def __init__(
        self, message: str, *, where: str = "", details: str = "", hint: str = "", after: float | None = None
    ) -> None:
        super().__init__(message, where=where, details=details, hint=hint)
        self.after = after


class PermanentError(ServiceError):
    """The service will not answer this request; only the resource that asked stops."""


class NotFoundError(PermanentError):
    """Nothing stands at that address: 404 or 410."""


class LakeError(HeadwaterError):
    """A file of the lake cannot be read or written."""


class StoreError(HeadwaterError):
    """A folder or a bucket cannot be read or written."""


class WarehouseError(HeadwaterError):
    """The warehouse refused a statement or cannot be reached."""


class UnsupportedError(WarehouseError):
    """The warehouse lacks the named capability."""


class StateError(HeadwaterError):
    """The ledger cannot answer or accept; nothing was written."""


class LeaseHeld(StateError):
    """Another run holds the lease that this one needs."""


class StepNotReady(StateError):
    """A step was asked for before the steps that it depends on had succeeded; nothing was done."""

    exit_code = 2


class SafetyCheckError(HeadwaterError):
    """A safety stop: what was about to happen looks wrong, and a person may allow it."""


class Cancelled(BaseException):
    """Finish the page in hand, then leave."""


def _indent(text: str) -> str:
    return text.replace("\n", "\n        ")
