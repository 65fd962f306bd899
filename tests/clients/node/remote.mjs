// The official TypeScript server before 2026-07-28, as its examples start one: sessions, and answers as streams.
//
// `node remote.mjs`; prints its address, and ends with its standard input.

import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { z } from 'zod';

const subject = (headers) => JSON.parse(Buffer.from(headers.authorization.split('.')[1], 'base64url')).sub;

function vendor() {
  const server = new McpServer({ name: 'vendor', version: '1' });
  const echo = { description: 'Returns the message.', inputSchema: { message: z.string() } };
  server.registerTool('echo', echo, ({ message }) => ({ content: [{ type: 'text', text: `Echo: ${message}` }] }));
  const whose = { description: 'Says whose call this is.', inputSchema: {}, annotations: { readOnlyHint: true } };
  server.registerTool('whose_call', whose, (_, { requestInfo }) => ({
    content: [{ type: 'text', text: subject(requestInfo.headers) }],
  }));
  return server;
}

const sessions = new Map();

async function opened() {
  const transport = new StreamableHTTPServerTransport({
    sessionIdGenerator: randomUUID,
    onsessioninitialized: (session) => sessions.set(session, transport),
    onsessionclosed: (session) => sessions.delete(session),
  });
  await vendor().connect(transport);
  return transport;
}

const http = createServer(async (request, response) => {
  const session = request.headers['mcp-session-id'];
  const transport = session ? sessions.get(session) : await opened();
  if (transport) return transport.handleRequest(request, response);
  response.writeHead(404).end();
});

http.listen(0, '127.0.0.1', () => console.error(`listening on http://127.0.0.1:${http.address().port}/mcp`));
process.stdin.on('end', () => process.exit()).resume();
