/** Exceptions as one line for the operator's log: what happened, and where in the sources. */

/**
 * Where the lines of the bundle come from: the files, and runs of lines `[in the bundle, the file's
 * index, in the file, how many]`. The build appends it to the bundle.
 */
export interface Lines {
  readonly files: readonly string[];
  readonly runs: readonly (readonly [number, number, number, number])[];
}

/** Returns a line such as `TypeError: x is not a function (in run, src/tool.ts:12)`. */
export function described(error: unknown, lines: Lines | undefined): string {
  if (!(error instanceof Error)) {
    return `something was thrown that is no Error: ${text(error)}`;
  }
  const places = frames(error.stack ?? "", lines);
  const where = places.length === 0 ? "" : ` (${places.join(", ")})`;
  const cause = error.cause === undefined ? "" : `; caused by ${described(error.cause, lines)}`;
  return `${error.name}: ${error.message}${where}${cause}`;
}

/** Returns the innermost places in the author's files; if there are none, those in the bundle. */
function frames(stack: string, lines: Lines | undefined): string[] {
  const all = stack.split("\n").flatMap((line) => {
    const found = FRAME.exec(line);
    return found === null ? [] : [{ name: found[1] ?? found[2] ?? "", line: Number(found[3]) }];
  });
  const own = all.flatMap(({ name, line }) => {
    const place = lines && source(line, lines);
    return place === undefined ? [] : [`in ${name || "a function"}, ${place}`];
  });
  const bundled = all.map(({ name, line }) => `in ${name || "a function"}, bundle:${line}`);
  return (own.length > 0 ? own : bundled).slice(0, MOST_PLACES);
}

function source(line: number, { files, runs }: Lines): string | undefined {
  const run = runs.find(([first, , , count]) => line >= first && line < first + count);
  return run && `${files[run[1]]}:${run[2] + line - run[0]}`;
}

function text(value: unknown): string {
  try {
    return JSON.stringify(value) ?? String(value);
  } catch {
    return String(value);
  }
}

/** A line of a stack: `    at name (file:1:2)` of QuickJS, or `name@file:1:2` of SpiderMonkey. */
const FRAME = /^(?:\s*at (.*?) \(.*?|(.*?)@.*?):(\d+)(?::\d+)?\)?$/;

const MOST_PLACES = 4;
