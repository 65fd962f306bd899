// Starts Keycloak on a free port of loopback, with an empty realm `acme`, and prints the realm's issuer.
//
// `node keycloak.mjs FOLDER`, with the unpacked distribution, serves until its standard input ends. The line there,
// `{"resource": URL, "secret": TEXT}`, sets up the realm as docs/identity-providers.md describes; a line of output
// confirms it. Its clients are `agent`, `brief` (with short tokens) and `stranger` (whose tokens are not for the
// resource), and `bailiwick`, the host, which has the secret; its users are `alice` and `bob`, whose passwords are
// their names. At `desk` and `hall` they get tokens without a page; those of `hall` do not name `bailiwick`. `robot` is
// a service account; the answer has its token. The line `{"logout": SUB}` ends all sessions of a user.

import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const REDIRECT = 'http://127.0.0.1:49152/callback';
const ADMIN = 'administrator';
const SHORT = 5; // seconds

const [folder] = process.argv.slice(2);
const options = ['--http-host=127.0.0.1', '--http-port=0', '--db=dev-mem', '--cache=local'];
// The shell ends what it started when this program ends, however that happens.
const script = '"$@" </dev/null & cat; kill -9 0';
const keycloak = spawn('sh', ['-c', script, 'sh', 'sh', join(folder, 'bin/kc.sh'), 'start-dev', ...options], {
  detached: true,
  env: { ...process.env, KC_BOOTSTRAP_ADMIN_USERNAME: ADMIN, KC_BOOTSTRAP_ADMIN_PASSWORD: ADMIN },
  stdio: ['pipe', 'pipe', 'inherit'],
});
const url = await new Promise((listening, fail) => {
  let said = '';
  keycloak.stdout.on('data', (chunk) => {
    said += chunk;
    const found = /Listening on: (http:\/\/127\.0\.0\.1:[0-9]+)/u.exec(said);
    if (found) listening(found[1]);
  });
  keycloak.once('exit', () => fail(new Error(`Keycloak does not start: ${said}`)));
});

async function token(realm, fields) {
  const body = new URLSearchParams(fields);
  const answer = await fetch(`${url}/realms/${realm}/protocol/openid-connect/token`, { method: 'POST', body });
  const { access_token: given } = await answer.json();
  return given;
}

/** Sends a request of the administrator, whose tokens are short; returns the answer. */
async function administer(method, path, value) {
  const login = { grant_type: 'password', client_id: 'admin-cli', username: ADMIN, password: ADMIN };
  const authorization = `Bearer ${await token('master', login)}`;
  const answer = await fetch(`${url}/admin/realms${path}`, {
    method,
    headers: { authorization, 'content-type': 'application/json' },
    body: value && JSON.stringify(value),
  });
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
  return answer;
}

const scope = (name, attributes, ...protocolMappers) =>
  administer('POST', '/acme/client-scopes', { name, protocol: 'openid-connect', attributes, protocolMappers });

const client = (clientId, scopes, more) =>
  administer('POST', '/acme/clients', {
    clientId,
    publicClient: true,
    consentRequired: true,
    redirectUris: [REDIRECT],
    defaultClientScopes: ['basic', 'profile', ...scopes],
    optionalClientScopes: ['orders:read', 'offline_access'],
    ...more,
  });

/** A mapper that adds an audience, `custom` or a `client`. */
const audience = (kind, name) => ({
  name,
  protocol: 'openid-connect',
  protocolMapper: 'oidc-audience-mapper',
  config: { [`included.${kind}.audience`]: name, 'access.token.claim': 'true', 'introspection.token.claim': 'true' },
});

const user = (username, firstName, lastName) =>
  administer('POST', '/acme/users', {
    username,
    firstName,
    lastName,
    email: `${username}@acme.example`,
    emailVerified: true,
    enabled: true,
    credentials: [{ type: 'password', value: username, temporary: false }],
  });

async function setUp({ resource, secret }) {
  const [shown, hidden] = ['true', 'false'].map((is) => ({ 'include.in.token.scope': is }));
  await scope('mcp', hidden, audience('custom', resource), audience('client', 'bailiwick'));
  await scope('door', hidden, audience('custom', resource));
  await scope('admin-api', shown);
  for (const name of ['orders', 'billing', 'reports']) {
    await scope(`${name}:read`, shown);
    await scope(`${name}-api`, shown, audience('client', name));
    await client(name, []);
  }
  const attributes = { 'standard.token.exchange.enabled': 'true', 'access.token.lifespan': '300' };
  await client('bailiwick', [], {
    publicClient: false,
    secret,
    consentRequired: false,
    serviceAccountsEnabled: true,
    attributes,
    defaultClientScopes: ['basic'],
    optionalClientScopes: ['orders-api', 'billing-api', 'reports-api'],
  });
  await client('agent', ['mcp']);
  await client('brief', ['mcp'], { attributes: { 'access.token.lifespan': String(SHORT) } });
  await client('stranger', []);
  const passwords = { consentRequired: false, directAccessGrantsEnabled: true };
  await client('desk', ['mcp', 'orders:read', 'billing:read', 'reports:read'], passwords);
  await client('hall', ['door', 'orders:read'], passwords);
  await client('robot', ['mcp', 'orders:read'], {
    publicClient: false,
    secret: 'robot',
    consentRequired: false,
    serviceAccountsEnabled: true,
    standardFlowEnabled: false,
  });
  await user('alice', 'Alice', 'Able');
  await user('bob', 'Bob', 'Baker');
  return token('acme', { grant_type: 'client_credentials', client_id: 'robot', client_secret: 'robot' });
}

/** Ends all sessions of a user; returns who that was. */
async function logOut(sub) {
  await administer('POST', `/acme/users/${sub}/logout`);
  return sub;
}

await administer('POST', '', { realm: 'acme', enabled: true, sslRequired: 'none' });
process.stdout.write(`${url}/realms/acme\n`);
for await (const line of createInterface({ input: process.stdin })) {
  const asked = JSON.parse(line);
  process.stdout.write(`${await (asked.logout ? logOut(asked.logout) : setUp(asked))}\n`);
}
process.exit();
