"""Serves the pages on loopback, in a process of its own, as fast as plain sockets can: forward-only, by key."""

from __future__ import annotations

import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

SIZE = 1000


class Tickets(BaseHTTPRequestHandler):
    """Answers `service/tickets?pageId=N` with the page of ids above N, and anything else with an empty object."""

    protocol_version = "HTTP/1.1"
    bodies: tuple[bytes, ...] = ()
    date = "Fri, 20 Nov 2026 09:00:00 GMT"

    def do_GET(self) -> None:
        """Send one page."""
        address = urlsplit(self.path)
        query = parse_qs(address.query)
        if not address.path.endswith("service/tickets"):
            return self._send(b"{}", None)
        number = int(query.get("pageId", ["0"])[0]) // SIZE
        body = self.bodies[number] if number < len(self.bodies) else b"[]"
        more = number + 1 < len(self.bodies)
        host = self.headers["Host"]
        following = f"http://{host}{address.path}?pageId={(number + 1) * SIZE}&pageSize={SIZE}"
        return self._send(body, f'<{following}>; rel="next"' if more else None)

    def _send(self, body: bytes, link: str | None) -> None:
        self.send_response_only(200)
        self.send_header("Date", self.date)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        if link:
            self.send_header("Link", link)
        self.end_headers()
        self.wfile.write(body)


def main(folder: Path) -> None:
    """Serve the page files of `folder`; prints the port first."""
    Tickets.bodies = tuple(path.read_bytes() for path in sorted(folder.glob("page-*.json")))
    server = ThreadingHTTPServer(("127.0.0.1", 0), Tickets)
    print(server.server_address[1], flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
