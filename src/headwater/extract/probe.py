"""Requests one page of a resource, to test the address, the credentials and the right to read it. Stores nothing."""

from __future__ import annotations

from datetime import datetime, timedelta

from headwater.batch import Feed, Window, create_batch
from headwater.clock import EPOCH
from headwater.extract.client import Client
from headwater.extract.page_request import build_base_request, build_page_request
from headwater.extract.request_params import ReadRequest
from headwater.wire.message import Response

_RECENT = timedelta(days=1)
"""The span of changes that is requested, so that the page is small."""


def fetch_first_page(client: Client, feed: Feed, request: ReadRequest, *, now: datetime) -> int:
    """Request the first page of recent changes, or of the collection. Returns its number of records.

    ServiceError if the service refuses, or does not respond with records.
    """
    recent = request.changes is not None
    window = Window(since=now - _RECENT if recent else EPOCH, until=now)
    batch = create_batch(feed, window, purpose="changes" if recent else "snapshot")
    base = build_base_request(client, request, batch, None)

    def count_records(response: Response) -> int:
        return len(request.split_records(response))

    return client.fetch_as(build_page_request(request, base, request.paging.start()), count_records)
