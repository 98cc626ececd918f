"""Who is asking: bearer tokens in, identities out; and the embedded mode's own signing key.

Tokens are JWTs, signed with a public-key algorithm by an OpenID Connect issuer (its JWKS decides) or by
the embedded key. Claims: ``sub``, ``agency``, ``roles``, ``authorities``, ``centres``.
"""

import hashlib
import logging
import os
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Final, Protocol, get_args

import jwt
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from pydantic import TypeAdapter, ValidationError

from shared.contracts.handling import AgencyId, Caveat, Clearance
from shared.errors import InterlockError, Misconfigured, Transient
from shared.settings import Settings

ROLES: Final = frozenset({
    "submitter", "analyst", "reviewer", "supervisor", "watch_officer", "vetting", "disclosure", "operator",
    "auditor",
})  # fmt: skip
"""Every role that Interlock knows; others in a token are passed over."""
AUTHORITIES: Final = frozenset(get_args(Caveat))
"""Every authority: each lifts the caveat of its name."""

ALGORITHMS: Final = ("EdDSA", "ES256", "ES384", "PS256", "RS256")
LEEWAY_SECONDS: Final = 30
REMEMBERED: Final = 10_000
"""Tokens whose verification is remembered, per process."""
_AGENCY: Final[TypeAdapter[str]] = TypeAdapter(AgencyId)


class Unauthenticated(InterlockError):
    """There is no token, or it does not hold; the message says why."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who asks: the token's subject, its roles, and what it may see."""

    subject: str
    roles: frozenset[str]
    clearance: Clearance

    @property
    def agency(self) -> str:
        """The agency that the token speaks for."""
        return self.clearance.agency


class Verifier(Protocol):
    """Turns a bearer token into an identity; safe to use from several threads."""

    def recall(self, token: str) -> Identity | None:
        """The identity of a token that was verified before and still holds; never waits."""
        ...

    def verify(self, token: str) -> Identity:
        """The token's identity; raises ``Unauthenticated``, or ``Transient`` while the issuer is away."""
        ...


@dataclass(frozen=True, slots=True)
class SigningKey:
    """The embedded Ed25519 key, with the issuer and audience that its tokens name."""

    private: Ed25519PrivateKey
    issuer: str = "interlock"
    audience: str = "interlock"


def ensure_key(path: Path, *, issuer: str = "interlock", audience: str = "interlock") -> SigningKey:
    """The key at ``path``, made (mode 0600) where it is missing; processes may race for it."""
    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        pem = Ed25519PrivateKey.generate().private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(pem)
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)
        except FileExistsError:
            logging.getLogger(__name__).debug("another process made the signing key first")
        finally:
            draft.unlink()
    private = _load(path)
    if not isinstance(private, Ed25519PrivateKey):
        raise Misconfigured(f"INTERLOCK_KEY_FILE {path} holds no private key: signing needs one")
    return SigningKey(private, issuer, audience)


def _load(path: Path) -> Ed25519PrivateKey | Ed25519PublicKey:
    """The Ed25519 key of a PEM file, private or public; raises ``Misconfigured``."""
    try:
        pem = path.read_bytes()
    except OSError as error:
        raise Misconfigured(f"INTERLOCK_KEY_FILE {path} cannot be read: {error.strerror}") from error
    try:
        key = (
            serialization.load_pem_public_key(pem)
            if b"PUBLIC KEY" in pem
            else serialization.load_pem_private_key(pem, password=None)
        )
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise Misconfigured(f"INTERLOCK_KEY_FILE {path} is no PEM key without password") from error
    if not isinstance(key, Ed25519PrivateKey | Ed25519PublicKey):
        raise Misconfigured(f"INTERLOCK_KEY_FILE {path} must hold an Ed25519 key")
    return key


