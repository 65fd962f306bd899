/** Exceptions as one line for the operator's log: what happened, and where in the sources. */

/**
 * Where the places of the bundle come from: the author's files, and `[line, column, the file's
 * index, its line]`, in order. The index is -1 where another's code begins. The build appends this
 * to the bundle.
 */
export interface Lines {
  readonly files: readonly string[];
  readonly places: readonly (readonly [number, number, number, number])[];
}

/** Returns a line such as `TypeError: x is not a function (src/tool.ts:12, src/tool.ts:30)`. */
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
    return found === null ? [] : [[Number(found[1]), Number(found[2])] as const];
  });
  const own = all.flatMap(([line, column]) => (lines && source(line, column, lines)) ?? []);
  const bundled = all.map(([line, column]) => `bundle:${line}:${column}`);
  return (own.length > 0 ? own : bundled).slice(0, MOST_PLACES);
}

/** Returns the place in the author's files that a place of the bundle comes from, if it does. */
export function source(line: number, column: number, { files, places }: Lines): string | undefined {
  const before = places.filter(([at, from]) => at < line || (at === line && from <= column));
  const [, , file = -1, original] = before.at(-1) ?? [];
  return file < 0 ? undefined : `${files[file]}:${original}`;
}

function text(value: unknown): string {
  try {
    return JSON.stringify(value) ?? String(value);
  } catch {
    return String(value);
  }
}

/** The end of a line of a stack, in QuickJS and in SpiderMonkey. */
const FRAME = /:(\d+):(\d+)\)?$/;

const MOST_PLACES = 4;
