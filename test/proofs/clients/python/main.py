# Goes through all steps with Authlib; holds no rule of the protocol, which is the library's.
import json
import os
import re
import secrets
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import requests
from authlib.integrations.base_client.errors import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from authlib.oidc.core import CodeIDToken, UserInfo
from joserfc import jwt
from joserfc.jwk import KeySet, import_key

ISSUER, PERSON, CALLBACK = os.environ["ISSUER"], os.environ["PERSON"], os.environ["CALLBACK"]
AFTER_LOG_OUT, RESOURCE, OTHER_RESOURCE = os.environ["AFTER_LOG_OUT"], os.environ["RESOURCE"], os.environ["OTHER_RESOURCE"]
CLIENTS = json.loads(os.environ["CLIENTS"])
SCOPE = "openid profile email offline_access orders"

server = requests.get(f"{ISSUER}/.well-known/openid-configuration", timeout=10).json()
keys = KeySet.import_key_set(requests.get(server["jwks_uri"], timeout=10).json())


def session(name: str, method: Any, secret: Any = None, redirect: str = CALLBACK, challenge: str | None = "S256") -> OAuth2Session:
    told = CLIENTS[name]
    return OAuth2Session(
        told["client_id"],
        secret or told.get("client_secret"),
        token_endpoint_auth_method=method,
        scope=SCOPE,
        redirect_uri=redirect,
        code_challenge_method=challenge,
    )


def browse(address: str, decision: str = "allow") -> str:
    answer = requests.post(PERSON, params={"decision": decision}, data=address.encode(), timeout=30)
    if answer.status_code != 200:
        raise RuntimeError(answer.text)
    return answer.text


def authorize(client: OAuth2Session, decision: str = "allow", **asked: Any) -> dict[str, str]:
    verifier, nonce = secrets.token_urlsafe(48), secrets.token_urlsafe(16)
    address, state = client.create_authorization_url(server["authorization_endpoint"], code_verifier=verifier, nonce=nonce, **asked)
    return {"answer": browse(address, decision), "verifier": verifier, "nonce": nonce, "state": state}


def redeem(client: OAuth2Session, answer: str, verifier: str, nonce: str, state: str) -> tuple[dict[str, Any], CodeIDToken]:
    client.token = None
    # Authlib leaves a refusal, and who gave the answer, to its caller.
    told = {name: values[0] for name, values in parse_qs(urlsplit(answer).query).items()}
    same((told["iss"], told["state"]), (ISSUER, state))
    if "error" in told:
        raise OAuthError(told["error"], told["error_description"])
    token = client.fetch_token(server["token_endpoint"], authorization_response=answer, state=state, code_verifier=verifier)
    read = jwt.decode(token["id_token"], keys, algorithms=["RS256"])
    options = {"iss": {"values": [ISSUER]}, "aud": {"values": [client.client_id]}, "auth_time": {"essential": True}, "sid": {"essential": True}}
    params = {"nonce": nonce, "client_id": client.client_id, "access_token": token["access_token"]}
    claims = CodeIDToken(read.claims, read.header, options=options, params=params)
    claims.validate()
    return token, claims


def log_in(client: OAuth2Session, decision: str = "allow", **asked: Any) -> tuple[dict[str, Any], CodeIDToken]:
    return redeem(client, **authorize(client, decision, **asked))


def refresh(client: OAuth2Session, token: str, **more: Any) -> dict[str, Any]:
    return client.refresh_token(server["token_endpoint"], refresh_token=token, **more)


def introspect(client: OAuth2Session, token: str) -> dict[str, Any]:
    return client.introspect_token(server["introspection_endpoint"], token=token).json()


def userinfo(token: str) -> requests.Response:
    bearer = OAuth2Session(token={"access_token": token, "token_type": "Bearer"})
    return bearer.get(server["userinfo_endpoint"])


def same(actual: Any, expected: Any) -> None:
    if actual != expected:
        raise AssertionError(f"{actual!r} is not {expected!r}")


def refused(call: Callable[[], Any], code: str) -> None:
    try:
        value = call()
    except (OAuthError, RuntimeError) as error:
        if code not in str(error):
            raise
        return
    raise AssertionError(f"was answered with {value!r}")


web, public = session("web", "client_secret_basic"), session("public", "none")
tokens, id_token = log_in(web)


def check_discovery() -> None:
    same(server["issuer"], ISSUER)
    same(requests.get(f"{ISSUER}/.well-known/oauth-authorization-server", timeout=10).json(), server)


def check_refresh() -> None:
    following = refresh(web, tokens["refresh_token"])
    same((following["refresh_token"] == tokens["refresh_token"], following["scope"]), (False, SCOPE))


def check_repeat() -> None:
    same(refresh(web, tokens["refresh_token"])["refresh_token"], refresh(web, tokens["refresh_token"])["refresh_token"])


def check_reuse() -> None:
    first, _ = log_in(web)
    third = refresh(web, refresh(web, first["refresh_token"])["refresh_token"])
    for used in (first, third):
        refused(lambda used=used: refresh(web, used["refresh_token"]), "invalid_grant")


def check_resource() -> None:
    token, _ = log_in(web, resource=OTHER_RESOURCE)
    same(introspect(web, token["access_token"])["aud"], OTHER_RESOURCE)
    refused(lambda: refresh(web, token["refresh_token"], resource=RESOURCE), "invalid_target")


