"""Where the next read of a `delta` cursor continues: the link at the end of the last one, kept in the ledger.

A link is stored before its batch is committed. If the process is killed in between, the batch resumes, and `start` is the
link with which that batch began.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass

from headwater.batch import Feed
from headwater.errors import DeclarationError, PermanentError
from headwater.ledger.base import Ledger
from headwater.model.resource import Resource
from headwater.wire.cursor import Delta
from headwater.wire.message import Page
from headwater.wire.paging.next_url import NextUrl
from headwater.wire.paging.token import Token
from headwater.wire.records import read_value

_SHAPE = {"path", "params", "headers", "body", "records", "contract", "fields", "omit", "paging", "cursor"}


@dataclass(frozen=True, slots=True, kw_only=True)
class DeltaLink:
    """The link of a feed."""

    batch_id: str
    """The batch that ended with it."""
    start: str = ""
    """The position at which that batch began. Empty: at the beginning."""
    position: str = ""
    """The position at which the next batch begins."""
    shape: str = ""
    """A hash of the declaration under which the link was received: a link knows only the fields that were requested then."""

    def find_start(self, batch_id: str) -> str:
        """The position at which a batch begins."""
        return self.start if batch_id == self.batch_id else self.position


def load_link(ledger: Ledger, feed: Feed) -> DeltaLink | None:
    """The link of a feed, or None if there is none."""
    text = ledger.get_mark(feed.tenant, _name_mark(feed))
    return DeltaLink(**json.loads(text)) if text else None


def save_link(ledger: Ledger, feed: Feed, link: DeltaLink) -> None:
    """Save the link of a feed."""
    ledger.set_mark(feed.tenant, _name_mark(feed), json.dumps(asdict(link)))


def find_valid_link(ledger: Ledger, feed: Feed, resource: Resource) -> DeltaLink | None:
    """The link of a feed, if the declaration is the same and the batch that ended with it is committed and not discarded."""
    link = load_link(ledger, feed)
    if link is None or not link.position or link.shape != compute_shape(resource):
        return None
    row = ledger.find_batch(feed.tenant, link.batch_id)
    return link if row is not None and row.stage != "extracting" else None


def compute_shape(resource: Resource) -> str:
    """A hash of what a link depends on."""
    text = resource.model_dump_json(include=_SHAPE)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def read_link_position(resource: Resource, page: Page) -> str:
    """The position for the next changes, from the last page. Raise PermanentError if the page has none."""
    cursor, paging = resource.cursor, resource.paging
    if not isinstance(cursor, Delta) or not isinstance(paging, NextUrl | Token):
        raise DeclarationError(
            "a `delta` cursor needs the paging `next_url` or `token`",
            where=f"resource {resource.resource} ({resource.origin})",
            hint="declare the paging of the resource",
        )
    link = read_value(page.response.body, cursor.field)
    if not isinstance(link, str | int) or isinstance(link, bool) or not str(link):
        raise PermanentError(
            "the last page has no link to the next changes",
            details=f"nothing at `{cursor.field}`",
            hint="check `field:` of the cursor; the position was not advanced",
        )
    return paging.build_link_position(str(link), page)


def _name_mark(feed: Feed) -> str:
    return f"delta-link:{feed.connection}:{feed.resource}"
