"""Validates paths, URLs and secret references. Messages never show a rejected value."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator

REFERENCES = ("env", "file", "keyring", "aws-sm", "azure-kv")
"""The kinds of secret references: `env:NAME`, `file:PATH`, `keyring:SERVICE/NAME`, `aws-sm:NAME`, `azure-kv:VAULT/NAME`."""

_REFERENCE = re.compile(r"env:[A-Za-z_][A-Za-z0-9_]*|(file|keyring|aws-sm|azure-kv):\S.*")
_PASSWORD = re.compile(
    r"//[^/@:\s]*:(?!\d+(?:[/?#]|$))[^@\s]*@"
    r"|\b(?:\w*password|passwd|pwd|token|access_token|api_?key|secret|client_secret|sig)=(?!\$)[^&\s]",
    re.IGNORECASE,
)
_SCHEME = re.compile(r"([a-z][a-z0-9+.-]+):", re.IGNORECASE)
_BUCKET = re.compile(r"(s3|abfss)://[^/?#\s]+[^?#\s]*")
_VARIABLE = re.compile(r"(?:^|/)\$\{?[A-Za-z_]")
_BRACES = re.compile(r"\{([^{}]*)\}?|\}")


class ClearSecretError(ValueError):
    """A secret is used where a reference is required. The message does not contain the value."""


def is_reference(text: str) -> bool:
    """Whether `text` is a reference to a secret."""
    return bool(_REFERENCE.fullmatch(text))


def has_secret(text: str) -> bool:
    """Whether `text` contains a password, a token or a key, as a URL may."""
    return bool(_PASSWORD.search(text))


def check_reference(text: str) -> str:
    """Return `text` if it is a reference to a secret. Otherwise raise ClearSecretError."""
    if not is_reference(text):
        kinds = ", ".join(f"{kind}:…" for kind in REFERENCES)
        raise ClearSecretError(f"a declaration must not contain a secret: use a reference, one of {kinds}")
    return text


def check_address(text: str) -> str:
    """Return `text` if it contains no password. Otherwise raise ClearSecretError."""
    if not is_reference(text) and has_secret(text):
        raise ClearSecretError("a declaration must not contain a password: use a reference such as `env:DATABASE_URL`")
    return text


def check_folder(text: str) -> str:
    """Return `text` if it is a local folder or file. Otherwise raise ValueError."""
    if _SCHEME.match(text):
        msg = "this must be a local folder: use its path, e.g. `.headwater/lake`"
        raise ValueError(msg)
    return _check_path(text)


def check_place(text: str) -> str:
    """Return `text` if it is a folder or a bucket. Otherwise raise ValueError."""
    check_address(text)
    if not _SCHEME.match(text):
        return _check_path(text)
    if not _BUCKET.fullmatch(text) or ".." in text.split("/"):
        msg = "use a folder, `s3://bucket/prefix` or `abfss://container@account.dfs.core.windows.net/prefix`"
        raise ValueError(msg)
    return _check_braces(text)


def check_ledger(text: str) -> str:
    """Return `text` if it can be a ledger: a reference, or an SQLAlchemy URL without a password."""
    check_address(text)
    if text.startswith("sqlite:"):
        if not re.match(r"sqlite:///[^/]|sqlite:////[^/]", text):
            msg = "use `sqlite:///FOLDER/FILE`, e.g. `sqlite:///.headwater/ledger.db`"
            raise ValueError(msg)
        check_folder(text.removeprefix("sqlite:///").partition("?")[0])
    if "{" in text:
        msg = "all tenants share one ledger, so its URL cannot contain `{tenant}`"
        raise ValueError(msg)
    return text


def _check_path(text: str) -> str:
    """Reject `~` and `$NAME`, so that no folder with such a name is created."""
    if not text.strip():
        msg = "use a path, e.g. `.headwater/lake`"
        raise ValueError(msg)
    if text.startswith(("~", "//")) or _VARIABLE.search(text):
        msg = "`~`, `$NAME` and `//host` are not expanded: use a plain path, relative to the project folder"
        raise ValueError(msg)
    return _check_braces(text)


def _check_braces(text: str) -> str:
    for brace in _BRACES.finditer(text):
        if brace[0] != "{tenant}":
            msg = f"the placeholder `{brace[0]}` is unknown; use `{{tenant}}`"
            raise ValueError(msg)
    return text


Folder = Annotated[str, AfterValidator(check_folder)]
"""A local folder or file. A relative path starts at the project folder."""

Place = Annotated[str, AfterValidator(check_place)]
"""A folder or a bucket. Credentials come from the environment only."""

Reference = Annotated[str, AfterValidator(check_reference)]
"""A reference to a secret."""

Address = Annotated[str, AfterValidator(check_address)]
"""A URL without a password, or a reference to a URL."""

LedgerAddress = Annotated[str, AfterValidator(check_ledger)]
"""The URL of a ledger, or a reference to it."""
