// Headless Chromium, in a profile of its own and without a network but loopback.

import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-dev-shm-usage',
  '--disable-background-networking',
  '--no-proxy-server',
  '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost',
];

/** Opens a page with `control`, a flag without which the browser ends at once; returns the process, and its end. */
export function start(chromium, control, page) {
  const profile = mkdtempSync(join(tmpdir(), 'bailiwick-browser-'));
  const stdio = ['ignore', 'ignore', 'pipe', 'pipe', 'pipe'];
  const flags = [...FLAGS, control, `--user-data-dir=${profile}`, page];
  const browser = spawn(chromium, flags, { detached: true, stdio });
  const ended = new Promise((end) => browser.once('close', end));
  const end = async () => {
    if (browser.pid && browser.exitCode === null) process.kill(-browser.pid, 'SIGKILL');
    await ended;
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
  };
  return { browser, end };
}
