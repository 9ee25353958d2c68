"""Reports the error of a command: message, location, details and hint. A traceback only with `--debug`."""

from __future__ import annotations

import json
import os
import re
import sys
import traceback
from collections.abc import Sequence
from contextvars import ContextVar
from pathlib import Path

import typer

from headwater.errors import DeclarationErrors, HeadwaterError

TENANT_COMMANDS = (
    "as-of",
    "backfill",
    "connection",
    "connector record",
    "history",
    "plan",
    "publish",
    "quarantine",
    "query",
    "rebuild",
    "run",
    "status",
    "step",
)
"""The commands that take `--tenant`. A project with several tenants needs it in each of them."""

_COMMAND = re.compile(rf"`headwater (?:{'|'.join(TENANT_COMMANDS)})\b[^`]*")
_TENANT: ContextVar[str] = ContextVar("tenant", default="")


class UsageError(HeadwaterError):
    """The command line is invalid: an unknown option, a missing value."""

    exit_code = 2


class LocalIOError(HeadwaterError):
    """The operating system refused to read or write: a full disk, missing permissions, a closed output."""


class InternalError(HeadwaterError):
    """An unexpected exception: a bug in Headwater."""


def report_error(error: Exception, *, as_json: bool, debug: bool) -> int:
    """Report an error as text on standard error or as one JSON object on standard output. Returns the exit code."""
    reported = _to_headwater_error(error)
    for item in (reported, *(reported.errors if isinstance(reported, DeclarationErrors) else ())):
        item.hint = add_tenant(item.hint)
    if debug:
        traceback.print_exception(error)
    if isinstance(error, OSError) and error.filename is None:
        # Without a file name, our own output could not be written.
        abandon_output()
        as_json = False
    if not (as_json and _write(json.dumps({"error": describe_error(reported)}))):
        typer.echo(_render(reported), err=True)
    return reported.exit_code


def remember_tenant(words: Sequence[str]) -> None:
    """Remember the tenant in the words of a command line."""
    pairs = zip(words, [*words[1:], ""], strict=True)
    typed = [value if word == "--tenant" else word.partition("=")[2] for word, value in pairs if _is_option(word)]
    _TENANT.set(typed[-1] if typed else "")


def add_tenant(hint: str) -> str:
    """The hint, with the tenant that the user typed in each of its commands that takes one, so that it can be typed as it is."""
    tenant = _TENANT.get()
    return _COMMAND.sub(lambda match: _add_option(match[0], tenant), hint) if tenant else hint


def abandon_output() -> None:
    """Redirect standard output to the null device, because the flush at the exit of the interpreter would fail again."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def _write(line: str) -> bool:
    """Write a line to standard output. False if that fails, because the error may be about standard output."""
    try:
        sys.stdout.write(line + "\n")
        sys.stdout.flush()
    except OSError:
        abandon_output()
        return False
    return True


def describe_error(error: HeadwaterError) -> dict[str, object]:
    """An error as the JSON object that `--json` prints, with each of several errors."""
    if isinstance(error, DeclarationErrors):
        return {**error.as_dict(), "errors": [item.as_dict() for item in error.errors]}
    return dict(error.as_dict())


def _to_headwater_error(error: Exception) -> HeadwaterError:
    if isinstance(error, HeadwaterError):
        return error
    if isinstance(error, typer.TyperException):
        return _build_usage_error(error)
    if isinstance(error, typer.Abort):
        return UsageError("The prompt was not answered.", where="the command line")
    if isinstance(error, OSError):
        return _build_io_error(error)
    return _build_internal_error(error)


def _build_usage_error(error: typer.TyperException) -> UsageError:
    context = getattr(error, "ctx", None)
    path = context.command_path if context else "headwater"
    # Choices of an option are checked by pydantic, which begins its message with the name of its exception.
    message = error.format_message().replace(": Value error, ", ": ")
    return UsageError(message, where=path, hint=f"see `{path} --help`")


def _build_io_error(error: OSError) -> LocalIOError:
    return LocalIOError(
        "The operating system refused to read or write.",
        where=str(error.filename or "standard output"),
        details=error.strerror or type(error).__name__,
        hint="check the disk and the permissions, then run again; committed data is safe",
    )


def _build_internal_error(error: Exception) -> InternalError:
    # The text of the error is not shown, because it may contain an unredacted URL or record.
    return InternalError(
        "Internal error. This is a bug in Headwater.",
        where=_find_location(error),
        details=type(error).__name__,
        hint="please report the bug with the output of `--debug`; committed data is safe: run again",
    )


def _find_location(error: Exception) -> str:
    """The innermost location in Headwater in the traceback of the error."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if "headwater" in Path(frame.filename).parts]
    if not frames:
        return "headwater"
    path = Path(frames[-1].filename)
    parts = path.parts[len(path.parts) - path.parts[::-1].index("headwater") :]
    return f"{'/'.join(parts)}:{frames[-1].lineno}"


def _render(error: HeadwaterError) -> str:
    if isinstance(error, DeclarationErrors):
        return "\n\n".join(_render(item) for item in error.errors)
    head, *rest = str(error).split("\n")
    return "\n".join([typer.style(f"error: {head}", fg="red", bold=True), *rest])


def _is_option(word: str) -> bool:
    return word == "--tenant" or word.startswith("--tenant=")


def _add_option(command: str, tenant: str) -> str:
    return f"{command} --tenant {tenant}" if {"--tenant", "--all", "--help"}.isdisjoint(command.split()) else command
