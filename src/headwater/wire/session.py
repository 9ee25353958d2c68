"""Login with a request of its own, whose answer has what the other requests send: a session or a ticket."""

from __future__ import annotations

import threading
from collections.abc import Generator, Mapping
from typing import Any, Literal
from urllib.parse import urlencode

import msgspec
from pydantic import Field, PrivateAttr

from headwater.errors import PermanentError
from headwater.wire.auth import Auth
from headwater.wire.message import Request, Response
from headwater.wire.records import read_value
from headwater.wire.template import fill_all, fill_headers


class SessionLogin(Auth):
    """A login with a user or keys, whose response contains a session. Each request sends the session in headers.

    Headwater logs in once for all reads of a connection, and again when the service refuses the session.
    """

    own_placeholders = frozenset({"session"})

    kind: Literal["session"] = "session"
    login_url: str
    """The URL of the login, e.g. `{base_url}/login`. If its host differs, add it to `hosts:`."""
    fields: dict[str, str] = Field(default_factory=dict)
    """What the login sends, e.g. `userName: "{user}"`."""
    login_headers: dict[str, str] = Field(default_factory=dict)
    """The headers of the login, if keys are sent there."""
    send: Literal["json", "form"] = "json"
    """How to send `fields`."""
    session: str
    """The path of the session in the response, e.g. `sessionId`."""
    headers: dict[str, str]
    """The headers of each request, e.g. `X-Session: "{session}"`."""

    _session: str = PrivateAttr("")
    _lock: Any = PrivateAttr(default_factory=threading.Lock)

    def start(self, values: Mapping[str, str]) -> None:
        """Set the settings and secrets of a connection, and drop the session."""
        super().start(values)
        self._session, self._lock = "", threading.Lock()

    @property
    def identity(self) -> dict[str, str]:
        """What the login sends identifies the account. The session does not."""
        texts = {"login_url": self.login_url, **self.fields, **self.login_headers}
        return {name: self.fill(text) for name, text in texts.items()}

    def flow(self, request: Request) -> Generator[Request, Response, None]:
        """Log in if there is no session, and again if the service refuses it."""
        # Read before the lock: a thread that waits for the lock uses the session that another thread opened.
        used_session = self._session
        if not used_session:
            if not (yield from self._log_in(used_session)):
                return
            used_session = self._session
        response = yield self._sign(request)
        if response.status == 401 and (yield from self._log_in(used_session)):
            yield self._sign(request)

    def _sign(self, request: Request) -> Request:
        values = {**self._values, "session": self._session}
        return request.with_headers(fill_headers(self.headers, values, where=self._where))

    def _log_in(self, used_session: str) -> Generator[Request, Response, bool]:
        """Open a session, if `used_session` is still the current one. Return whether there is one now."""
        with self._lock:
            if self._session == used_session:
                response = yield self._build_login()
                if response.status not in range(200, 300):
                    return False
                self._session = self._read_session(response)
        return True

    def _build_login(self) -> Request:
        fields = fill_all(self.fields, self._values, where=self._where)
        kind, body = "application/json", msgspec.json.encode(fields)
        if self.send == "form":
            kind, body = "application/x-www-form-urlencoded", urlencode(fields).encode()
        headers = {"Accept": "application/json", "Content-Type": kind, **self.fill_headers(self.login_headers)}
        return Request(url=self.fill(self.login_url), method="POST", headers=headers, body=body)

    def _read_session(self, response: Response) -> str:
        """The session. Some services answer 200 to a wrong password, without a session."""
        try:
            session = read_value(response.body, self.session)
        except msgspec.MsgspecError:
            session = None
        if not isinstance(session, str) or not session or not session.isascii() or not session.isprintable():
            raise PermanentError(
                "the response to the login has no session",
                details=f"nothing at `{self.session}`",
                hint="check the secrets of the connection, and `session:` in `auth:` of the connector",
            )
        return session
