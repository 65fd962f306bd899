// Opens `page.mjs` in headless Chromium, as pages of several origins.
//
// `node browser.mjs CHROMIUM` prints `{"origins": [FIRST, ...]}` and serves until its standard input ends. Each line
// there, `{"origin": ORIGIN, "url": URL, "token": TOKEN}`, opens the page of that origin, which tries the host at the
// URL; a line of output says what the page saw. The origin `null` is a page in a sandbox.

import { createServer } from 'node:http';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import { build } from 'esbuild';

import { start } from './chromium.mjs';

const LONGEST = 40_000; // milliseconds for one page, start of the browser included

const [chromium] = process.argv.slice(2);
const { outputFiles } = await build({
  entryPoints: [fileURLToPath(new URL('page.mjs', import.meta.url))],
  bundle: true,
  format: 'esm',
  platform: 'browser',
  write: false,
});
const script = outputFiles[0].text.replaceAll('</script', '<\\/script');
let task, reported;

/** Serves the page, and takes its report. */
function serve(request, answer) {
  if (request.method === 'POST') {
    let body = '';
    request.on('data', (chunk) => (body += chunk)).on('end', () => reported(JSON.parse(body)));
    answer.end();
    return;
  }
  const sandbox = task.origin === 'null' ? { 'content-security-policy': 'sandbox allow-scripts' } : {};
  answer.writeHead(200, { 'content-type': 'text/html; charset=utf-8', ...sandbox });
  const given = JSON.stringify(task).replaceAll('<', '\\u003c');
  answer.end(`<!doctype html><script>task = ${given}</script><script type="module">${script}</script>`);
}

async function listen() {
  const server = createServer(serve);
  await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
  return server.address().port;
}

/** Opens a page in a browser of its own; returns what the page reported. */
async function open(page) {
  const { browser, end } = start(chromium, '--remote-debugging-port=0', page);
  let said = '';
  browser.stderr.on('data', (chunk) => (said += chunk));
  try {
    return await new Promise((report, fail) => {
      reported = report;
      browser.once('error', fail);
      browser.once('exit', () => fail(new Error(`the browser ended: ${said}`)));
      setTimeout(() => fail(new Error(`no report from ${page}: ${said}`)), LONGEST).unref();
    });
  } finally {
    await end();
  }
}

const [port, other] = [await listen(), await listen()];
const origins = [`http://127.0.0.1:${port}`, `http://127.0.0.1:${other}`, `http://localhost:${port}`, 'null'];
process.stdout.write(`${JSON.stringify({ origins })}\n`);
for await (const line of createInterface({ input: process.stdin })) {
  const { origin, url, token } = JSON.parse(line);
  const page = origin === 'null' ? origins[1] : origin;
  task = { origin, url, token, report: `${page}/report` };
  process.stdout.write(`${JSON.stringify(await open(page))}\n`);
}
process.exit();
