// Starts the authorization server `oidc-provider` on a free port of loopback and prints its URL.
//
// `node provider.mjs` serves until its standard input ends. Each line there, `{"resource": URL, "lifetime": SECONDS}`,
// registers a resource server (RFC 8707) whose access tokens are JWTs (RFC 9068); a line of output confirms it.

import { createServer } from 'node:http';
import { createInterface } from 'node:readline';

import { exportJWK, generateKeyPair } from 'jose';
import { errors, Provider } from 'oidc-provider';

const scope = 'orders:read orders:admin';
const lifetimes = new Map();
const server = createServer();
await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
const url = `http://127.0.0.1:${server.address().port}`;

const { privateKey } = await generateKeyPair('ES256', { extractable: true });
const key = { ...(await exportJWK(privateKey)), kid: 'signs', alg: 'ES256', use: 'sig' };
const provider = new Provider(url, {
  jwks: { keys: [key] },
  scopes: ['openid', 'offline_access', ...scope.split(' ')],
  // A client registers itself with the scope of its first login, and may ask for others later.
  extraClientMetadata: {
    properties: ['may_ask_for_any_scope'],
    validator(_context, _name, _value, metadata) {
      delete metadata.scope;
    },
  },
  clientDefaults: { id_token_signed_response_alg: 'ES256' }, // or clients cannot register: there is no RSA key
  features: {
    // The product's own pages: the login accepts any name, the consent grants what the client asked for.
    devInteractions: { enabled: true },
    registration: { enabled: true },
    resourceIndicators: {
      enabled: true,
      getResourceServerInfo(_context, resource) {
        if (!lifetimes.has(resource)) throw new errors.InvalidTarget();
        return {
          scope,
          audience: resource,
          accessTokenFormat: 'jwt',
          accessTokenTTL: lifetimes.get(resource),
          jwt: { sign: { alg: 'ES256' } },
        };
      },
    },
  },
});
server.on('request', provider.callback());
process.stdout.write(`${url}\n`);

for await (const line of createInterface({ input: process.stdin })) {
  const { resource, lifetime } = JSON.parse(line);
  lifetimes.set(resource, lifetime);
  process.stdout.write('registered\n');
}
process.exit();
