// Stands between the official conformance suite and a host that asks for tokens.
//
// The suite has no tokens, so its requests pass this relay, which adds one and changes nothing else. A script prints
// {"origin": …}, the relay's, which the host has to allow, and reads a line {"url", "token", "revision"}.

import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import http from 'node:http';
import path from 'node:path';
import readline from 'node:readline';

/** The suite, as installed. */
export const suite = path.join(import.meta.dirname, 'node_modules/@modelcontextprotocol/conformance');

/** Starts the relay and reads the line; returns it, and the host's URL as the suite may use it. */
export async function begin() {
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
  [host, token] = [new URL(asked.url), asked.token];
  return { ...asked, url: `${origin}${host.pathname}` };
}

/** Runs a command of the suite to its end; returns what it printed. */
export function run(...what) {
  const start = ['--import', path.join(import.meta.dirname, 'older-node.mjs'), path.join(suite, 'dist/index.js')];
  return new Promise((ends, fails) => {
    const child = spawn(process.execPath, [...start, ...what], { stdio: ['ignore', 'pipe', 'inherit'] });
    let text = '';
    child.stdout.setEncoding('utf8').on('data', (more) => (text += more));
    child.on('error', fails).on('close', () => ends(text));
  });
}

/** Prints the answer as one line and ends. */
export function answer(value) {
  process.stdout.write(`${JSON.stringify(value)}\n`, () => process.exit(0));
}

/** Returns the names of the scenarios that a revision requires of servers; none if the suite has no list for it. */
export async function required(revision) {
  const file = path.join(suite, `requirements/${revision}.yaml`);
  const text = await readFile(file, 'utf8').catch(() => 'server:\n');
  const [, list] = text.match(/^server:\n((?: {2}- .*\n)*)/m);
  return [...list.matchAll(/- (\S+)/g)].map(([, name]) => name);
}
