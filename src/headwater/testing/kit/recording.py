"""Recorded pages of a resource, without credentials and personal data, and the file that keeps them."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from headwater.errors import DeclarationError
from headwater.wire.message import Page, Response
from headwater.wire.paging.progress import is_address

HOST = "https://recorded.invalid"
"""What stands for the address of the service."""

KEPT_HEADERS = ("content-type", "date", "link", "retry-after")
"""The headers of an answer that a recording keeps, apart from a declared total."""

_MAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_SECRET_NAME = re.compile(
    r"passw|secret|token|api_?key|authorization|cookie|credential|session|signature", re.IGNORECASE
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedPage:
    """A request and its answer."""

    method: str
    path: str
    """The path below the address of the service."""
    params: Mapping[str, str]
    status: int
    headers: Mapping[str, str]
    body: Any
    """The JSON of the answer, or its text if it is not JSON."""
    is_json: bool = True
    is_beyond_end: bool = False
    """Whether the page was requested although the paging had ended, to see whether anything follows."""

    def to_page(self, split: Callable[[Response], Any]) -> Page:
        """The page, whose records `split` finds."""
        text = json.dumps(self.body, ensure_ascii=False) if self.is_json else str(self.body)
        response = Response(status=self.status, headers=self.headers, body=text.encode(), url=f"{HOST}{self.path}")
        return Page(response=response, records=split(response))


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """The recorded pages of a resource."""

    connector: str
    resource: str
    recorded_at: str
    """An instant, ISO 8601."""
    since: str
    until: str
    """The window that was requested; empty if no filter was."""
    pages: tuple[RecordedPage, ...]
    version: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Scrubber:
    """Removes what a recording must not keep. Equal values stay equal within a recording, so that keys stay unique."""

    hide: Callable[[str], str]
    """Hides the credentials in a text."""
    personal: frozenset[str] = frozenset()
    """Paths of fields with personal data, below a record."""
    host: str = ""
    """The address of the service, scheme and host."""
    salt: str = ""
    """Random, and not kept, so that nobody can find a value by trying."""

    def scrub_text(self, text: str) -> str:
        """A text without credentials, e-mail addresses and the address of the service."""
        clean = self.hide(text)
        if self.host:
            clean = clean.replace(self.host, HOST)
        return _MAIL.sub(lambda match: f"person-{self._hash(match[0])}@example.com", clean)

    def scrub(self, value: Any, name: str = "") -> Any:
        """The body of an answer."""
        if isinstance(value, dict):
            return {self.scrub_text(key): self.scrub(item, key) for key, item in value.items()}
        if isinstance(value, list):
            return [self.scrub(item, name) for item in value]
        if not isinstance(value, str):
            return value
        clean = self.scrub_text(value)
        if value and _SECRET_NAME.search(name) and not is_address(clean):
            return f"hidden-{self._hash(value)}"
        return clean

    def scrub_record(self, record: Any, path: str = "") -> Any:
        """One record, whose personal fields get made-up values."""
        if path and path in self.personal:
            return self._replace(record)
        if isinstance(record, dict):
            return {key: self.scrub_record(item, f"{path}.{key}" if path else key) for key, item in record.items()}
        if isinstance(record, list):
            return [self.scrub_record(item, path) for item in record]
        return record

    def _replace(self, value: Any) -> Any:
        if isinstance(value, str):
            return f"p-{self._hash(value)}" if value else value
        if isinstance(value, dict):
            return {key: self._replace(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self._replace(item) for item in value]
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        return int(self._hash(str(value)), 16) if is_number else value

    def _hash(self, text: str) -> str:
        return hashlib.sha256(f"{self.salt}{text}".encode()).hexdigest()[:10]


def save_recording(recording: Recording, folder: Path) -> Path:
    """Write a recording to `folder`. Returns its file."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{recording.resource}.json"
    file.write_text(json.dumps(asdict(recording), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return file


def load_recordings(folder: Path) -> tuple[Recording, ...]:
    """The recordings in `folder`, sorted. DeclarationError for a file that is none."""
    return tuple(_load(file) for file in sorted(folder.glob("*.json")))


def _load(file: Path) -> Recording:
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
        pages = tuple(RecordedPage(**page) for page in document.pop("pages"))
        return Recording(**document, pages=pages)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise DeclarationError(
            "This file is no recording.",
            where=str(file),
            details=f"{type(error).__name__}: {error}",
            hint="record it again with `headwater connector record`",
        ) from error
