/** Checks the types of a project with its own TypeScript. */

import { existsSync } from "node:fs";
import { dirname, join } from "node:path";

import { BuildError } from "./failure.js";
import { NO_NETWORK, OF_NODE } from "./network.js";
import type { Project } from "./project.js";
import { ran } from "./run.js";

/**
 * Fails with the compiler's words, as `file:line:column: error …`.
 *
 * Mistakes in tests are written to standard error and fail nothing: no test is in a component.
 */
export async function checkTypes({ folder, find }: Project): Promise<void> {
  if (!existsSync(join(folder, "tsconfig.json"))) {
    throw new BuildError(1, `${join(folder, "tsconfig.json")}: there is no such file`);
  }
  const manifest = find("typescript/package.json");
  if (manifest === undefined) {
    throw new BuildError(3, "TypeScript is missing; run `npm install` in the project");
  }
  const compiler = join(dirname(manifest), "bin/tsc");
  const { status, said } = await ran(
    [compiler, "--noEmit", "--pretty", "false", "-p", folder],
    folder,
  );
  if (status === 0) {
    return;
  }
  // TypeScript writes `file(line,column)`; editors and people open `file:line:column`.
  const text = said.replace(/^(\S.*?)\((\d+),(\d+)\):/gm, "$1:$2:$3:").trim();
  // The lines of an error's details begin with spaces.
  const errors = text.split(/\n(?=\S)/);
  const own = errors.filter((error) => !OF_TESTS.test(error));
  if (own.length > 0) {
    throw new BuildError(1, own.map(inComponent).join("\n"));
  }
  console.error(`${text}\nnote: these errors are in tests, which are no part of the component`);
}

/** An error in a test, by the names that vitest looks for. */
const OF_TESTS = /^[^\n]*?\.(?:test|spec)\.[cm]?[jt]sx?:\d+:\d+: /;

/** Returns an error with what a component has in place of what is not in it. */
function inComponent(error: string): string {
  const [first = ""] = error.split("\n");
  if (/error TS\d+: .*Promise</.test(first) && ASYNC.test(error)) {
    return first.replace(/(error TS\d+: ).*/, `$1the function returns a promise; ${SYNCHRONOUS}`);
  }
  const name = /Cannot find (?:name|module) '([^']+)'/.exec(first)?.[1];
  const [, instead] = INSTEAD.find(([names]) => name !== undefined && names.test(name)) ?? [];
  // The compiler advises to install the types of what no component has.
  return instead === undefined
    ? error
    : `${first.replace(/('\.?) Do you need .*/, "$1")} (${instead})`;
}

const ASYNC = /property 'then' are incompatible/;
const SYNCHRONOUS = "a call is synchronous: remove `async` and `await`";

/** What is not in a component, and what to do. */
const INSTEAD: readonly (readonly [RegExp, string])[] = [
  [/^(?:fetch|Request|Headers|XMLHttpRequest|WebSocket|EventSource)$/, NO_NETWORK],
  [OF_NODE, NO_NETWORK],
  [/^(?:set|clear)(?:Timeout|Interval|Immediate)$/, "a component has no timers"],
  [
    /^(?:node:.*|process|Buffer|require|__dirname|__filename|fs|path|os|child_process)$/,
    "a component has no Node: no files, no network, no processes",
  ],
];
