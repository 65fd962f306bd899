// What every client of the stories does with a host, whatever revision it speaks.

export async function visit(client, Transport, version) {
  const [url, order] = process.argv.slice(2);
  const headers = { authorization: `Bearer ${process.env.BAILIWICK_TOKEN}` };
  await client.connect(new Transport(new URL(url), { requestInit: { headers } }));
  const { tools } = await client.listTools();
  const whoami = await client.callTool({ name: 'whoami', arguments: {} });
  const status = await client.callTool({ name: 'get_order_status', arguments: { order_id: order } });
  const seen = { protocol: version(), tools: tools.map((tool) => tool.name), whoami, status };
  await client.close();
  process.stdout.write(JSON.stringify(seen));
}
