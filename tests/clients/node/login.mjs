// The official TypeScript client logs in: from the 401 to a call, with nothing but the URL of the host.
//
// `node login.mjs URL USER [legacy]`; with `legacy` it is the client of the revisions before 2026-07-28. There are more
// choices in the environment: with `BAILIWICK_CLIENT` the authorization server knows it by that id already; with
// `BAILIWICK_RESOURCE` it asks for a token for that URL, whatever the host says; with `BAILIWICK_RENEW` it calls again
// once its token has expired. Prints what it saw as one JSON object, also if the host refuses it after the login. If a
// call needs more scopes than its token has, it logs in again for them.

import { decodeJwt } from 'jose';

import { authorize } from './pages.mjs';

const [url, user, era] = process.argv.slice(2);
const { BAILIWICK_CLIENT: id, BAILIWICK_RESOURCE: resource, BAILIWICK_RENEW: renew } = process.env;
const legacy = era === 'legacy';
const { Client, StreamableHTTPClientTransport, UnauthorizedError } = await sdk();
const requests = [];
const seen = { requests, tokens: [] };

/** Loads the client. */
async function sdk() {
  if (!legacy) return import('@modelcontextprotocol/client');
  const parts = ['index', 'streamableHttp', 'auth'];
  const load = (part) => import(`@modelcontextprotocol/sdk/client/${part}.js`);
  return Object.assign({}, ...(await Promise.all(parts.map(load))));
}

/** Sends a request of the client and notes it, with the challenge of a refusal. */
async function noting(input, init) {
  const answer = await fetch(input, init);
  const { href } = new URL(input instanceof Request ? input.url : input);
  const fields = init?.body instanceof URLSearchParams ? { fields: [...init.body.keys()].sort() } : {};
  const challenge = answer.headers.get('www-authenticate');
  requests.push({
    method: init?.method ?? 'GET',
    url: href,
    status: answer.status,
    ...fields,
    ...(challenge && { challenge }),
  });
  return answer;
}

/** What a client keeps between its requests. */
class Session {
  redirectUrl = 'http://127.0.0.1:49152/callback';
  clientMetadata = {
    client_name: 'Bailiwick story',
    redirect_uris: [this.redirectUrl],
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    token_endpoint_auth_method: 'none',
  };
  #kept = { client: id && { client_id: id } };

  constructor() {
    if (resource) this.validateResourceURL = async () => new URL(resource);
  }

  state = () => (this.#kept.state = crypto.randomUUID());
  clientInformation = () => this.#kept.client;
  saveClientInformation = (client) => void (this.#kept.client = client);
  tokens = () => this.#kept.tokens;
  saveTokens = (tokens) => {
    this.#kept.tokens = tokens;
    seen.tokens.push(tokens.access_token);
  };
  codeVerifier = () => this.#kept.verifier;
  saveCodeVerifier = (verifier) => void (this.#kept.verifier = verifier);
  discoveryState = () => this.#kept.discovery;
  saveDiscoveryState = (discovery) => void (this.#kept.discovery = discovery);
  redirectToAuthorization = (page) => void (this.#kept.page = page);

  /** Lets the user go through the pages; returns the answer that came back to the client. */
  async login() {
    const { page, state } = this.#kept;
    seen.authorization = Object.fromEntries(page.searchParams);
    const answer = await authorize(page, this.redirectUrl, user);
    if (answer.get('state') !== state) throw new Error('the answer belongs to another login');
    return answer;
  }
}

const session = new Session();
const transport = () => new StreamableHTTPClientTransport(new URL(url), { authProvider: session, fetch: noting });
const client = () =>
  new Client({ name: 'bailiwick-story', version: '1.0.0' }, { versionNegotiation: { mode: 'auto' } });

const outside = transport();
try {
  await client().connect(outside);
  throw new Error('let in without a login');
} catch (error) {
  if (!(error instanceof UnauthorizedError)) throw error;
}
await finish(outside);

/** Logs in for a transport. */
async function finish(transport) {
  const answer = await session.login();
  await transport.finishAuth(legacy ? answer.get('code') : answer);
}

const inside = client();
const way = transport();

/** Calls the tool; if that needs another login, goes through it and calls again. */
async function whoami() {
  const tool = { name: 'whoami', arguments: {} };
  try {
    return await inside.callTool(tool);
  } catch (error) {
    if (!(error instanceof UnauthorizedError)) throw error;
    await finish(way);
    return await inside.callTool(tool);
  }
}

try {
  await inside.connect(way);
  seen.protocol = inside.getNegotiatedProtocolVersion?.();
  seen.tools = (await inside.listTools()).tools.map((tool) => tool.name);
  seen.whoami = await whoami();
  if (renew) {
    const { exp } = decodeJwt(session.tokens().access_token);
    await new Promise((expired) => setTimeout(expired, exp * 1000 - Date.now() + 50));
    seen.again = await inside.callTool({ name: 'whoami', arguments: {} });
  }
  await inside.close();
} catch (error) {
  seen.refused = String(error);
}
process.stdout.write(JSON.stringify(seen));
process.exit();
