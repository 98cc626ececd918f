"""A token is an identity only while everything about it holds."""

import stat
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from jwt.algorithms import ECAlgorithm

from shared.auth import (
    Jwks,
    SigningKey,
    TokenVerifier,
    Unauthenticated,
    derive_secret,
    ensure_key,
    mint,
    signing_key,
    verifier_from,
)
from shared.errors import Misconfigured, Transient
from shared.settings import Settings

AGENCY = "TXZZZ0001"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path)


def token(key: SigningKey, **changes: Any) -> str:
    terms: dict[str, Any] = {"subject": "ana", "agency": AGENCY, "roles": ["analyst"]} | changes
    return mint(key, **terms)


def test_a_minted_token_verifies_with_all_it_grants(settings: Settings) -> None:
    verifier = verifier_from(settings)
    who = verifier.verify(
        token(
            signing_key(settings),
            roles=["analyst", "submitter"],
            authorities=["BSA"],
            centres=["EPIC"],
            vetted=True,
        )
    )
    assert who.subject == "ana"
    assert who.agency == AGENCY
    assert who.roles == {"analyst", "submitter", "vetting"}
    assert who.clearance.authorities == {"BSA"}
    assert who.clearance.centres == {"EPIC"}
    assert who.clearance.vetted


def test_a_token_ends_when_it_says_even_if_it_was_seen_before(settings: Settings) -> None:
    key = signing_key(settings)
    now = [1_000_000.0]
    verifier = TokenVerifier(lambda _: key.private.public_key(), "interlock", "interlock", lambda: now[0])
    text = token(key, ttl=timedelta(minutes=5), now=now[0])
    assert verifier.verify(text).agency == AGENCY
    now[0] += 329
    assert verifier.verify(text).agency == AGENCY
    now[0] += 2
    with pytest.raises(Unauthenticated, match="expired"):
        verifier.verify(text)


def test_a_token_from_the_future_waits(settings: Settings) -> None:
    key = signing_key(settings)
    verifier = TokenVerifier(lambda _: key.private.public_key(), "interlock", "interlock", lambda: 1000.0)
    with pytest.raises(Unauthenticated, match="not valid yet"):
        verifier.verify(token(key, now=2000))


@pytest.mark.parametrize("text", ["", "x", "a.b.c", "é" * 50, "eyJhbGciOiJub25lIn0.e30."])
def test_what_is_no_token_is_refused(settings: Settings, text: str) -> None:
    with pytest.raises(Unauthenticated):
        verifier_from(settings).verify(text)


def test_another_key_issuer_or_audience_is_refused(settings: Settings, tmp_path: Path) -> None:
    verifier = verifier_from(settings)
    stranger = ensure_key(tmp_path / "other.pem")
    with pytest.raises(Unauthenticated, match="another key"):
        verifier.verify(token(stranger))
    with pytest.raises(Unauthenticated, match="another issuer"):
        verifier.verify(token(replace(signing_key(settings), issuer="x")))
    with pytest.raises(Unauthenticated, match="another audience"):
        verifier.verify(token(replace(signing_key(settings), audience="x")))


def test_symmetric_and_unsigned_tokens_are_refused(settings: Settings) -> None:
    verifier = verifier_from(settings)
    public = signing_key(settings).private.public_key()
    pem = public.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    claims = {"sub": "x", "agency": AGENCY, "iss": "interlock", "aud": "interlock", "iat": 1, "exp": 9e9}
    for forged in (jwt.encode(claims, pem, "HS256"), jwt.encode(claims, None, "none")):
        with pytest.raises(Unauthenticated):
            verifier.verify(forged)


@pytest.mark.parametrize(
    ("claims", "said"),
    [
        ({"agency": "nope"}, "agency"),
        ({"agency": None}, "agency"),
        ({"roles": "analyst"}, "roles"),
        ({"authorities": [1]}, "authorities"),
        ({"sub": None}, "sub"),
        ({"exp": None}, "exp"),
    ],
)
def test_claims_that_make_no_identity_are_named(settings: Settings, claims: Any, said: str) -> None:
    base = {
        "sub": "x",
        "agency": AGENCY,
        "iss": "interlock",
        "aud": "interlock",
        "iat": 1,
        "exp": 9_000_000_000,
    }
    full = {k: v for k, v in (base | claims).items() if v is not None}
    text = jwt.encode(full, signing_key(settings).private, "EdDSA")
    with pytest.raises(Unauthenticated, match=said):
        verifier_from(settings).verify(text)


