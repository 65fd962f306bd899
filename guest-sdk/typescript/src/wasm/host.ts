/** The host's functions, as a component imports them. Differences of the engines end here. */

import * as client from "bailiwick:tool/client@0.2.0";
import * as clock from "bailiwick:tool/clock@0.2.0";
import * as downstream from "bailiwick:tool/downstream@0.2.0";
import * as identity from "bailiwick:tool/identity@0.2.0";
import * as log from "bailiwick:tool/log@0.2.0";
import * as progress from "bailiwick:tool/progress@0.2.0";
import * as random from "bailiwick:tool/random@0.2.0";
import * as settings from "bailiwick:tool/settings@0.2.0";

import type { Outside, Plain, Sent } from "../outside.js";
import type { downstream as wire } from "../wit.js";

/** False while the module is evaluated, which happens once, when the component is built. */
let running = false;

/** Says that a call runs, so the host's functions are there. */
export function begin(): void {
  running = true;
}

/** Returns true once a call runs. */
export function isRunning(): boolean {
  return running;
}

/** The host. */
export const host: Outside = {
  actor: () => plain(asked(identity.actor)),
  login: () => plain(asked(identity.authentication)),
  agent: () => plain(asked(identity.agent)),
  session: () => plain(asked(identity.session)),
  scopes: () => asked(identity.scopes),
  services: () => asked(identity.services),
  binding: () => plain(asked(identity.call)),
  envelope: () => asked(identity.json),
  send(request): Sent {
    try {
      return { tag: "ok", val: asked(() => downstream.send(request)) };
    } catch (error) {
      return { tag: "err", val: reason(error) };
    }
  },
  sendAll: (requests) => asked(() => downstream.sendAll(requests)),
  settings: () => asked(settings.get),
  now: () => Number(asked(clock.now)),
  random: (length) => asked(() => random.bytes(length)),
  progress: (done, total, message) => asked(() => progress.report(done, total, message)),
  write: (level, message) => asked(() => log.write(level, message)),
  revision: () => asked(client.revision),
  declares: (capability) => asked(() => client.declares(capability)),
  message: (severity, data) => asked(() => client.message(severity, data)),
};

/** Asks the host, which is not there while the component is built. */
function asked<T>(ask: () => T): T {
  if (!running) {
    throw new Error(
      "time, random numbers and the host's other functions are there only while a call runs, " +
        "not while the module is loaded: use them in the function",
    );
  }
  return ask();
}

/** Returns the reason that a request was not answered; engines wrap it differently. */
function reason(error: unknown): wire.Error {
  const thrown = (error as { payload?: unknown } | undefined)?.payload ?? error;
  if (typeof (thrown as { tag?: unknown } | undefined)?.tag !== "string") {
    throw error;
  }
  return thrown as wire.Error;
}

/** Replaces `null` and `bigint`, which depend on the engine. */
function plain<T>(value: T): Plain<T> {
  if (typeof value === "bigint") {
    return Number(value) as Plain<T>;
  }
  if (Array.isArray(value)) {
    return value.map(plain) as Plain<T>;
  }
  if (typeof value !== "object" || value === null) {
    return (value ?? undefined) as Plain<T>;
  }
  const members = Object.entries(value).map(([name, member]) => [name, plain(member)]);
  return Object.fromEntries(members) as Plain<T>;
}
