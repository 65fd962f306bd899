// Runs the official conformance suite for a revision against a host that asks for tokens.
//
// `node run.mjs URL REVISION`, with the bearer token in the environment. The suite has no tokens, so its requests
// pass a relay that adds one and changes nothing else. Prints {scenario: passed} of the required scenarios as JSON.

import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';

const [url, revision] = process.argv.slice(2);
const suite = path.join(import.meta.dirname, 'node_modules/@modelcontextprotocol/conformance');

const { hostname, port, pathname } = new URL(url);
const relay = http.createServer((request, answer) => {
  const { method, url: path, rawHeaders } = request;
  const headers = [...rawHeaders, 'authorization', `Bearer ${process.env.BAILIWICK_TOKEN}`];
  const onward = http.request({ hostname, port, method, path, headers, setHost: false, agent: false }, (given) => {
    answer.writeHead(given.statusCode, given.rawHeaders);
    given.pipe(answer);
  });
  onward.on('error', () => answer.destroy());
  answer.on('close', () => onward.destroy());
  request.pipe(onward);
});
await new Promise((listens) => relay.listen(0, '127.0.0.1', listens));

const out = await mkdtemp(path.join(os.tmpdir(), 'conformance-'));
const relayed = `http://localhost:${relay.address().port}${pathname}`;
const said = await new Promise((ends, fails) => {
  const start = ['--import', path.join(import.meta.dirname, 'older-node.mjs'), path.join(suite, 'dist/index.js')];
  const what = ['server', '--url', relayed, '--requirements', revision, '--output-dir', out];
  const child = spawn(process.execPath, [...start, ...what], { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (more) => (text += more));
  child.on('error', fails).on('close', () => ends(text));
});
await rm(out, { recursive: true });
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
for (const name of names.filter((name) => !verdicts.get(name))) {
  process.stderr.write(`${revision} ${name}: failed\n`);
}
process.stdout.write(JSON.stringify(Object.fromEntries(names.map((name) => [name, verdicts.get(name)]))));
