// The example server of the specification's authors, on a free port of loopback.
//
// `node everything.mjs`; prints its address, and ends with its standard input.

import { Server } from 'node:http';

const say = console.error;
console.log = console.error = () => {};
const { listen } = Server.prototype;
Server.prototype.listen = function (_port, ready) {
  return listen.call(this, 0, '127.0.0.1', () => {
    say(`listening on http://127.0.0.1:${this.address().port}/mcp`);
    ready?.();
  });
};
process.argv[2] = 'streamableHttp';
await import('@modelcontextprotocol/server-everything/dist/index.js');
process.stdin.on('end', () => process.exit()).resume();