def mint(  # noqa: PLR0913 - one keyword per claim
    key: SigningKey,
    *,
    subject: str,
    agency: str,
    roles: Iterable[str],
    authorities: Iterable[str] = (),
    centres: Iterable[str] = (),
    vetted: bool = False,
    ttl: timedelta | float = timedelta(hours=8),
    now: float | None = None,
) -> str:
    """A token of the embedded key, valid for ``ttl`` (seconds or timedelta); raises ``Misconfigured``."""
    wanted = set(roles) | ({"vetting"} if vetted else set())
    if unknown := wanted - ROLES:
        raise Misconfigured(f"no role {min(unknown)!r}: use {', '.join(sorted(ROLES))}")
    if unknown := set(authorities) - AUTHORITIES:
        raise Misconfigured(f"no authority {min(unknown)!r}: use {', '.join(sorted(AUTHORITIES))}")
    try:
        _AGENCY.validate_python(agency)
    except ValidationError:
        raise Misconfigured(f"agency {agency!r} must be 9 characters such as TXZZZ0001") from None
    issued = int(time.time() if now is None else now)
    seconds = ttl.total_seconds() if isinstance(ttl, timedelta) else ttl
    claims = {
        "sub": subject,
        "agency": agency,
        "roles": sorted(wanted),
        "authorities": sorted(set(authorities)),
        "centres": sorted(set(centres)),
        "iss": key.issuer,
        "aud": key.audience,
        "iat": issued,
        "exp": issued + int(seconds),
    }
    return jwt.encode(claims, key.private, algorithm="EdDSA", headers={"kid": "embedded"})


