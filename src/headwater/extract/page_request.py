"""The requests of a read, from the declarations of its resource."""

from __future__ import annotations

from headwater.batch import Batch
from headwater.errors import DeclarationError
from headwater.extract.client import Client
from headwater.extract.request_params import ReadRequest, build_filter_headers, build_params, build_path
from headwater.wire.message import Request


def build_base_request(client: Client, request: ReadRequest, batch: Batch, parent: str | None) -> Request:
    """The request for the records of a batch, without the parameters of the paging."""
    base = client.build_request(build_path(request.resource.path, parent))
    headers = {**request.resource.headers, **build_filter_headers(request, batch)}
    return base.with_headers(headers).with_params(build_params(request, batch))


def build_page_request(request: ReadRequest, base: Request, position: str) -> Request:
    """The request for the page at `position`, with the body that the resource declares."""
    page_request = request.paging.build_request(base.with_method(_get_method(request)), position)
    body = request.resource.body
    if body is None or page_request.method == "GET":
        return page_request
    try:
        posted = body.apply(page_request)
        # The URL of a next page has its own query.
        return posted if page_request.url == base.url else posted.with_url(page_request.url)
    except ValueError as error:
        raise DeclarationError(
            "a parameter in the body of a request is not a number",
            where=f"resource {request.resource.resource} ({request.resource.origin})",
            details=str(error),
            hint="write `{name}` for a text",
        ) from None


def _get_method(request: ReadRequest) -> str:
    return "GET" if request.resource.body is None else "POST"
