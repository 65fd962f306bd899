// Official TypeScript clients of earlier years log in at the development issuer, with nothing but the URL of the host.
//
// `node login.mjs URL USER PACKAGE` prints what it saw as one JSON object. A function presses the user's button on the
// page. With `mcp-remote` as the package, that program logs in for the newest of them.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const NEWEST = 'sdk-1.26';

const [url, user, named] = process.argv.slice(2);
const folder = mkdtempSync(join(tmpdir(), 'bailiwick-old-'));
const isBridge = named === 'mcp-remote';
const load = (part) => import(`${isBridge ? NEWEST : named}/client/${part}.js`);
const { Client } = await load('index');
const client = new Client({ name: 'bailiwick-story', version: '1.0.0' });
await (isBridge ? bridged() : direct());
const tools = (await client.listTools()).tools.map((tool) => tool.name);
const whoami = await client.callTool({ name: 'whoami', arguments: {} });
await client.close();
rmSync(folder, { recursive: true, force: true });
process.stdout.write(JSON.stringify({ tools, whoami }));
process.exit();

async function direct() {
  const { StreamableHTTPClientTransport } = await load('streamableHttp');
  const kept = {};
  const redirectUrl = 'http://127.0.0.1:49152/callback';
  const authProvider = {
    redirectUrl,
    clientMetadata: {
      client_name: 'Bailiwick story',
      redirect_uris: [redirectUrl],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
    },
    clientInformation: () => kept.client,
    saveClientInformation: (given) => void (kept.client = given),
    tokens: () => kept.tokens,
    saveTokens: (tokens) => void (kept.tokens = tokens),
    codeVerifier: () => kept.verifier,
    saveCodeVerifier: (verifier) => void (kept.verifier = verifier),
    redirectToAuthorization: (page) => void (kept.page = page),
  };
  const transport = () => new StreamableHTTPClientTransport(new URL(url), { authProvider });
  const outside = transport();
  const refused = await client.connect(outside).then(
    () => false,
    () => Boolean(kept.page),
  );
  if (!refused) throw new Error('let in without a login, or not sent to one');
  await outside.finishAuth(new URL(await press(kept.page)).searchParams.get('code'));
  await client.connect(transport());
}

async function bridged() {
  const { StdioClientTransport } = await load('stdio');
  const program = fileURLToPath(new URL('node_modules/mcp-remote/dist/proxy.js', import.meta.url));
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [program, url, '--allow-http', '--transport', 'http-only'],
    // Its own attempt to open a browser opens nothing.
    env: { ...process.env, MCP_REMOTE_CONFIG_DIR: folder, BROWSER: 'true', DISPLAY: '' },
    stderr: 'pipe',
  });
  let said = '';
  let pressed = false;
  transport.stderr.on('data', (chunk) => {
    said += chunk;
    const page = /^Please authorize this client by visiting:\s+(http\S+)\s/mu.exec(said)?.[1];
    if (!page || pressed) return;
    pressed = true;
    press(page).then(arrive);
  });
  await client.connect(transport);
}

/** Brings the answer to a client that may not listen yet. */
async function arrive(answer) {
  while (!(await fetch(answer).catch(() => undefined))) await new Promise((later) => setTimeout(later, 50));
}

/** Opens the login page and presses a button; returns where the answer goes. */
async function press(page) {
  const opened = await (await fetch(page)).text();
  const field = (name) => new RegExp(`name="${name}" value="([^"]*)"`, 'gu');
  const values = (name) => [...opened.matchAll(field(name))].map(([, value]) => value);
  const body = new URLSearchParams({ request: values('request')[0], user });
  for (const scope of values('scope')) body.append('scope', scope);
  const answer = await fetch(new URL('/authorize', page), { method: 'POST', body, redirect: 'manual' });
  return answer.headers.get('location');
}
