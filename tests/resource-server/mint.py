"""Mints tokens for the resource-server suite.

Reads one order as JSON from standard input and prints one token. Exit code 3: cannot make it.
    ISSUER=https://issuer.example ISSUER_KEY=key.pem python mint.py <order.json
    python mint.py --new-key >key.pem           # a private key
    ISSUER_KEY=key.pem python mint.py --jwks    # its public half, to publish at jwks_uri
Needs PyJWT and cryptography.
"""

import base64
import hashlib
import hmac
import json
import os
import sys
import time
import uuid

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

KID = "suite-1"
CLIENT = "clerk"
KNOWN = {"subject", "audience", "scopes", "expires_in", "signed_by", "header", "claims",
         "repeated", "embedded_key"}


def main():
    if sys.argv[1:] == ["--new-key"]:
        return print(new_key().private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption()).decode(), end="")
    with open(os.environ["ISSUER_KEY"], "rb") as file:
        issuer_key = serialization.load_pem_private_key(file.read(), None)
    if sys.argv[1:] == ["--jwks"]:
        return print(json.dumps({"keys": [jwk(issuer_key)]}))
    order = json.load(sys.stdin)
    unknown = set(order) - KNOWN
    if unknown:
        unable(f"unknown members: {sorted(unknown)}")
    print(token(order, issuer_key))


def token(order, issuer_key):
    now = int(time.time())
    claims = {
        "iss": os.environ["ISSUER"], "sub": order["subject"], "aud": order["audience"],
        "client_id": CLIENT, "scope": " ".join(order["scopes"]), "iat": now,
        "exp": now + order["expires_in"], "jti": str(uuid.uuid4()),
    }
    signer = order["signed_by"]
    key = new_key() if signer == "stranger" else issuer_key
    algorithms = {"issuer": "ES256", "stranger": "ES256", "nobody": "none", "public-key": "HS256"}
    if signer not in algorithms:
        unable(f"unknown signer: {signer}")
    header = {"typ": "at+jwt", "alg": algorithms[signer], "kid": KID}
    if order.get("embedded_key"):
        header["jwk"] = jwk(key)

    text = json.dumps(changed(claims, order["claims"]))
    for name, value in order.get("repeated", {}).items():
        text = text[:-1] + f", {json.dumps(name)}: {json.dumps(value)}" + "}"
    header = json.dumps(changed(header, order["header"]))
    signed = part(header.encode()) + "." + part(text.encode())
    return signed + "." + part(signature(signer, key, signed.encode()))


def signature(signer, key, signed):
    if signer == "nobody":
        return b""
    if signer == "public-key":
        secret = key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        return hmac.new(secret, signed, hashlib.sha256).digest()
    return jwt.get_algorithm_by_name("ES256").sign(signed, key)


def changed(members, changes):
    """Returns members with changes; null removes one."""
    both = {**members, **changes}
    return {name: value for name, value in both.items() if value is not None}


def new_key():
    return ec.generate_private_key(ec.SECP256R1())


def jwk(key):
    public = json.loads(jwt.get_algorithm_by_name("ES256").to_jwk(key.public_key()))
    return {**public, "kid": KID, "alg": "ES256", "use": "sig"}


def part(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unable(why):
    print(why, file=sys.stderr)
    sys.exit(3)


main()
