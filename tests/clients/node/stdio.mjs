// The official TypeScript client starts a host and speaks to it over standard streams.
//
// `node stdio.mjs BAILIWICK CONFIG MODE`, with the token in the environment; prints what it saw as one JSON object.

import { Client } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';

const [command, config, mode] = process.argv.slice(2);
const options = mode === 'auto' ? { versionNegotiation: { mode } } : {};
const client = new Client({ name: 'bailiwick-story', version: '1.0.0' }, options);
const args = ['serve', '--stdio', '--config', config];
const env = { BAILIWICK_TOKEN: process.env.BAILIWICK_TOKEN };
await client.connect(new StdioClientTransport({ command, args, env, stderr: 'inherit' }));
const { tools } = await client.listTools();
const whoami = await client.callTool({ name: 'whoami', arguments: {} });
const refused = await client.callTool({ name: 'no_such_tool', arguments: {} }).then(JSON.stringify, (error) => `${error}`);
const protocol = client.getNegotiatedProtocolVersion();
const seen = { protocol, tools: tools.map((tool) => tool.name), whoami, refused };
await client.close();
process.stdout.write(JSON.stringify(seen));