def test_roles_of_other_systems_are_passed_over(settings: Settings) -> None:
    key = signing_key(settings)
    claims = {
        "sub": "x", "agency": AGENCY, "iss": "interlock", "aud": "interlock", "iat": 1, "exp": 9_000_000_000,
        "roles": ["analyst", "offline_access"], "authorities": ["BSA", "ROOT"],
    }  # fmt: skip
    who = verifier_from(settings).verify(jwt.encode(claims, key.private, "EdDSA"))
    assert who.roles == {"analyst"}
    assert who.clearance.authorities == {"BSA"}


@pytest.mark.parametrize(
    "wrong", [{"agency": "short"}, {"roles": ["king"]}, {"authorities": ["ROOT"]}], ids=str
)
def test_minting_refuses_what_would_not_verify(settings: Settings, wrong: dict[str, Any]) -> None:
    with pytest.raises(Misconfigured):
        token(signing_key(settings), **wrong)


def test_the_key_is_private_and_made_once_whoever_comes_first(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "signing.pem"
    with ThreadPoolExecutor(8) as pool:
        keys = list(pool.map(lambda _: ensure_key(path).private.private_bytes_raw(), range(16)))
    assert len(set(keys)) == 1
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [p.name for p in path.parent.iterdir()] == ["signing.pem"]


def test_a_public_key_is_enough_to_verify_but_not_to_sign(settings: Settings, tmp_path: Path) -> None:
    text = token(signing_key(settings))
    public = tmp_path / "public.pem"
    public.write_bytes(
        signing_key(settings)
        .private.public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    assert verifier_from(replace(settings, key_file=public)).verify(text).agency == AGENCY
    with pytest.raises(Misconfigured, match="no private key"):
        ensure_key(public)


def test_a_broken_key_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "broken.pem"
    path.write_text("not a key")
    with pytest.raises(Misconfigured, match=r"broken\.pem"):
        ensure_key(path)


class Issuer:
    """An OpenID Connect issuer with one key, which counts fetches and can be away."""

    def __init__(self) -> None:
        self.key = generate_private_key(SECP256R1())
        self.kid = "k1"
        self.fetches = 0
        self.away = False

    def fetch(self, _url: str) -> dict[str, Any]:
        self.fetches += 1
        if self.away:
            raise Transient("away")
        jwk = ECAlgorithm.to_jwk(self.key.public_key(), as_dict=True)
        return {"keys": [jwk | {"kid": self.kid, "use": "sig", "alg": "ES256"}]}

    def token(self) -> str:
        claims = {
            "sub": "x",
            "agency": AGENCY,
            "iss": "idp",
            "aud": "interlock",
            "iat": 1,
            "exp": 9_000_000_000,
        }
        return jwt.encode(claims, self.key, "ES256", headers={"kid": self.kid})


def test_an_issuers_keys_are_fetched_once_and_again_for_a_new_key() -> None:
    issuer, now = Issuer(), [0.0]
    verifier = TokenVerifier(Jwks("url", issuer.fetch, lambda: now[0]).key_of, "idp", "interlock")
    old = issuer.token()
    assert verifier.verify(old).agency == AGENCY
    assert verifier.verify(old).agency == AGENCY
    assert issuer.fetches == 1
    issuer.key, issuer.kid = generate_private_key(SECP256R1()), "k2"
    with pytest.raises(Unauthenticated, match="does not publish"):
        verifier.verify(issuer.token())
    now[0] = 31.0
    assert verifier.verify(issuer.token()).agency == AGENCY
    assert issuer.fetches == 2


def test_while_the_issuer_is_away_known_keys_hold_and_others_wait() -> None:
    issuer, now = Issuer(), [0.0]
    verifier = TokenVerifier(Jwks("url", issuer.fetch, lambda: now[0]).key_of, "idp", "interlock")
    verifier.verify(issuer.token())
    issuer.away, now[0] = True, 4000.0
    other = jwt.encode({"sub": "y"}, Ed25519PrivateKey.generate(), "EdDSA", headers={"kid": "k9"})
    with pytest.raises(Transient):
        verifier.verify(other)
    assert verifier.verify(issuer.token() + "") is not None


def test_secrets_differ_by_purpose_and_agree_between_replicas(settings: Settings) -> None:
    assert derive_secret(settings, "receipts") == derive_secret(Settings(home=settings.home), "receipts")
    assert derive_secret(settings, "receipts") != derive_secret(settings, "hashes")
    with pytest.raises(Misconfigured, match="INTERLOCK_SECRET"):
        derive_secret(Settings(home=settings.home, jwks_url="https://idp/jwks"), "receipts")
    shared_secret = Settings(secret="s" * 32, jwks_url="https://idp/jwks")
    assert len(derive_secret(shared_secret, "receipts", 64)) == 64


def test_an_issuer_that_does_not_answer_is_transient() -> None:
    with pytest.raises(Transient):
        Jwks("http://127.0.0.1:1/keys").key_of(Issuer().token())
