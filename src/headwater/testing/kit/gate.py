"""Checks that requests authenticate as the manifest says, and answers requests for tokens and sessions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from headwater.model.connector import Connector
from headwater.testing.kit.http_server import Answer, Call
from headwater.testing.kit.sample import JsonObject, dump_json, set_path
from headwater.wire.auth import Auth, Basic, Headers, NoAuth, QueryKey, TokenGrant
from headwater.wire.message import Request
from headwater.wire.records import split_path
from headwater.wire.session import SessionLogin
from headwater.wire.template import fill, fill_all

JSON = {"Content-Type": "application/json"}


@dataclass(kw_only=True)
class Gate:
    """The authentication of a simulated service."""

    connector: Connector
    values: Mapping[str, str]
    """The settings and secrets of the connection."""
    issued: int = 0
    """The number of tokens or sessions so far. Only the last one is valid."""
    is_forgotten: bool = False

    @property
    def login_path(self) -> str:
        """The path of requests for a token or a session; empty if there are none."""
        auth = self.connector.auth
        url = auth.token_url if isinstance(auth, TokenGrant) else ""
        url = auth.login_url if isinstance(auth, SessionLogin) else url
        return urlsplit(fill(url, self.values, where="kit")).path if url else ""

    @property
    def has_expiry(self) -> bool:
        """Whether the credentials of a request may expire."""
        return bool(self.login_path)

    def forget(self) -> None:
        """Make the current token or session invalid."""
        self.is_forgotten = True

    def answer_login(self, call: Call) -> Answer:
        """Issue a new token or session."""
        if call.method != "POST":
            return Answer(status=405, headers=JSON, body=b"{}")
        self.issued, self.is_forgotten = self.issued + 1, False
        body: JsonObject = {"access_token": self._name_token(), "token_type": "Bearer", "expires_in": 3600}
        auth = self.connector.auth
        if isinstance(auth, SessionLogin):
            body = {}
            set_path(body, split_path(auth.session), self._name_token())
        return Answer(headers=JSON, body=dump_json(body))

    def is_admitted(self, call: Call) -> bool:
        """Whether a request has the credentials of the connection."""
        wanted = self._build_wanted(self.connector.auth)
        if wanted is None:
            return True
        is_current = not self.has_expiry or (self.issued > 0 and not self.is_forgotten)
        headers = {name.lower(): value for name, value in wanted.headers.items()}
        return (
            is_current
            and all(call.headers.get(name) == value for name, value in headers.items())
            and all(call.query.get(name) == value for name, value in wanted.params.items())
        )

    def _build_wanted(self, auth: Auth) -> Request | None:
        """A request with the credentials that the service expects. None if that is not known from the manifest alone."""
        empty = Request(url="http://127.0.0.1/")
        if isinstance(auth, TokenGrant):
            return empty.with_headers({"Authorization": f"Bearer {self._name_token()}"})
        if isinstance(auth, SessionLogin):
            values = {**self.values, "session": self._name_token()}
            return empty.with_headers(fill_all(auth.headers, values, where="kit"))
        if isinstance(auth, Basic | Headers | QueryKey | NoAuth):
            return next(auth.bind(self.values).flow(empty))
        return None

    def _name_token(self) -> str:
        return f"kit-token-{self.issued:04}"
