// Verifies envelopes, transaction tokens and re-issued tokens with `jose`, from the page about known answers and from nothing else.
//
// `node verify.mjs FOLDER` prints, for each file of the folder, `valid` or why not, as one JSON object.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { base64url, createLocalJWKSet, decodeProtectedHeader, errors, importJWK, jwtVerify } from 'jose';

const KINDS = ['tool', 'resource', 'prompt', 'completion'];
const SKEW = 60; // seconds that clocks may differ, at the beginning only

const [folder] = process.argv.slice(2);
const verdicts = {};
for (const name of readdirSync(folder).filter((name) => name.endsWith('.json'))) {
  const vector = JSON.parse(readFileSync(join(folder, name), 'utf8'));
  const verify = { envelope: verifyEnvelope, transaction: verifyTransaction, reissued: verifyReissued }[vector.kind];
  verdicts[name] = await verify(vector).then(() => 'valid', (error) => `refused: ${error.message}`);
}
process.stdout.write(JSON.stringify(verdicts));

async function verifyEnvelope({ input, jwks, now }) {
  const { meta: { signature, ...meta }, ...rest } = JSON.parse(input);
  const jwk = jwks.keys.find((key) => key.kid === meta.kid);
  ensure(jwk, 'unknown key');
  const bytes = base64url.decode(signature);
  ensure(base64url.encode(bytes) === signature, 'the signature is not base64url');
  const signed = new TextEncoder().encode(`bailiwick-envelope-v1\0${canonical({ ...rest, meta })}`);
  const good = await crypto.subtle.verify('Ed25519', await importJWK(jwk, 'EdDSA'), bytes, signed);
  ensure(good, 'the signature is wrong');
  checkTimes(meta.created_at, meta.expires_at, 300, now);
}

async function verifyTransaction({ input, jwks, now, trust_domain, service }) {
  const { payload } = await jwtVerify(input, createLocalJWKSet(jwks), {
    algorithms: ['EdDSA'],
    audience: trust_domain,
    currentDate: new Date(now * 1000),
    requiredClaims: ['iss', 'iat', 'exp', 'jti', 'txn', 'sub', 'scope', 'tctx'],
    typ: 'txntoken+jwt',
  });
  const header = Object.keys(decodeProtectedHeader(input)).sort();
  ensure(header.join() === 'alg,kid,typ', 'the header has more members than it may');
  checkTimes(payload.iat, payload.exp, 60, now);
  ensure(KINDS.includes(payload.tctx.call.kind), 'it is for a call of an unknown kind');
  const { services } = payload.tctx.delegation;
  ensure(services.length === 1 && services[0] === service, 'it is for another service');
}

// What any resource server does with an access token (RFC 9068).
async function verifyReissued({ input, jwks, now, issuer, audience }) {
  await jwtVerify(input, createLocalJWKSet(jwks), {
    algorithms: ['EdDSA', 'ES256', 'RS256'],
    audience,
    currentDate: new Date(now * 1000),
    issuer,
    requiredClaims: ['sub', 'client_id', 'scope', 'jti', 'iat', 'nbf', 'exp'],
    typ: 'at+jwt',
  });
}

function checkTimes(from, until, longest, now) {
  ensure(from <= now + SKEW, 'not yet valid');
  ensure(now < until, 'expired');
  ensure(until > from && until - from <= longest, 'valid for too long');
}

// RFC 8785 for values without floating point numbers: members by UTF-16 code units, strings as ECMAScript writes them.
function canonical(value) {
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`;
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  const members = Object.keys(value).sort().map((name) => `${JSON.stringify(name)}:${canonical(value[name])}`);
  return `{${members.join()}}`;
}

function ensure(condition, message) {
  if (!condition) throw new errors.JOSEError(message);
}
