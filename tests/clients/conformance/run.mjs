// Runs the scenarios of the official conformance suite that a revision requires, and prints {scenario: passed}.

import { rm } from 'node:fs/promises';
import path from 'node:path';

import { answer, begin, required, run } from './relay.mjs';

const { revision, url } = await begin();

// What each check said stays there until the next run.
const out = path.join(import.meta.dirname, 'results', revision);
await rm(out, { recursive: true, force: true });
const said = await run('server', '--url', url, '--requirements', revision, '--output-dir', out);

// The suite's own verdict on each, in its summary.
const verdicts = new Map();
for (const [, name, failed] of said.matchAll(/^\S+ (\S+): \d+ passed, (\d+) failed/gmu)) {
  verdicts.set(name, failed === '0');
}
const names = await required(revision);
const missing = names.filter((name) => !verdicts.has(name));
if (names.length === 0 || missing.length > 0) {
  process.stderr.write(`no verdict on ${missing.join(', ')}\n${said}\n`);
  process.exit(1);
}
answer(Object.fromEntries(names.map((name) => [name, verdicts.get(name)])));
