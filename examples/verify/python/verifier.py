# Verifies access tokens of Signet with nothing but its public keys and status lists; holds no HTTP of its own service and no answer.
from typing import Any

import jwt

from status_lists import StatusLists


class Verifier:
    """Make one and keep it: it holds the keys and the lists. `cache` is optional: the keyword arguments of `jwt.PyJWKClient`."""

    def __init__(self, jwks_url: str, issuer: str, audience: str, **cache: Any) -> None:
        self._keys = jwt.PyJWKClient(jwks_url, **cache)
        self._lists = StatusLists(jwks_url, issuer, self._keys)
        self._issuer = issuer
        self._audience = audience

    def verify(self, token: str) -> dict[str, Any]:
        """The claims of a good token. Raises `jwt.PyJWTError` for any other."""
        read = jwt.decode_complete(
            token,
            self._keys.get_signing_key_from_jwt(token),
            algorithms=["RS256"],
            issuer=self._issuer,
            audience=self._audience,
            options={"require": ["exp", "iss", "aud", "sub"]},
        )
        # PyJWT leaves the type of a token to its caller.
        if read["header"].get("typ") != "at+jwt":
            raise jwt.InvalidTokenError("the token is not an access token")
        self._lists.check(read["payload"])
        return read["payload"]
