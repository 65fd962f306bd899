// The official TypeScript client of the 2026-07-28 revision: answers the questions of a tool, round by round.
//
// `node answer.mjs URL`, with the bearer token in the environment; prints what it saw as one JSON object.

import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';

const [url] = process.argv.slice(2);
const headers = { authorization: `Bearer ${process.env.BAILIWICK_TOKEN}` };
const asked = [];
const client = new Client(
  { name: 'bailiwick-story', version: '1.0.0' },
  { versionNegotiation: { mode: 'auto' }, capabilities: { elicitation: { form: {} } } },
);
client.setRequestHandler('elicitation/create', async ({ params }) => {
  asked.push(params.message);
  const fields = Object.keys(params.requestedSchema.properties);
  const content = fields.includes('sure') ? { sure: true } : { nights: 3, board: 'Full', note: 'a cot' };
  return { action: 'accept', content };
});
await client.connect(new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers } }));
const { content } = await client.callTool({ name: 'book', arguments: { room: 7 } });
await client.close();
process.stdout.write(JSON.stringify({ asked, text: content[0].text }));
