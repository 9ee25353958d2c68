"""Requests one page of a resource, to test the address, the credentials and the right to read it. Stores nothing."""

from __future__ import annotations

from datetime import datetime, timedelta

from headwater.batch import Feed, Window, create_batch
from headwater.clock import EPOCH
from headwater.extract.client import Client
from headwater.extract.request_params import ReadRequest, build_params
from headwater.wire.message import Response
from headwater.wire.records import split_records

_RECENT = timedelta(days=1)
"""The span of changes that is requested, so that the page is small."""


def fetch_first_page(client: Client, feed: Feed, request: ReadRequest, *, now: datetime) -> int:
    """Request the first page of recent changes, or of the collection. Returns its number of records.

    ServiceError if the service refuses, or does not respond with records.
    """
    recent = request.changes is not None
    window = Window(since=now - _RECENT if recent else EPOCH, until=now)
    batch = create_batch(feed, window, purpose="changes" if recent else "snapshot")
    base = client.build_request(request.resource.path).with_params(build_params(request, batch))

    def count_records(response: Response) -> int:
        return len(split_records(response, path=request.resource.records))

    return client.fetch_as(request.paging.build_request(base, request.paging.start()), count_records)
