// A user of headless Chromium logs in at the development issuer: a click on the button with the name, without script.
//
// `node click.mjs CHROMIUM ISSUER USER` registers a client, opens its login and prints what came of it as one JSON
// object: what came back to the client, how wide the page was on a telephone, and the tokens.

import { createHash, randomUUID } from 'node:crypto';
import { createServer } from 'node:http';

import { start } from './chromium.mjs';
import { Control } from './control.mjs';

const LONGEST = 40_000; // milliseconds
const PHONE = { width: 360, height: 740, deviceScaleFactor: 1, mobile: true };

const [chromium, issuer, user] = process.argv.slice(2);
setTimeout(() => process.exit(1), LONGEST).unref();

let came;
const answered = new Promise((answer) => (came = answer));
const callback = createServer((request, answer) => {
  const { pathname, searchParams } = new URL(request.url, 'http://127.0.0.1');
  answer.end('done');
  if (pathname === '/callback') came(searchParams);
});
await new Promise((listening) => callback.listen(0, '127.0.0.1', listening));
const redirect_uri = `http://127.0.0.1:${callback.address().port}/callback`;

const post = async (path, body, type) => {
  const answer = await fetch(`${issuer}${path}`, { method: 'POST', body, headers: { 'content-type': type } });
  return answer.json();
};
// The port is another one than the registered.
const metadata = { redirect_uris: ['http://127.0.0.1/callback'], token_endpoint_auth_method: 'none' };
const { client_id } = await post('/register', JSON.stringify(metadata), 'application/json');
const [code_verifier, state] = [randomUUID() + randomUUID(), randomUUID()];
const code_challenge = createHash('sha256').update(code_verifier).digest('base64url');
const asked = { response_type: 'code', code_challenge_method: 'S256', client_id, redirect_uri, code_challenge, state };
const page = `${issuer}/authorize?${new URLSearchParams(asked)}`;

const { browser, end } = start(chromium, '--remote-debugging-pipe', 'about:blank');
try {
  const control = new Control(browser.stdio);
  const { targetId } = await control.ask('Target.createTarget', { url: 'about:blank' });
  const { sessionId } = await control.ask('Target.attachToTarget', { targetId, flatten: true });
  const ask = (method, params) => control.ask(method, params, sessionId);
  await ask('Emulation.setDeviceMetricsOverride', PHONE);
  await ask('Emulation.setScriptExecutionDisabled', { value: true });
  await ask('Page.enable');
  await ask('Page.setLifecycleEventsEnabled', { enabled: true });
  const { loaderId } = await ask('Page.navigate', { url: page });
  // Before a page is painted, a browser lets nobody click on it.
  const painted = (event) => event.loaderId === loaderId && event.name === 'firstContentfulPaint';
  await control.when('Page.lifecycleEvent', painted);
  const button = await middle(ask, `button[value="${user}"]`);
  const { cssContentSize } = await ask('Page.getLayoutMetrics');
  for (const type of ['mousePressed', 'mouseReleased']) {
    await ask('Input.dispatchMouseEvent', { type, ...button, button: 'left', clickCount: 1 });
  }
  const answer = await answered;
  const fields = { grant_type: 'authorization_code', code: answer.get('code'), client_id, redirect_uri, code_verifier };
  const tokens = await post('/token', new URLSearchParams(fields), 'application/x-www-form-urlencoded');
  const seen = { same: answer.get('state') === state, iss: answer.get('iss'), width: cssContentSize.width, tokens };
  process.stdout.write(JSON.stringify(seen));
} finally {
  await end();
}
process.exit();

/** Returns the middle of an element. */
async function middle(ask, selector) {
  const { root } = await ask('DOM.getDocument');
  const { nodeId } = await ask('DOM.querySelector', { nodeId: root.nodeId, selector });
  await ask('DOM.scrollIntoViewIfNeeded', { nodeId });
  const { model } = await ask('DOM.getBoxModel', { nodeId });
  const [left, top, , , right, bottom] = model.content;
  return { x: (left + right) / 2, y: (top + bottom) / 2 };
}
