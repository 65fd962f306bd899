// An official TypeScript client meets the definitions of tests/vectors: it lists the tools and calls each.
//
// `node define.mjs URL modern|legacy`, with the bearer token in the environment; prints what each call came to.

const [url, era] = process.argv.slice(2);
const about = { name: 'bailiwick-story', version: '1.0.0' };
let client, Transport;
if (era === 'modern') {
  const sdk = await import('@modelcontextprotocol/client');
  client = new sdk.Client(about, { versionNegotiation: { mode: 'auto' } });
  Transport = sdk.StreamableHTTPClientTransport;
} else {
  const { Client } = await import('@modelcontextprotocol/sdk/client/index.js');
  client = new Client(about);
  ({ StreamableHTTPClientTransport: Transport } = await import('@modelcontextprotocol/sdk/client/streamableHttp.js'));
}
const headers = { authorization: `Bearer ${process.env.BAILIWICK_TOKEN}` };
await client.connect(new Transport(new URL(url), { requestInit: { headers } }));
const { tools } = await client.listTools();
const seen = {};
for (const { name } of tools) {
  try {
    const { structuredContent, isError } = await client.callTool({ name, arguments: {} });
    seen[name] = { structured: structuredContent ?? null, error: isError ?? false };
  } catch (error) {
    seen[name] = { failed: String(error) };
  }
}
await client.close();
process.stdout.write(JSON.stringify(seen));
