"""How a service in Python learns who asks: it verifies the `Txn-Token` header with `joserfc`."""

import json
import time

from joserfc import jws


def who_asks(token, keys, trust_domain, service, now=None):
    now = time.time() if now is None else now
    verified = jws.deserialize_compact(token, keys, algorithms=["EdDSA"])
    claims, context = (payload := json.loads(verified.payload)), payload["tctx"]
    known = verified.protected["typ"] == "txntoken+jwt" and set(verified.protected) == {"alg", "kid", "typ"}
    timely = claims["iat"] <= now + 60 and now < claims["exp"] and claims["iat"] < claims["exp"] <= claims["iat"] + 60
    mine = claims["aud"] == trust_domain and context["delegation"]["services"] == [service]
    if not (known and timely and mine):
        raise ValueError("not a transaction token for this service")
    user = (context["actor_iss"], claims["sub"].split("|", 1)[1], context.get("tenant"), context["actor_type"])
    return {"user": user, "agent": claims["act"]["sub"], "scopes": claims["scope"].split(), "call": claims["txn"], "once": claims["jti"]}