def check_private_key() -> None:
    told = CLIENTS["key"]
    client = session("key", "private_key_jwt", import_key(told["jwk"]))
    client.register_client_auth_method(PrivateKeyJWT(server["token_endpoint"], alg="ES256", headers={"kid": told["jwk"]["kid"]}))
    token, claims = log_in(client)
    same(claims["aud"], told["client_id"])
    same(refresh(client, token["refresh_token"])["token_type"], "Bearer")


def check_client_credentials() -> None:
    token = session("service", "client_secret_basic").fetch_token(server["token_endpoint"], grant_type="client_credentials", scope="orders", resource=RESOURCE)
    same((token["scope"], token["expires_in"], "refresh_token" in token), ("orders", 600, False))


def check_introspection() -> None:
    told = introspect(web, tokens["access_token"])
    same((told["active"], told["sub"], told["scope"], told["aud"]), (True, id_token["sub"], SCOPE, RESOURCE))
    same(introspect(session("post", "client_secret_post"), tokens["refresh_token"]), {"active": False})


def check_revocation() -> None:
    token, _ = log_in(web)
    same(web.revoke_token(server["revocation_endpoint"], token=token["refresh_token"], token_type_hint="refresh_token").status_code, 200)
    same(introspect(web, token["access_token"]), {"active": False})
    same(userinfo(token["access_token"]).status_code, 401)


def check_code_twice() -> None:
    answer = authorize(web)
    token, _ = redeem(web, **answer)
    refused(lambda: redeem(web, **answer), "invalid_grant")
    refused(lambda: refresh(web, token["refresh_token"]), "invalid_grant")


def check_wrong_verifier() -> None:
    answer = authorize(web)
    refused(lambda: redeem(web, **{**answer, "verifier": secrets.token_urlsafe(48)}), "invalid_grant")
    redeem(web, **answer)


def check_wrong_secret() -> None:
    for name, method in (("web", "client_secret_basic"), ("post", "client_secret_post")):
        refused(lambda name=name, method=method: refresh(session(name, method, "wrong"), tokens["refresh_token"]), "invalid_client")


def check_logout() -> None:
    token, _ = log_in(web)
    asked = {"id_token_hint": token["id_token"], "post_logout_redirect_uri": AFTER_LOG_OUT, "state": "over"}
    same(browse(f"{server['end_session_endpoint']}?{urlencode(asked)}"), f"{AFTER_LOG_OUT}?state=over")
    same(introspect(web, token["access_token"]), {"active": False})


STEPS: dict[str, Callable[[], Any]] = {
    "discovery": check_discovery,
    "code": lambda: same((tokens["token_type"], tokens["scope"], tokens["expires_in"]), ("Bearer", SCOPE, 600)),
    "id-token": lambda: same((id_token["amr"], id_token["email_verified"]), (["pwd"], False)),
    "userinfo": lambda: same(dict(UserInfo(userinfo(tokens["access_token"]).json())), {"sub": id_token["sub"], "name": "Ada", "email": id_token["email"], "email_verified": False}),
    "refresh": check_refresh,
    "repeat": check_repeat,
    "reuse": check_reuse,
    "resource": check_resource,
    "silent": lambda: same(log_in(web, prompt="none")[1]["sub"], id_token["sub"]),
    "max-age": lambda: log_in(web, max_age=0),
    "public": lambda: refresh(public, log_in(public)[0]["refresh_token"]),
    "loopback": lambda: log_in(session("public", "none", redirect=re.sub(r":\d+/", ":65000/", CALLBACK))),
    "secret-post": lambda: log_in(session("post", "client_secret_post")),
    "private-key": check_private_key,
    "client-credentials": check_client_credentials,
    "introspection": check_introspection,
    "revocation": check_revocation,
    "access-denied": lambda: refused(lambda: log_in(web, "deny", prompt="consent"), "access_denied"),
    "untrusted-redirect": lambda: refused(lambda: log_in(session("web", "client_secret_basic", redirect="https://stranger.example/")), "400 You cannot be sent on"),
    "no-challenge": lambda: refused(lambda: log_in(session("public", "none", challenge=None)), "invalid_request"),
    "unknown-scope": lambda: refused(lambda: session("service", "client_secret_basic").fetch_token(server["token_endpoint"], grant_type="client_credentials", scope="admin"), "invalid_scope"),
    "unknown-resource": lambda: refused(lambda: log_in(web, resource="https://stranger.example/"), "invalid_target"),
    "code-twice": check_code_twice,
    "wrong-verifier": check_wrong_verifier,
    "wrong-secret": check_wrong_secret,
    "wrong-grant": lambda: refused(lambda: web.fetch_token(server["token_endpoint"], grant_type="client_credentials"), "unauthorized_client"),
    "wrong-token": lambda: same("invalid_token" in userinfo(tokens["access_token"] + "x").headers["www-authenticate"], True),
    "logout": check_logout,
    "login-required": lambda: refused(lambda: log_in(web, prompt="none"), "login_required"),
}

for name, step in STEPS.items():
    try:
        step()
        print(f"passed {name}", flush=True)
    except Exception as error:  # Whatever a library throws is what the step came to.
        print(f"failed {name}: {type(error).__name__} {' '.join(str(error).split())}", flush=True)
