// Runs the official conformance suite for a revision against a host that asks for tokens.
//
// The suite has no tokens, so its requests pass a relay that adds one and changes nothing else. `node run.mjs` prints
// {"origin": …}, the relay's, which the host has to allow; reads a line {"url", "token", "revision"}; and prints
// {scenario: passed} of the required scenarios.

import { spawn } from 'node:child_process';
import { readFile, rm } from 'node:fs/promises';
import http from 'node:http';
import path from 'node:path';
import readline from 'node:readline';

const suite = path.join(import.meta.dirname, 'node_modules/@modelcontextprotocol/conformance');

let host, token;
const relay = http.createServer((request, answer) => {
  const { method, url: path, rawHeaders } = request;
  const headers = [...rawHeaders, 'authorization', `Bearer ${token}`];
  const { hostname, port } = host;
  const onward = http.request({ hostname, port, method, path, headers, setHost: false, agent: false }, (given) => {
    answer.writeHead(given.statusCode, given.rawHeaders);
    given.pipe(answer);
  });
  onward.on('error', () => answer.destroy());
  answer.on('close', () => onward.destroy());
  request.pipe(onward);
});
await new Promise((listens) => relay.listen(0, '127.0.0.1', listens));
const origin = `http://localhost:${relay.address().port}`;
process.stdout.write(`${JSON.stringify({ origin })}\n`);

const lines = readline.createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const asked = JSON.parse((await lines.next()).value);
const { revision } = asked;
[host, token] = [new URL(asked.url), asked.token];

// What each check said stays there until the next run.
const out = path.join(import.meta.dirname, 'results', revision);
await rm(out, { recursive: true, force: true });
const said = await new Promise((ends, fails) => {
  const start = ['--import', path.join(import.meta.dirname, 'older-node.mjs'), path.join(suite, 'dist/index.js')];
  const what = ['server', '--url', `${origin}${host.pathname}`, '--requirements', revision, '--output-dir', out];
  const child = spawn(process.execPath, [...start, ...what], { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (more) => (text += more));
  child.on('error', fails).on('close', () => ends(text));
});
relay.close();
relay.closeAllConnections();

// The suite's own verdict on each, in its summary.
const verdicts = new Map();
for (const [, name, failed] of said.matchAll(/^\S+ (\S+): \d+ passed, (\d+) failed/gmu)) {
  verdicts.set(name, failed === '0');
}
const requirements = await readFile(path.join(suite, `requirements/${revision}.yaml`), 'utf8');
const [, required] = requirements.match(/^server:\n((?: {2}- .*\n)+)/m);
const names = [...required.matchAll(/- (\S+)/g)].map(([, name]) => name);
const missing = names.filter((name) => !verdicts.has(name));
if (missing.length > 0) {
  process.stderr.write(`no verdict on ${missing.join(', ')}\n${said}\n`);
  process.exit(1);
}
process.stdout.write(`${JSON.stringify(Object.fromEntries(names.map((name) => [name, verdicts.get(name)])))}\n`);
process.exit(0);
