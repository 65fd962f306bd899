// Official TypeScript clients of earlier years: each lists the tools and calls two.
//
// `node client.mjs URL ORDER PACKAGE`, with the bearer token in the environment; prints what it saw as one JSON object.
// With `define` in place of an order, it calls each tool and prints what each call came to. With `mcp-remote` as the
// package, the newest of them reaches the host through that program, as a client that knows only standard input does.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const NEWEST = 'sdk-1.26';

const [url, order, named] = process.argv.slice(2);
const Authorization = `Bearer ${process.env.BAILIWICK_TOKEN}`;
const folder = mkdtempSync(join(tmpdir(), 'bailiwick-old-'));
let protocol;

/** Notes the revision that the host answers with: the oldest clients do not say it. */
function noting(Transport, ...given) {
  return new (class extends Transport {
    #take;
    get onmessage() {
      return this.#take;
    }
    set onmessage(take) {
      this.#take = (message, ...more) => {
        protocol ??= message.result?.protocolVersion;
        return take(message, ...more);
      };
    }
  })(...given);
}

async function direct() {
  const { StreamableHTTPClientTransport } = await import(`${named}/client/streamableHttp.js`);
  return noting(StreamableHTTPClientTransport, new URL(url), { requestInit: { headers: { Authorization } } });
}

async function bridged() {
  const { StdioClientTransport } = await import(`${NEWEST}/client/stdio.js`);
  const program = fileURLToPath(new URL('node_modules/mcp-remote/dist/proxy.js', import.meta.url));
  return noting(StdioClientTransport, {
    command: process.execPath,
    args: [program, url, '--allow-http', '--transport', 'http-only', '--header', `Authorization:\${AUTHORIZATION}`],
    env: { ...process.env, AUTHORIZATION: Authorization, MCP_REMOTE_CONFIG_DIR: folder },
    stderr: 'ignore',
  });
}

const isBridge = named === 'mcp-remote';
const { Client } = await import(`${isBridge ? NEWEST : named}/client/index.js`);
const client = new Client({ name: 'bailiwick-story', version: '1.0.0' });
await client.connect(await (isBridge ? bridged() : direct()));
const { tools } = await client.listTools();
const seen = await (order === 'define' ? define() : visit());
await client.close();
rmSync(folder, { recursive: true, force: true });
process.stdout.write(JSON.stringify(seen));
process.exit();

async function visit() {
  const whoami = await client.callTool({ name: 'whoami', arguments: {} });
  const status = await client.callTool({ name: 'get_order_status', arguments: { order_id: order } });
  return { protocol, tools: tools.map((tool) => tool.name), whoami, status };
}

async function define() {
  const seen = {};
  for (const { name } of tools) {
    const called = client.callTool({ name, arguments: {} });
    seen[name] = await called.then(
      ({ structuredContent, isError }) => ({ structured: structuredContent ?? null, error: isError ?? false }),
      (error) => ({ failed: String(error) }),
    );
  }
  return seen;
}
