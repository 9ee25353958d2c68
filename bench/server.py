"""Serves the tickets on loopback, in a process of its own, as fast as plain sockets can: forward-only, by key and window."""

from __future__ import annotations

import re
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import msgspec

from bench.tickets import START, STEP
from headwater.clock import parse_instant

SIZE = 1000
_INSTANTS = re.compile(r"\[([^]]+)\]")


class Tickets(BaseHTTPRequestHandler):
    """Answers `service/tickets?pageId=N` with the tickets above N of the window asked for; all else with `{}`."""

    protocol_version = "HTTP/1.1"
    tickets: tuple[msgspec.Raw, ...] = ()
    date = "Fri, 20 Nov 2026 09:00:00 GMT"

    def do_GET(self) -> None:
        """Send one page."""
        address = urlsplit(self.path)
        query = parse_qs(address.query)
        if not address.path.endswith("service/tickets"):
            return self._send(b"{}", None)
        first, end = self._asked(query.get("conditions", [""])[0])
        first = max(first, int(query.get("pageId", ["0"])[0]))
        last = min(first + SIZE, end)
        following = urlencode({**{name: values[0] for name, values in query.items()}, "pageId": last})
        link = f'<http://{self.headers["Host"]}{address.path}?{following}>; rel="next"' if last < end else None
        return self._send(b"[%s]" % b",".join(self.tickets[first:last]), link)

    def _asked(self, conditions: str) -> tuple[int, int]:
        """The places of the first ticket asked for and of the one after the last: stamps grow with the ids."""
        bounds = [-((START - parse_instant(one)) // STEP) for one in _INSTANTS.findall(conditions)]
        since, until = bounds or (1, len(self.tickets) + 1)
        return max(since - 1, 0), min(until - 1, len(self.tickets))

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
    split = msgspec.json.Decoder(list[msgspec.Raw])
    bodies = (path.read_bytes() for path in sorted(folder.glob("page-*.json")))
    Tickets.tickets = tuple(ticket for body in bodies for ticket in split.decode(body))
    server = ThreadingHTTPServer(("127.0.0.1", 0), Tickets)
    print(server.server_address[1], flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
