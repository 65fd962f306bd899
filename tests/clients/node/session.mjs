// The official TypeScript client of the revisions before 2026-07-28, in a session: answers the questions of a tool, and
// listens until it is told that tools changed.
//
// `node session.mjs URL`, with the bearer token in the environment. Calls `whoami` once it listens, so that others know;
// prints what it saw as one JSON object.

import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { ElicitRequestSchema, ToolListChangedNotificationSchema } from '@modelcontextprotocol/sdk/types.js';

const [url] = process.argv.slice(2);
const authorization = `Bearer ${process.env.BAILIWICK_TOKEN}`;
const asked = [];
const client = new Client({ name: 'bailiwick-story', version: '1.0.0' }, { capabilities: { elicitation: { form: {} } } });
client.setRequestHandler(ElicitRequestSchema, async ({ params }) => {
  asked.push(params.message);
  const fields = Object.keys(params.requestedSchema.properties);
  const content = fields.includes('sure') ? { sure: true } : { nights: 3, board: 'Full', note: 'a cot' };
  return { action: 'accept', content };
});
const changed = new Promise((resolve) => client.setNotificationHandler(ToolListChangedNotificationSchema, resolve));
let streams;
const streaming = new Promise((resolve) => (streams = resolve));
const transport = new StreamableHTTPClientTransport(new URL(url), {
  requestInit: { headers: { authorization } },
  fetch: async (address, init) => {
    const answer = await fetch(address, init);
    if (init.method === 'GET') streams(answer.status);
    return answer;
  },
});
await client.connect(transport);
const { content } = await client.callTool({ name: 'book', arguments: { room: 7 } });
await client.setLoggingLevel('warning');
const stream = await streaming;
await client.callTool({ name: 'whoami', arguments: {} });
const told = (await changed).method;
const session = transport.sessionId;
await transport.terminateSession();
await client.close();
process.stdout.write(JSON.stringify({ asked, text: content[0].text, stream, told, session: session.length }));
