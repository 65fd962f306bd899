// The command line of the MCP Inspector: lists the tools and calls two.
//
// `node inspector.mjs URL ORDER ERA`, with the bearer token in the environment; prints what it saw as one JSON object.

import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const [url, order, era] = process.argv.slice(2);
const { BAILIWICK_TOKEN: token, ...environment } = process.env;
const program = fileURLToPath(
  new URL('node_modules/@modelcontextprotocol/inspector/clients/launcher/build/index.js', import.meta.url),
);
// It keeps a list of servers at home.
const home = mkdtempSync(join(tmpdir(), 'bailiwick-inspector-'));

async function ask(method, ...more) {
  const server = [url, '--transport', 'http', '--header', `Authorization: Bearer ${token}`, '--stored-auth-only'];
  const how = ['--protocol-era', era, '--format', 'json', '--quiet', '--method', method];
  const env = { ...environment, HOME: home };
  const { stdout } = await promisify(execFile)(process.execPath, [program, '--cli', ...server, ...how, ...more], { env });
  return JSON.parse(stdout).result;
}

const call = (name, given) => ask('tools/call', '--tool-name', name, '--tool-args-json', JSON.stringify(given));
const [{ protocolVersion: protocol }, { tools }, whoami, status] = await Promise.all([
  ask('initialize'),
  ask('tools/list'),
  call('whoami', {}),
  call('get_order_status', { order_id: order }),
]).finally(() => rmSync(home, { recursive: true, force: true }));
process.stdout.write(JSON.stringify({ protocol, tools: tools.map((tool) => tool.name), whoami, status }));
