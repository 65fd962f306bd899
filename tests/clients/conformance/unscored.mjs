// Runs every scenario of the official conformance suite that a revision does not require and that can be run under it,
// and prints {scenario: checks} with each check's id, status and message.
//
// Extensions belong to no revision: the newest runs them.

import { readFile, readdir, rm } from 'node:fs/promises';
import path from 'node:path';

import { answer, begin, required, run } from './relay.mjs';

const NEWEST = '2026-07-28';
const { revision, url } = await begin();
const listed = (await run('list', '--server')).matchAll(/^ {2}- (\S+) \[(.*)\]$/gm);
const scored = await required(revision);
const out = path.join(import.meta.dirname, 'results/unscored', revision);
await rm(out, { recursive: true, force: true });

const found = {};
for (const [, name, revisions] of listed) {
  const isExtension = revisions === 'extension';
  const applies = isExtension ? revision === NEWEST : revisions.split(',').includes(revision);
  if (!applies || scored.includes(name)) continue;
  const to = path.join(out, name);
  const version = isExtension ? [] : ['--spec-version', revision];
  const said = await run('server', '--url', url, '--scenario', name, ...version, '--output-dir', to);
  const [folder] = await readdir(to).catch(() => []);
  if (!folder) {
    process.stderr.write(`no checks of ${name}\n${said}\n`);
    process.exit(1);
  }
  const checks = JSON.parse(await readFile(path.join(to, folder, 'checks.json'), 'utf8'));
  found[name] = checks.map(({ id, status, errorMessage, details }) => {
    const message = errorMessage ?? details?.message ?? details?.note ?? '';
    return { id, status, message: String(message) };
  });
}
answer(found);
