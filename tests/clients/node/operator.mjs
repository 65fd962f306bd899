// Opens the operator's page in headless Chromium: axe-core looks at each page, and pictures are taken if wanted.
//
// `node operator.mjs CHROMIUM` reads one line of JSON:
//   url, token     the page's; it signs in by the form, as a person does
//   paths, views   what to look at, and how: {"name": NAME, "scheme": "dark", "size": {"width": 390, "height": 844}}
//   pictures       {"VIEW PATH": NAME} or null, for PNG files in `folder`
//   until          {NAME: SELECTOR}: the picture ends below this element, whatever the height of the view
//   live           true: prints a line `{"live": "ready"}` and waits until one more call is on the first page, then
//                  `{"live": "seen"}` and, when it has read a line, waits until a new page no longer says that it follows
// It prints a line with what it saw: of each page in each view its violations, by how much it is too wide, and what the
// browser complained of. It speaks to the browser by a pipe (Chrome DevTools Protocol).

import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const LONGEST = 170_000; // milliseconds for everything
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const [chromium] = process.argv.slice(2);
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const read = async () => (await lines.next()).value;
const task = JSON.parse(await read());

const profile = mkdtempSync(join(tmpdir(), 'bailiwick-browser-'));
const flags = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-dev-shm-usage',
  '--disable-background-networking',
  '--no-proxy-server',
  '--hide-scrollbars',
  '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1',
  '--remote-debugging-pipe',
  `--user-data-dir=${profile}`,
];
const browser = spawn(chromium, flags, { stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'], detached: true });
const ended = new Promise((end) => browser.once('close', end));
const waiting = new Map();
let complaints = [];
let loaded = () => {};
let last = 0;
let rest = '';

browser.stdio[4].on('data', (data) => {
  const texts = (rest + data).split('\0');
  rest = texts.pop();
  for (const text of texts) take(JSON.parse(text));
});

function take(message) {
  if (message.id) {
    const { done, fail } = waiting.get(message.id);
    waiting.delete(message.id);
    return message.error ? fail(new Error(JSON.stringify(message.error))) : done(message.result);
  }
  if (message.method === 'Page.loadEventFired') loaded();
  if (message.method === 'Log.entryAdded') complaints.push(message.params.entry.text);
  if (message.method === 'Runtime.exceptionThrown') complaints.push(message.params.exceptionDetails.text);
}

function send(method, params = {}, sessionId) {
  last += 1;
  browser.stdio[3].write(`${JSON.stringify({ id: last, method, params, sessionId })}\0`);
  return new Promise((done, fail) => waiting.set(last, { done, fail }));
}

async function main() {
  const { targetId } = await send('Target.createTarget', { url: 'about:blank' });
  const { sessionId } = await send('Target.attachToTarget', { targetId, flatten: true });
  const tell = (method, params) => send(method, params, sessionId);
  const evaluate = async (expression) => {
    const { result, exceptionDetails } = await tell('Runtime.evaluate', {
      expression,
      awaitPromise: true,
      returnByValue: true,
    });
    if (exceptionDetails) throw new Error(JSON.stringify(exceptionDetails));
    return result.value;
  };
  const arrive = async (act) => {
    const there = new Promise((arrived) => (loaded = arrived));
    await act();
    await there;
  };
  for (const domain of ['Page', 'Runtime', 'Log']) await tell(`${domain}.enable`);
  const look = async (name, view) => {
    await evaluate(axe);
    const { violations } = await evaluate('axe.run(document)');
    const seen = {
      name,
      view: view.name,
      title: await evaluate('document.title'),
      violations: violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`),
      overflow: await evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth'),
      complaints,
    };
    complaints = [];
    return seen;
  };
  const seen = [];
  let signed = false;
  for (const view of task.views) {
    const size = { ...view.size, deviceScaleFactor: 1, mobile: view.size.width < 500 };
    await tell('Emulation.setDeviceMetricsOverride', size);
    const features = [{ name: 'prefers-color-scheme', value: view.scheme }];
    await tell('Emulation.setEmulatedMedia', { features });
    if (task.token) {
      await arrive(() => tell('Page.navigate', { url: `${task.url}/sign-in` }));
      complaints = [];
      seen.push(await look('/sign-in', view));
    }
    if (task.token && !signed) {
      const token = JSON.stringify(task.token);
      const submit = `document.querySelector('#token').value = ${token}; document.querySelector('form').requestSubmit()`;
      await arrive(() => evaluate(submit));
      signed = true;
    }
    for (const path of task.paths) {
      await arrive(() => tell('Page.navigate', { url: task.url + path }));
      seen.push(await look(path, view));
      const name = task.pictures?.[`${view.name} ${path}`];
      if (name) {
        const picture = { format: 'png', captureBeyondViewport: false };
        const element = task.until?.[name];
        if (element) {
          const end = `document.querySelector('${element}').getBoundingClientRect().bottom + scrollY`;
          const height = Math.ceil(await evaluate(end)) + 24;
          picture.clip = { x: 0, y: 0, width: view.size.width, height, scale: 1 };
          picture.captureBeyondViewport = true;
        }
        const { data } = await tell('Page.captureScreenshot', picture);
        writeFileSync(join(task.folder, `${name}.png`), Buffer.from(data, 'base64'));
      }
    }
  }
  let live = null;
  if (task.live) {
    // The page is open and signed in; what happens now appears without a reload.
    await arrive(() => tell('Page.navigate', { url: `${task.url}/` }));
    const rows = "document.querySelectorAll('#calls tr[id]').length";
    const before = await evaluate(rows);
    process.stdout.write('{"live": "ready"}\n');
    while ((await evaluate(rows)) <= before) await new Promise((later) => setTimeout(later, 100));
    const button = "document.querySelector('#follow').textContent";
    live = { before, after: await evaluate(rows), button: await evaluate(button) };
    // It gives its own place back.
    await arrive(() => tell('Page.navigate', { url: 'about:blank' }));
    process.stdout.write('{"live": "seen"}\n');
    await read();
    await arrive(() => tell('Page.navigate', { url: `${task.url}/` }));
    while ((await evaluate(button)) !== 'Paused') await new Promise((later) => setTimeout(later, 100));
  }
  process.stdout.write(`${JSON.stringify({ seen, live })}\n`);
}

const late = setTimeout(() => process.exit(1), LONGEST);
try {
  await main();
} finally {
  clearTimeout(late);
  if (browser.pid && browser.exitCode === null) process.kill(-browser.pid, 'SIGKILL');
  await ended;
  rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
}
process.exit();
