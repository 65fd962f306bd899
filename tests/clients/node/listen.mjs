// The official TypeScript client of the 2026-07-28 revision: listens until it is told that tools changed.
//
// `node listen.mjs URL`, with the bearer token in the environment. Calls `whoami` once it listens, so that others know;
// prints what it saw as one JSON object.

import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';

const client = new Client({ name: 'bailiwick-story', version: '1.0.0' }, { versionNegotiation: { mode: 'auto' } });
const changed = new Promise((resolve) => client.setNotificationHandler('notifications/tools/list_changed', resolve));
const headers = { authorization: `Bearer ${process.env.BAILIWICK_TOKEN}` };
await client.connect(new StreamableHTTPClientTransport(new URL(process.argv[2]), { requestInit: { headers } }));
const names = async () => (await client.listTools()).tools.map((tool) => tool.name);
const subscription = await client.listen({ toolsListChanged: true });
const before = await names();
await client.callTool({ name: 'whoami', arguments: {} });
const told = (await changed).method;
const after = await names();
await subscription.close();
const seen = { honored: subscription.honoredFilter, before, told, after, closed: await subscription.closed };
await client.close();
process.stdout.write(JSON.stringify(seen));
