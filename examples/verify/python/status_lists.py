# Looks up in Signet's status lists whether a token's log-in was closed (draft-ietf-oauth-status-list-21); holds no rule of the token itself.
import base64
import re
import sys
import time
import zlib
from dataclasses import dataclass
from threading import Lock
from typing import Any

import jwt

from bounded_get import get

LONGEST_ANSWER = 16 * 2**20
LARGEST_LIST = 8 * 2**20
# Seconds.
PAUSE = 1
DEFAULT_TTL = 10
LONGEST_TTL = 300
CLOCK_TOLERANCE = 300


@dataclass
class _List:
    bits: bytes | None = None
    until: float = 0


class StatusLists:
    """A list is kept for its `ttl`. The package @signet/verifier, for Node.js, also renews it ahead of time, so that nobody waits."""

    def __init__(self, jwks_url: str, issuer: str, keys: jwt.PyJWKClient) -> None:
        self._keys = keys
        self._issuer = issuer
        # Only Signet's own lists: nothing is fetched from elsewhere.
        self._uri = re.compile(re.escape(issuer.removesuffix("/")) + "(/status-lists/[0-9]+)")
        self._base = jwks_url.replace("/.well-known/jwks.json", "")
        self._lists: dict[str, _List] = {}
        self._lock = Lock()

    def check(self, claims: dict[str, Any]) -> None:
        """Raises `jwt.InvalidTokenError` where the log-in behind a token was closed. The token's signature must have been verified."""
        if "status" not in claims:
            return
        status = claims["status"]
        if not isinstance(status, dict):
            raise jwt.InvalidTokenError("the status is no object")
        # Other mechanisms than lists are not ours.
        if "status_list" not in status:
            return
        reference = status["status_list"]
        idx, uri = (reference.get("idx"), reference.get("uri")) if isinstance(reference, dict) else (None, None)
        # A bool is an int in Python.
        if type(idx) is not int or idx < 0 or not isinstance(uri, str) or not self._uri.fullmatch(uri):
            raise jwt.InvalidTokenError("the status has another form")
        bits = self._look_up(uri)
        # Without a list the token is good, so that an outage of Signet is none of yours.
        if bits is None:
            return
        if idx >= len(bits) * 8:
            raise jwt.InvalidTokenError("the status index is beyond the list")
        # A list whose renewal fails still counts here: what it says was closed stays closed.
        if bits[idx >> 3] >> (idx & 7) & 1:
            raise jwt.InvalidTokenError("the token was revoked")

    def _look_up(self, uri: str) -> bytes | None:
        # The lock is held while a list is fetched: all that need it wait for one fetch.
        with self._lock:
            known = self._lists.setdefault(uri, _List())
            start = time.monotonic()
            if start >= known.until:
                try:
                    known.bits, ttl = self._fetch(uri)
                    known.until = start + ttl
                except Exception as error:  # Whatever is wrong with a list, it must not judge a token.
                    print(f"{uri} could not be fetched, so what was closed since is not seen: {error!r}", file=sys.stderr)
                    # Soon, for closings go unseen; but where a failure takes long, tokens must not wait most of the time.
                    failed = time.monotonic()
                    known.until = failed + max(PAUSE, 2 * (failed - start))
            return known.bits

    def _fetch(self, uri: str) -> tuple[bytes, float]:
        token = get(self._base + self._uri.fullmatch(uri)[1], LONGEST_ANSWER)
        read = jwt.decode_complete(
            token,
            self._keys.get_signing_key_from_jwt(token),
            algorithms=["RS256"],
            issuer=self._issuer,
            subject=uri,
            # PyJWT would grant the clocks no tolerance.
            options={"require": ["exp", "iat", "iss", "sub"], "verify_iat": False},
        )
        if str(read["header"].get("typ")).lower().removeprefix("application/") != "statuslist+jwt":
            raise ValueError("this is no status list")
        claims = read["payload"]
        if claims["iat"] > time.time() + CLOCK_TOLERANCE:
            raise ValueError("the list was issued in the future")
        ttl = claims.get("ttl", DEFAULT_TTL)
        if ttl <= 0 or claims["status_list"]["bits"] != 1:
            raise ValueError("the list has another form")
        return _inflate(claims["status_list"]["lst"]), min(max(ttl, 1), LONGEST_TTL)


def _inflate(lst: str) -> bytes:
    inflater = zlib.decompressobj()
    bits = inflater.decompress(base64.urlsafe_b64decode(lst + "=" * (-len(lst) % 4)), LARGEST_LIST + 1)
    if not inflater.eof or len(bits) > LARGEST_LIST:
        raise ValueError("the list is too large, or cut off")
    return bits
