/**
 * The exports of a development build: its component is the same for every source, which a build
 * writes into the region below and which is evaluated when an instance begins.
 */

import * as client from "bailiwick:tool/client@0.2.0";
import * as clock from "bailiwick:tool/clock@0.2.0";
import * as downstream from "bailiwick:tool/downstream@0.2.0";
import * as identity from "bailiwick:tool/identity@0.2.0";
import * as log from "bailiwick:tool/log@0.2.0";
import * as progress from "bailiwick:tool/progress@0.2.0";
import * as random from "bailiwick:tool/random@0.2.0";
import * as settings from "bailiwick:tool/settings@0.2.0";

import { described, type Lines } from "./trace.js";

type Run = (...given: unknown[]) => unknown;
type Exports = Readonly<Record<string, Readonly<Record<string, Run>>>>;

/** What the evaluated source takes and leaves. */
const world = globalThis as {
  __bailiwickHost?: object;
  __bailiwickLines?: Lines;
  __bailiwickMade?: { all: Exports };
};
world.__bailiwickHost = { client, clock, downstream, identity, log, progress, random, settings };

/** The mark, each byte exclusive-or 0x5a, so that it is in a component once. */
const MARK = [
  8, 184, 161, 211, 9, 92, 129, 239, 36, 4, 153, 95, 85, 181, 253, 253, 233, 155, 212, 188, 41, 49,
  15, 67, 83, 98, 207, 240, 153, 227, 62, 69,
];

/** The mark, the length of the source in four bytes, little-endian, and the source. */
const region = new Uint8Array(32 + 4 + 524_288);
for (let at = 0; at < region.length; at += 1) {
  // No byte is 0: a snapshot leaves zeros out.
  region[at] = at < 32 ? (MARK[at] ?? 0) ^ 0x5a : ((at - 32) % 251) + 1;
}

function source(): string {
  const length = new DataView(region.buffer).getUint32(32, true);
  const pieces: string[] = [];
  for (let at = 36; at < 36 + length; at += 8192) {
    const piece = region.subarray(at, Math.min(at + 8192, 36 + length));
    pieces.push(String.fromCharCode(...piece));
  }
  return pieces.join("");
}

let made: Exports | undefined;

function loaded(): Exports {
  try {
    (0, eval)(source());
    return (world.__bailiwickMade as { all: Exports }).all;
  } catch (error) {
    const why = described(error, world.__bailiwickLines);
    log.write("error", `the module cannot be loaded: ${why}`);
    throw error;
  }
}

/** Returns the functions of an interface, which are there when the first one is called. */
function late(name: string, ...functions: string[]): Record<string, Run> {
  const run = (each: string) =>
    ((...given) => (made ??= loaded())[name]?.[each]?.(...given)) satisfies Run;
  return Object.fromEntries(functions.map((each) => [each, run(each)]));
}

export const tools = late("tools", "describe", "call");
export const resources = late("resources", "describe", "read", "members");
export const prompts = late("prompts", "describe", "get");
export const completion = late("completion", "complete");
export const facets = late("facets", "describe");
