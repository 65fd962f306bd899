// The official TypeScript server of 2026-07-28; its handler also serves earlier revisions, without sessions.
//
// `node typescript.mjs`; prints its address, and ends with its standard input.

import { createServer } from 'node:http';
import { McpServer, createMcpHandler } from '@modelcontextprotocol/server';
import { z } from 'zod';

const subject = (headers) => JSON.parse(Buffer.from(headers.get('authorization').split('.')[1], 'base64url')).sub;

function vendor() {
  const server = new McpServer({ name: 'vendor', version: '1' });
  const echo = { description: 'Returns the message.', inputSchema: z.object({ message: z.string() }) };
  server.registerTool('echo', echo, ({ message }) => ({ content: [{ type: 'text', text: `Echo: ${message}` }] }));
  const whose = { description: 'Says whose call this is.', inputSchema: z.object({}), annotations: { readOnlyHint: true } };
  server.registerTool('whose_call', whose, (_, { http }) => ({ content: [{ type: 'text', text: subject(http.req.headers) }] }));
  return server;
}

const handler = createMcpHandler(vendor);

const http = createServer(async (request, response) => {
  const parts = [];
  for await (const part of request) parts.push(part);
  const body = parts.length ? Buffer.concat(parts) : undefined;
  const url = `http://${request.headers.host}${request.url}`;
  const answer = await handler.fetch(new Request(url, { method: request.method, headers: request.headers, body }));
  response.writeHead(answer.status, Object.fromEntries(answer.headers));
  for await (const part of answer.body ?? []) response.write(part);
  response.end();
});

http.listen(0, '127.0.0.1', () => console.error(`listening on http://127.0.0.1:${http.address().port}/mcp`));
process.stdin.on('end', () => process.exit()).resume();
