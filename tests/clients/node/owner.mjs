// Runs the check of `service.ts` on known answers, as a service would.
//
// `node owner.mjs FOLDER` prints, for each transaction token of the folder, who asks or why it is refused, as one
// JSON object.

import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { transformSync } from 'esbuild';
import { createLocalJWKSet } from 'jose';

const here = (name) => new URL(name, import.meta.url);
const { code } = transformSync(readFileSync(here('service.ts'), 'utf8'), { loader: 'ts' });
const built = here(`service-${process.pid}.mjs`);
writeFileSync(built, code);
const { whoAsks } = await import(built.href);

const [folder] = process.argv.slice(2);
const verdicts = {};
for (const name of readdirSync(folder).filter((name) => name.startsWith('transaction'))) {
  const { input, jwks, now, trust_domain, service } = JSON.parse(readFileSync(join(folder, name), 'utf8'));
  const asks = whoAsks(input, createLocalJWKSet(jwks), trust_domain, service, new Date(now * 1000));
  verdicts[name] = await asks.then(({ user, agent }) => `${user.subject} by ${agent}`, (error) => `refused: ${error.message}`);
}
process.stdout.write(JSON.stringify(verdicts));
