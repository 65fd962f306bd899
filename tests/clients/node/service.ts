// How a service in TypeScript learns who asks: it verifies the `Txn-Token` header with `jose`.

import { jwtVerify, type JWTVerifyGetKey } from 'jose';

export async function whoAsks(token: string, keys: JWTVerifyGetKey, trustDomain: string, service: string, now = new Date()) {
  const verified = await jwtVerify(token, keys, { algorithms: ['EdDSA'], audience: trustDomain, typ: 'txntoken+jwt', currentDate: now });
  const { payload: { iat = 0, exp = 0, sub = '', jti, txn, act, tctx, scope, aud }, protectedHeader } = verified as any;
  const early = iat > now.getTime() / 1000 + 60; // clocks may differ at the beginning only
  const long = exp <= iat || exp > iat + 60;
  const mine = tctx.delegation.services.join() === service && aud === trustDomain;
  const plain = Object.keys(protectedHeader).sort().join() === 'alg,kid,typ';
  const [, subject] = sub.split(/\|(.*)/s); // before the bar is the operator's name for the issuer
  if (early || long || !mine || !plain || !subject) throw new Error('not a transaction token for this service');
  const user = { issuer: tctx.actor_iss, subject, tenant: tctx.tenant, kind: tctx.actor_type };
  return { user, agent: act.sub, scopes: scope.split(' '), call: txn, tool: tctx.call.name, once: jti };
}
