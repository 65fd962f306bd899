// The page of the MCP Inspector in headless Chromium: a user connects it to a host, logs in at the issuer and calls
// the tool `whoami`, each by a click.
//
// `node inspector.mjs CHROMIUM LAUNCHER URL USER` prints what the page showed at the end, as one JSON object.

import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { start } from './chromium.mjs';
import { Control } from './control.mjs';

const LONGEST = 50_000; // milliseconds
const DESK = { width: 1400, height: 900, deviceScaleFactor: 1, mobile: false };

const [chromium, launcher, url, user] = process.argv.slice(2);
// It keeps logins at home.
const home = mkdtempSync(join(tmpdir(), 'bailiwick-inspector-'));

/** Starts the server of the page on loopback; returns its process and the page. */
async function serve() {
  const [client, sandbox] = [await port(), await port()].map(String);
  const settings = { CLIENT_PORT: client, MCP_SANDBOX_PORT: sandbox, MCP_AUTO_OPEN_ENABLED: 'false' };
  const env = { ...process.env, ...settings, HOME: home, MCP_INSPECTOR_SECRET_STORE: 'file' };
  const words = [launcher, '--web', '--server-url', url, '--transport', 'http'];
  const server = spawn(process.execPath, words, { env, stdio: ['ignore', 'pipe', 'inherit'] });
  let said = '';
  for await (const chunk of server.stdout.setEncoding('utf8')) {
    said += chunk;
    const [page] = new RegExp(`http://127\\.0\\.0\\.1:${client}\\S+(?=\\s)`).exec(said) ?? [];
    if (page !== undefined) {
      server.stdout.resume();
      return { server, page };
    }
  }
  throw new Error(`the page is not served: ${said}`);
}

/** Returns a port that is free. */
async function port() {
  const server = createServer();
  await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
  const { port: free } = server.address();
  await new Promise((closed) => server.close(closed));
  return free;
}

const { server, page } = await serve();
const { browser, end } = start(chromium, '--remote-debugging-pipe', 'about:blank');
let doing = 'start';
let text = '';
setTimeout(() => {
  process.stderr.write(`no end of: ${doing}\n${text}\n`);
  server.kill();
  void end().then(() => process.exit(1));
}, LONGEST).unref();
const control = new Control(browser.stdio);
const { targetId } = await control.ask('Target.createTarget', { url: 'about:blank' });
const { sessionId } = await control.ask('Target.attachToTarget', { targetId, flatten: true });
const ask = (method, params) => control.ask(method, params, sessionId);
await ask('Page.enable');
await ask('Emulation.setDeviceMetricsOverride', DESK);
await ask('Page.navigate', { url: page });

/** Evaluates in the page, again and again until something comes of it. */
async function until(what, expression) {
  doing = what;
  for (;;) {
    // Between two pages there is nothing to evaluate in.
    const asked = await ask('Runtime.evaluate', { expression, returnByValue: true }).catch(() => undefined);
    if (asked?.result?.value) return asked.result.value;
    const shown = await ask('Runtime.evaluate', { expression: 'document.body.innerText' }).catch(() => undefined);
    text = shown?.result?.value ?? text;
    await new Promise((look) => setTimeout(look, 50));
  }
}

const click = (selector, words = '') =>
  until(
    `a click on ${selector} ${words}`,
    `(() => {
      const fits = (it) => !it.disabled && it.innerText.includes(${JSON.stringify(words)});
      const found = [...document.querySelectorAll(${JSON.stringify(selector)})].find(fits);
      found?.click();
      return found !== undefined;
    })()`,
  );

await click('input[role=switch]');
await click(`button[value="${user}"]`);
await click('label', 'Tools');
await click('button', 'whoami');
await click('button', 'Execute');
const shown = await until('the answer', `document.body.innerText.includes('"sub"') && document.body.innerText`);
await end();
server.kill();
rmSync(home, { recursive: true, force: true });
process.stdout.write(JSON.stringify({ shown }));
process.exit();
