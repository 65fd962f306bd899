// A page that tries a host with the official TypeScript clients; `browser.mjs` bundles it and gives it a task.

import * as current from '@modelcontextprotocol/client';
import { discoverOAuthProtectedResourceMetadata } from '@modelcontextprotocol/sdk/client/auth.js';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';

const { url, token, report } = globalThis.task;
const about = { name: 'bailiwick-story', version: '1.0.0' };
const headers = { authorization: `Bearer ${token}` };
const ping = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'whoami', arguments: {} } });
const json = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' };
const negotiation = { versionNegotiation: { mode: 'auto' } };

/** What a client comes to: it connects, lists the tools and calls one. */
async function visit(client, Transport) {
  let protocol;
  class Noting extends Transport {
    setProtocolVersion(negotiated) {
      protocol = negotiated;
      super.setProtocolVersion(negotiated);
    }
  }
  await client.connect(new Noting(new URL(url), { requestInit: { headers } }));
  const { tools } = await client.listTools();
  const { structuredContent } = await client.callTool({ name: 'whoami', arguments: {} });
  await client.close();
  protocol = client.getNegotiatedProtocolVersion?.() ?? protocol;
  return { protocol, tools: tools.map((tool) => tool.name), user: structuredContent.actor.sub };
}

/** What a page can read of an answer. */
async function read(init) {
  const answer = await fetch(url, { method: 'POST', body: ping, ...init });
  if (answer.type === 'opaque') throw new Error('opaque');
  return { status: answer.status, challenge: answer.headers.get('www-authenticate'), body: await answer.text() };
}

const attempts = {
  current: () => visit(new current.Client(about, negotiation), current.StreamableHTTPClientTransport),
  legacy: () => visit(new Client(about), StreamableHTTPClientTransport),
  with_token: () => read({ headers: { ...json, ...headers } }),
  without_token: () => read({ headers: json }),
  without_preflight: () => read({ headers: { 'content-type': 'text/plain' } }),
  without_cors: () => read({ mode: 'no-cors' }),
  with_cookies: () => read({ headers: json, credentials: 'include' }),
  metadata: () => current.discoverOAuthProtectedResourceMetadata(url),
  metadata_legacy: () => discoverOAuthProtectedResourceMetadata(url),
  keys: async () => (await fetch(new URL('/.well-known/jwks.json', url))).json(),
};

const seen = { origin };
for (const [name, attempt] of Object.entries(attempts)) {
  seen[name] = await attempt().catch((error) => ({ failed: String(error) }));
}
await fetch(report, { method: 'POST', mode: 'no-cors', body: JSON.stringify(seen) });
