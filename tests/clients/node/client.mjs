// The official TypeScript client of the 2026-07-28 revision: lists the tools and calls two.
//
// `node client.mjs URL ORDER`, with the bearer token in the environment; prints what it saw as one JSON object.

import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';

import { visit } from './visit.mjs';

const client = new Client({ name: 'bailiwick-story', version: '1.0.0' }, { versionNegotiation: { mode: 'auto' } });
await visit(client, StreamableHTTPClientTransport, () => client.getNegotiatedProtocolVersion());
