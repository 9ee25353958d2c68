"""Assertions that a private key signs, against a service that verifies them with the public key."""

from __future__ import annotations

import base64
import hashlib
import json
from datetime import UTC, datetime, timedelta
from functools import cache
from urllib.parse import parse_qsl

import pytest
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils

from tests.e2e.grammar.paged_services import TOKEN, TokenService
from tests.e2e.grammar.shop import GrammarShop, build_things, list_ids, serve

JWT_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


@cache
def create_key(kind):
    if kind == "rsa":
        return rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return ec.generate_private_key(ec.SECP256R1() if kind == "ec" else ec.SECP384R1())


def to_pem(key):
    form = serialization.PrivateFormat.PKCS8
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()).decode()


@cache
def create_certificate():
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "headwater test")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).serial_number(17)
    builder = builder.not_valid_before(now).not_valid_after(now + timedelta(days=1))
    return builder.public_key(create_key("rsa").public_key()).sign(create_key("rsa"), hashes.SHA256())


def decode(part):
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


class AssertionService(TokenService):
    """Gives a token for two requests to whoever signs with the right key."""

    def __init__(self, key, algorithm, field="assertion"):
        super().__init__(build_things(18))
        self.key, self.algorithm, self.field = key, algorithm, field
        self.grants, self.assertions, self.uses = [], [], 0

    def build_answer(self, request):
        if request.path == "/token":
            return self.grant(dict(parse_qsl(request.body.decode())))
        if request.headers.get("Authorization") != f"Bearer token-{len(self.assertions)}" or not self.uses:
            return 401, {}, {}
        self.uses -= 1
        return super().build_answer(request)

    def grant(self, values):
        assertion = values.pop(self.field)
        text, _, signature = assertion.rpartition(".")
        header, claims = (json.loads(decode(part)) for part in text.split("."))
        try:
            assert header["alg"] == self.algorithm
            self.verify(decode(signature), text.encode())
        except (AssertionError, InvalidSignature):
            return 400, {}, {"error": "invalid_grant", "error_description": f"cannot verify {assertion}"}
        self.grants.append(values)
        self.assertions.append((header, claims, assertion))
        self.uses = 2
        return 200, {}, {"access_token": f"token-{len(self.assertions)}"}

    def verify(self, signature, text):
        public, digest = self.key.public_key(), hashes.SHA256()
        if self.algorithm == "ES256":
            assert len(signature) == 64
            halves = (int.from_bytes(part, "big") for part in (signature[:32], signature[32:]))
            public.verify(utils.encode_dss_signature(*halves), text, ec.ECDSA(digest))
        elif self.algorithm == "PS256":
            public.verify(signature, text, padding.PSS(padding.MGF1(digest), digest.digest_size), digest)
        else:
            public.verify(signature, text, padding.PKCS1v15(), digest)


CLAIMS = {"iss": "app-id", "sub": "{user}", "aud": "https://login.example.com", "scope": "read all"}


def create(tmp_path, service, key, **auth):
    declared = {"token_url": "{base_url}/token", "private_key": "{private_key}", **auth}
    return GrammarShop(
        tmp_path / "shop", service, resource=TOKEN, connector={"auth": declared}, settings={"user": "me@example.com"},
        secrets={"private_key": key, "certificate": create_certificate().public_bytes(serialization.Encoding.PEM).decode()},
    )  # fmt: skip


@pytest.mark.parametrize(("kind", "algorithm"), [("rsa", "RS256"), ("rsa", "PS256"), ("ec", "ES256")])
def test_a_signed_assertion_buys_tokens(tmp_path, kind, algorithm):
    before = datetime.now(UTC).timestamp()
    with serve(AssertionService(create_key(kind), algorithm)) as service:
        auth = {"kind": "oauth2_jwt", "algorithm": algorithm, "claims": CLAIMS, "key_id": "key-7", "lifetime": "2m"}
        # As it is in an environment variable of many systems.
        shop = create(tmp_path, service, to_pem(create_key(kind)).replace("\n", "\\n"), **auth)
        shop.run()
        assert shop.read_ids() == list_ids(service.records)
        assert service.grants == [{"grant_type": JWT_GRANT}] * 3
        header, claims, _ = service.assertions[0]
        assert header == {"alg": algorithm, "typ": "JWT", "kid": "key-7"}
        times = {name: claims.pop(name) for name in ("iat", "nbf", "exp")}
        assert times["iat"] == times["nbf"] < before
        assert -1 <= times["exp"] - before - 120 < 60
        assert len({claims["jti"] for _, claims, _ in service.assertions}) == 3
        assert {name: claims[name] for name in CLAIMS} == CLAIMS | {"sub": "me@example.com"}


