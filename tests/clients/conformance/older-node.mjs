// Lets the suite start on Node 20, which lacks `fs.globSync`. Only its command `tier-check` calls it.

import { register } from 'node:module';
import fs from 'node:fs';

const text = (source) => `data:text/javascript,${encodeURIComponent(source)}`;
const stand = text("export * from 'node:fs'; export function globSync() { throw new Error('not on this Node'); }");

if (!fs.globSync) {
  register(
    text(`export async function resolve(name, context, next) {
      const isSuite = context.parentURL?.includes('/@modelcontextprotocol/conformance/');
      return name === 'fs' && isSuite ? { url: ${JSON.stringify(stand)}, shortCircuit: true } : next(name, context);
    }`),
  );
}