class TokenVerifier:
    """Checks signature, issuer, audience and times, and remembers tokens until they expire."""

    def __init__(
        self,
        key_of: Callable[[str], Any],
        issuer: str,
        audience: str,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """``key_of(token)`` gives the key that must have signed it, or raises ``Unauthenticated``."""
        self._key_of = key_of
        self._issuer = issuer
        self._audience = audience
        self._clock = clock
        self._known: OrderedDict[bytes, tuple[float, Identity]] = OrderedDict()
        self._lock = threading.Lock()

    def recall(self, token: str) -> Identity | None:
        """The identity of a token that was verified before and still holds; never waits."""
        known = self._known.get(_digest(token))
        return known[1] if known is not None and self._clock() < known[0] else None

    def verify(self, token: str) -> Identity:
        """The token's identity; raises ``Unauthenticated`` or ``Transient``."""
        if known := self.recall(token):
            return known
        claims = self._claims(token, self._clock())
        identity = _identity(claims)
        with self._lock:
            self._known[_digest(token)] = (float(claims["exp"]) + LEEWAY_SECONDS, identity)
            while len(self._known) > REMEMBERED:
                self._known.popitem(last=False)
        return identity

    def _claims(self, token: str, now: float) -> dict[str, Any]:
        try:
            claims: dict[str, Any] = jwt.decode(
                token,
                self._key_of(token),
                algorithms=list(ALGORITHMS),
                issuer=self._issuer,
                audience=self._audience,
                options={
                    "require": ["exp", "iat", "sub"],
                    "verify_exp": False,
                    "verify_nbf": False,
                    "verify_iat": False,
                },
            )
            if float(claims["exp"]) + LEEWAY_SECONDS <= now:
                raise Unauthenticated("the token has expired: get a new one")
            if max(float(claims["iat"]), float(claims.get("nbf", 0))) - LEEWAY_SECONDS > now:
                raise Unauthenticated("the token is not valid yet: check the clocks of issuer and service")
        except jwt.InvalidIssuerError:
            raise Unauthenticated("the token comes from another issuer") from None
        except jwt.InvalidAudienceError:
            raise Unauthenticated("the token is meant for another audience") from None
        except jwt.MissingRequiredClaimError as error:
            raise Unauthenticated(f"the token lacks the claim {error.claim!r}") from None
        except (jwt.PyJWTError, ValueError, TypeError):
            raise Unauthenticated(
                "the token does not verify: it is malformed or signed by another key"
            ) from None
        return claims


def _digest(token: str) -> bytes:
    """What is kept of a token: not the token, which would still open doors."""
    return hashlib.sha256(token.encode()).digest()


def _identity(claims: dict[str, Any]) -> Identity:
    """The identity of verified claims; raises ``Unauthenticated`` where they do not make one."""
    try:
        agency = _AGENCY.validate_python(claims.get("agency"))
    except ValidationError:
        raise Unauthenticated("the token's claim 'agency' must be a 9-character agency id") from None
    sets = {}
    for name in ("roles", "authorities", "centres"):
        values = claims.get(name, [])
        if not isinstance(values, list) or not all(isinstance(v, str) for v in values):
            raise Unauthenticated(f"the token's claim {name!r} must be a list of texts")
        sets[name] = frozenset(values)
    roles = sets["roles"] & ROLES
    clearance = Clearance(
        agency, sets["centres"], sets["authorities"] & AUTHORITIES, vetted="vetting" in roles
    )
    return Identity(str(claims["sub"]), roles, clearance)


class Jwks:
    """An issuer's published keys: fetched when first needed, again hourly and for an unknown key id."""

    MAX_AGE: Final = 3600.0
    """Seconds after which the keys are fetched again."""
    MIN_AGE: Final = 30.0
    """Seconds between two fetches, whatever tokens with invented key ids ask for."""

    def __init__(
        self,
        url: str,
        fetch: Callable[[str], dict[str, Any]] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._url = url
        self._fetch = fetch or _fetch_json
        self._clock = clock
        self._keys: dict[str, Any] = {}
        self._tried = self._fresh = float("-inf")
        self._lock = threading.Lock()

    def key_of(self, token: str) -> Any:
        """The key that the token's header names; raises ``Unauthenticated`` or ``Transient``."""
        try:
            header = jwt.get_unverified_header(token)
        except jwt.PyJWTError:
            raise Unauthenticated("the bearer token is no JWT") from None
        kid = str(header.get("kid", ""))
        with self._lock:
            now = self._clock()
            stale = kid not in self._keys or now - self._fresh > self.MAX_AGE
            if stale and now - self._tried > self.MIN_AGE:
                self._refresh(now)
            key = self._keys.get(kid)
            if key is None and self._fresh < self._tried:
                raise Transient("the token issuer's keys cannot be fetched", retry_after=self.MIN_AGE)
        if key is None:
            raise Unauthenticated("the token is signed by a key that its issuer does not publish")
        return key

    def _refresh(self, now: float) -> None:
        """Replace the keys; where the issuer does not answer, the old ones stay."""
        self._tried = now
        try:
            published = jwt.PyJWKSet.from_dict(self._fetch(self._url))
        except (Transient, jwt.PyJWTError, ValueError, AttributeError, TypeError) as error:
            logging.getLogger(__name__).warning("keys of the token issuer not fetched: %s", error)
            return
        self._keys = {str(key.key_id or ""): key for key in published.keys}
        self._fresh = now


def _fetch_json(url: str) -> dict[str, Any]:
    import httpx  # noqa: PLC0415 - takes long, and only a deployment with an issuer of its own needs it

    try:
        answer = httpx.get(url, timeout=5.0, follow_redirects=True)
        answer.raise_for_status()
    except httpx.HTTPError as error:
        raise Transient(f"{url}: {error}") from error
    document: dict[str, Any] = answer.json()
    return document


def verifier_from(settings: Settings) -> Verifier:
    """The verifier that the settings ask for: the issuer's JWKS, or the embedded key (made if missing)."""
    if settings.jwks_url:
        return TokenVerifier(Jwks(settings.jwks_url).key_of, settings.issuer, settings.audience)
    if not settings.key_file.exists():
        ensure_key(settings.key_file)
    key = _load(settings.key_file)
    public = key.public_key() if isinstance(key, Ed25519PrivateKey) else key
    return TokenVerifier(lambda _: public, settings.issuer, settings.audience)


def signing_key(settings: Settings) -> SigningKey:
    """The embedded key, with the settings' issuer and audience; what ``interlock token`` signs with."""
    return ensure_key(settings.key_file, issuer=settings.issuer, audience=settings.audience)


def derive_secret(settings: Settings, purpose: str, length: int = 32) -> bytes:
    """``length`` secret bytes for one purpose, equal on all replicas; from the secret, else the key file."""
    if settings.secret:
        material = settings.secret.encode()
    elif settings.jwks_url:
        raise Misconfigured("INTERLOCK_SECRET must be set with INTERLOCK_JWKS_URL, equal on all replicas")
    else:
        material = ensure_key(settings.key_file).private.private_bytes_raw()
    return HKDF(hashes.SHA256(), length, salt=b"interlock", info=purpose.encode()).derive(material)