@pytest.mark.parametrize(("algorithm", "header"), [("PS256", "x5t#S256"), ("RS256", "x5t")])
def test_a_certificate_takes_the_place_of_the_client_secret(tmp_path, algorithm, header):
    digest = hashes.SHA256() if algorithm == "PS256" else hashes.SHA1()
    with serve(AssertionService(create_key("rsa"), algorithm, "client_assertion")) as service:
        shop = create(
            tmp_path, service, to_pem(create_key("rsa")), kind="oauth2_certificate", client_id="app-id",
            certificate="{certificate}", algorithm=algorithm, params={"scope": "https://api/.default"},
        )  # fmt: skip
        shop.run()
        assert shop.read_ids() == list_ids(service.records)
        grant = {"grant_type": "client_credentials", "client_assertion_type": ASSERTION_TYPE}
        assert service.grants[0] == grant | {"client_id": "app-id", "scope": "https://api/.default"}
        headers, claims, _ = service.assertions[0]
        assert decode(headers[header]) == create_certificate().fingerprint(digest)
        assert (claims["iss"], claims["sub"], claims["aud"]) == ("app-id", "app-id", f"{service.url}/token")


def test_an_assertion_that_the_service_refuses_and_repeats_is_not_shown(tmp_path):
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    with serve(AssertionService(create_key("rsa"), "RS256")) as service:
        shop = create(tmp_path, service, to_pem(other), kind="oauth2_jwt", claims=CLAIMS)
        result = shop("connection", "test", "it", code=1)
        assert result.error["found"] == "cannot verify ***"
        assert "eyJ" not in result.out + result.err


@pytest.mark.parametrize(
    ("key", "algorithm", "message"),
    [
        ("nonsense-that-nobody-may-see", "RS256", "The private key cannot be read."),
        (to_pem(create_key("ec")), "RS256", "The private key cannot sign with RS256."),
        (to_pem(create_key("rsa")), "ES256", "The private key cannot sign with ES256."),
        (to_pem(create_key("other curve")), "ES256", "The private key cannot sign with ES256."),
    ],
    ids=["not a key", "another kind", "another algorithm", "another curve"],
)
def test_a_key_that_cannot_sign_is_refused_before_anything_is_sent(tmp_path, key, algorithm, message):
    with serve(AssertionService(create_key("rsa"), algorithm)) as service:
        shop = create(tmp_path, service, key, kind="oauth2_jwt", claims=CLAIMS, algorithm=algorithm)
        result = shop("connection", "test", "it", code=2)
        assert result.error["message"] == message
        assert key not in result.out + result.err
        assert service.requests == []


def test_an_encrypted_key_is_refused(tmp_path):
    encryption = serialization.BestAvailableEncryption(b"password")
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption)
    with serve(AssertionService(create_key("rsa"), "RS256")) as service:
        key = create_key("rsa").private_bytes(*form).decode()
        error = create(tmp_path, service, key, kind="oauth2_jwt", claims=CLAIMS)(
            "connection", "test", "it", code=2
        ).error
        assert "without a password" in error["fix"]


def test_times_of_the_assertion_are_not_declared(tmp_path):
    with serve(AssertionService(create_key("rsa"), "RS256")) as service:
        shop = create(tmp_path, service, "unused", kind="oauth2_jwt", claims=CLAIMS | {"exp": "17"})
        assert "`lifetime:`" in shop("check", code=2).out


def test_a_certificate_that_cannot_be_read_is_refused(tmp_path):
    with serve(AssertionService(create_key("rsa"), "PS256", "client_assertion")) as service:
        shop = create(
            tmp_path, service, to_pem(create_key("rsa")), kind="oauth2_certificate", client_id="x", certificate="{user}"
        )
        assert shop("connection", "test", "it", code=2).error["message"] == "The certificate cannot be read."


def test_thumbprints_are_digests_of_the_certificate():
    der = create_certificate().public_bytes(serialization.Encoding.DER)
    assert create_certificate().fingerprint(hashes.SHA256()) == hashlib.sha256(der).digest()
