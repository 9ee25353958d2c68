"""A service with the login of a person, whose refresh tokens rotate, and a project that uses it."""

from __future__ import annotations

import base64
import hashlib
import threading
import time
import urllib.request
from urllib.parse import parse_qsl, urlencode

from cryptography.fernet import Fernet

from tests.e2e.grammar.paged_services import TOKEN, TokenService
from tests.e2e.grammar.shop import GrammarShop, build_things

CLIENT_SECRET = "client-secret-nobody/may+see"
KEY = Fernet.generate_key().decode()


class LoginService(TokenService):
    """An authorization server with PKCE, and an API. Access tokens last for `uses` requests, and refresh tokens for one.

    It revokes a whole family of tokens if one is spent twice, as careful services do.
    """

    def __init__(self, *, uses=1000, rotates=True, count=18):
        super().__init__(build_things(count))
        self.uses_per_token, self.rotates = uses, rotates
        self.codes, self.refresh_tokens, self.spent, self.access, self.number = {}, set(), set(), {}, 0
        self.plan = []
        """What happens to the next token requests: `cut` the connection after it was served, or a status."""
        self.grace = False
        """Whether a token that was spent is accepted once more."""
        self.seconds = 0.0
        """How long a token request takes."""
        self.lifetime = 3600
        self.extra = {}
        self.grants = []
        self.is_revoked = False
        self.hang = None
        """An event that is set when a token was served that is not answered, for a process that is killed then."""
        self._lock = threading.Lock()

    def build_answer(self, request):
        if request.path == "/authorize":
            return self.authorize(request.params)
        if request.path == "/token":
            return self.give_token(dict(parse_qsl(request.body.decode())), request)
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        with self._lock:
            if not self.access.get(token):
                return 401, {}, {"error": f"unknown token {token}"}
            self.access[token] -= 1
        return super().build_answer(request)

    def authorize(self, params):
        code = f"code-{len(self.codes)}-that/nobody+may-see"
        self.codes[code] = params
        back = {"code": code, "state": params["state"]}
        return 302, {"Location": f"{params['redirect_uri']}?{urlencode(back)}"}, {}

    def give_token(self, values, request):
        time.sleep(self.seconds)
        with self._lock:
            self.grants.append(values)
            plan = self.plan.pop(0) if self.plan else ""
            if isinstance(plan, int):
                return plan, {}, {"error": "server_error"}
            answer = self.check_grant(values) or self.create_tokens()
        if plan == "hang":
            self.hang.set()
            threading.Event().wait(20)
        if plan in ("cut", "hang"):
            raise ConnectionResetError
        return answer

    def check_grant(self, values):
        if (values.get("client_id"), values.get("client_secret")) != ("app", CLIENT_SECRET):
            return 401, {}, {"error": "invalid_client", "error_description": f"not {values}"}
        if values["grant_type"] == "authorization_code":
            return self.check_code(values)
        token = values.get("refresh_token")
        if token in self.spent and not self.grace:
            self.is_revoked = True
            self.refresh_tokens.clear()
        if self.is_revoked or token not in self.refresh_tokens | (self.spent if self.grace else set()):
            return 400, {}, {"error": "invalid_grant", "error_description": f"{token} is not valid"}
        if self.rotates:
            self.refresh_tokens.discard(token)
            self.spent.add(token)
        return None

    def check_code(self, values):
        asked = self.codes.pop(values["code"], None)
        digest = hashlib.sha256(values["code_verifier"].encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if asked is None or asked["code_challenge"] != challenge or asked["redirect_uri"] != values["redirect_uri"]:
            return 400, {}, {"error": "invalid_grant", "error_description": f"not {values}"}
        self.is_revoked = False
        return None

    def create_tokens(self):
        self.number += 1
        access, refresh = f"access-token-number-{self.number}", f"refresh-token-number-{self.number}"
        self.access[access] = self.uses_per_token
        answer = {"access_token": access, "token_type": "bearer", "expires_in": self.lifetime, **self.extra}
        if self.rotates or self.number == 1:
            self.refresh_tokens.add(refresh)
            answer["refresh_token"] = refresh
        return 200, {}, answer

    def list_secrets(self):
        """Everything that nobody may see."""
        grants = [values[name] for values in self.grants for name in ("code", "code_verifier") if name in values]
        numbers = range(1, self.number + 1)
        tokens = [f"{kind}-token-number-{number}" for number in numbers for kind in ("access", "refresh")]
        return [CLIENT_SECRET, KEY, *tokens, *grants]


def create_login_shop(tmp_path, service, *, auth=None, **connector):
    """A project whose connection needs a login."""
    declared = {
        "kind": "oauth2_refresh", "token_url": "{base_url}/token", "authorize_url": "{base_url}/authorize",
        "authorize_params": {"scope": "read offline_access"}, "client_id": "app", "client_secret": "{client_key}",
        "redirect_url": "http://127.0.0.1:0/callback", **(auth or {}),
    }  # fmt: skip
    shop = GrammarShop(
        tmp_path / "shop", service, resource=TOKEN, connector={"auth": declared, **connector},
        secrets={"client_key": CLIENT_SECRET},
    )  # fmt: skip
    shop.env["HEADWATER_TOKEN_KEY"] = KEY
    return shop


def log_in_and_expire(shop, service):
    """Log in, and let the first access token be refused. Forget the requests."""
    assert log_in(shop)[0] == 0
    service.access.clear()
    service.grants.clear()
    service.requests.clear()


def log_in(shop, *words, browse=None):
    """Log in as a person does. `browse` opens the address, instead of a person who agrees. Return the ended process."""
    with shop.start("connection", "login", "it", "--no-browser", "--json", *words) as process:
        lines = []
        for line in process.stderr:
            lines.append(line)
            if line.strip().startswith("http"):
                (browse or agree)(line.strip())
                break
        out, err = process.communicate(timeout=60)
    return process.returncode, out, "".join(lines) + err


def agree(address):
    """Open an address in a browser, which follows redirects. Return what the last page shows."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(address, timeout=20) as page:
        return page.read().decode()
