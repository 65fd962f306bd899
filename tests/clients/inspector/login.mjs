// The command line of the MCP Inspector logs in at the development issuer, with nothing but the URL of the host.
//
// `node login.mjs URL USER` prints what it saw as one JSON object. The Inspector logs in only at a terminal, which
// `script` (util-linux) plays; a function presses the user's button on the page that it names.

import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const [url, user] = process.argv.slice(2);
const program = fileURLToPath(
  new URL('node_modules/@modelcontextprotocol/inspector/clients/launcher/build/index.js', import.meta.url),
);
// It keeps logins at home.
const home = mkdtempSync(join(tmpdir(), 'bailiwick-inspector-'));
const env = { ...process.env, HOME: home, MCP_INSPECTOR_SECRET_STORE: 'file' };

/** The page, in plain text or, at a terminal that has links, behind the beginning of one. */
const PAGE = /navigate to: (?:\x1b\]8;;)?(http[^\s\x07\x1b]+)[\s\x07\x1b]/;

/** Asks the Inspector for one thing; logs in if it says where. */
async function ask(method, ...more) {
  const output = join(home, `${method.replace('/', '-')}.json`);
  const callback = `http://127.0.0.1:${await port()}/oauth/callback`;
  const words = [program, '--cli', url, '--transport', 'http', '--callback-url', callback, '--method', method, ...more];
  const line = [process.execPath, ...words, '--output', output].map((word) => `'${word}'`).join(' ');
  const terminal = spawn('script', ['-qefc', line, '/dev/null'], { env, stdio: ['pipe', 'pipe', 'inherit'] });
  let heard = '';
  let login;
  for await (const chunk of terminal.stdout.setEncoding('utf8')) {
    heard += chunk;
    const page = PAGE.exec(heard)?.[1];
    if (page !== undefined && login === undefined) login = press(page, callback);
  }
  await login;
  try {
    return { result: JSON.parse(readFileSync(output, 'utf8')), logged: login !== undefined };
  } catch (cause) {
    throw new Error(`${method}: ${heard}`, { cause });
  }
}

/** Presses the button of the user, and brings the answer to the client as a browser does. */
async function press(page, callback) {
  const text = await (await fetch(page)).text();
  const [, request] = /name="request" value="([^"]+)"/.exec(text) ?? [];
  if (request === undefined) throw new Error(`no login page: ${text}`);
  const scopes = [...text.matchAll(/name="scope" value="([^"]+)"/g)].map(([, scope]) => ['scope', scope]);
  const body = new URLSearchParams([['request', request], ...scopes, ['user', user]]);
  const answer = await fetch(new URL('/authorize', page), { method: 'POST', body, redirect: 'manual' });
  const location = answer.headers.get('location') ?? '';
  if (!location.startsWith(callback)) throw new Error(`${answer.status} to ${location}`);
  await fetch(location);
}

/** Returns a port that is free. */
async function port() {
  const server = createServer();
  await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
  const { port: free } = server.address();
  await new Promise((closed) => server.close(closed));
  return free;
}

try {
  const { result: list, logged } = await ask('tools/list');
  // The second time it has the tokens.
  const { result: whoami, logged: again } = await ask('tools/call', '--tool-name', 'whoami');
  const tools = list.tools.map((tool) => tool.name);
  process.stdout.write(JSON.stringify({ tools, whoami, logged: [logged, again] }));
} finally {
  rmSync(home, { recursive: true, force: true });
}
process.exit();
