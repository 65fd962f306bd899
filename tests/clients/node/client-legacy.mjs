// The official TypeScript client of the revisions before 2026-07-28, which open with `initialize`.
//
// `node client-legacy.mjs URL ORDER`, as `client.mjs`.

import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';

import { visit } from './visit.mjs';

let version;
class Transport extends StreamableHTTPClientTransport {
  setProtocolVersion(negotiated) {
    version = negotiated;
    super.setProtocolVersion(negotiated);
  }
}

const client = new Client({ name: 'bailiwick-story', version: '1.0.0' });
await visit(client, Transport, () => version);
