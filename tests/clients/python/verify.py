"""Verifies envelopes, transaction tokens and re-issued tokens with `joserfc`, from the page about known answers and
from nothing else.

`python verify.py FOLDER` prints, for each file of the folder, `valid` or why not, as one JSON object.
"""

import base64
import json
import sys
from pathlib import Path

from joserfc import jws, jwt
from joserfc.jwk import KeySet

KINDS = {"tool", "resource", "prompt", "completion"}
SKEW = 60  # seconds that clocks may differ, at the beginning only
CLAIMS = {"iss", "iat", "exp", "aud", "jti", "txn", "sub", "scope", "tctx"}


class Refused(Exception):
    """It must not be accepted."""


def main(folder):
    verdicts = {path.name: verdict(json.loads(path.read_text())) for path in Path(folder).glob("*.json")}
    print(json.dumps(verdicts))


def verdict(vector):
    try:
        VERIFIERS[vector["kind"]](vector)
    except Exception as error:  # whatever a library raises is a refusal
        return f"refused: {type(error).__name__}: {error}"
    return "valid"


def verify_envelope(vector):
    envelope = json.loads(vector["input"])
    signature = envelope["meta"].pop("signature")
    meta = envelope["meta"]
    key = KeySet.import_key_set(vector["jwks"]).get_by_kid(meta["kid"])
    signed = b"bailiwick-envelope-v1\0" + canonical(envelope)
    raw = base64.urlsafe_b64decode(signature + "=" * (-len(signature) % 4))
    ensure(base64.urlsafe_b64encode(raw).rstrip(b"=").decode() == signature, "the signature is not base64url")
    key.public_key.verify(raw, signed)
    check_times(meta["created_at"], meta["expires_at"], 300, vector["now"])


def verify_transaction(vector):
    keys = KeySet.import_key_set(vector["jwks"])
    token = jws.deserialize_compact(vector["input"], keys, algorithms=["EdDSA"])
    ensure(set(token.protected) == {"alg", "kid", "typ"}, "the header has more members than it may")
    ensure(token.protected["typ"] == "txntoken+jwt", "another type")
    claims = json.loads(token.payload)
    ensure(claims.keys() >= CLAIMS, "a claim is missing")
    ensure(claims["aud"] == vector["trust_domain"], "another audience")
    check_times(claims["iat"], claims["exp"], 60, vector["now"])
    context = claims["tctx"]
    ensure(context["call"]["kind"] in KINDS, "it is for a call of an unknown kind")
    ensure(context["delegation"]["services"] == [vector["service"]], "it is for another service")


def verify_reissued(vector):
    """What any resource server does with an access token (RFC 9068)."""
    keys = KeySet.import_key_set(vector["jwks"])
    token = jwt.decode(vector["input"], keys, algorithms=["EdDSA", "ES256", "RS256"])
    ensure(token.header["typ"] == "at+jwt", "another type")
    wanted = {name: {"essential": True} for name in ("sub", "client_id", "scope", "jti", "iat", "nbf", "exp")}
    wanted |= {"iss": {"essential": True, "value": vector["issuer"]}}
    wanted |= {"aud": {"essential": True, "value": vector["audience"]}}
    # In the second of `exp` it is too late (RFC 7519 §4.1.4); the library still accepts it then.
    jwt.JWTClaimsRegistry(now=vector["now"] + 1, leeway=0, **wanted).validate(token.claims)


VERIFIERS = {"envelope": verify_envelope, "transaction": verify_transaction, "reissued": verify_reissued}


def check_times(begin, end, longest, now):
    ensure(begin <= now + SKEW, "not yet valid")
    ensure(now < end, "expired")
    ensure(begin < end <= begin + longest, "valid for too long")


def canonical(value):
    """RFC 8785 for values without floating point numbers and without member names beyond ASCII."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()


def ensure(condition, message):
    if not condition:
        raise Refused(message)


main(*sys.argv[1:])
