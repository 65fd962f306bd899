/** Exceptions as one line for the operator's log: what happened, and where in the sources. */
/** Returns a line such as `TypeError: x is not a function (in run, src/tool.ts:12)`. */
export function described(error, lines) {
    if (!(error instanceof Error)) {
        return `something was thrown that is no Error: ${text(error)}`;
    }
    const places = frames(error.stack ?? "", lines);
    const where = places.length === 0 ? "" : ` (${places.join(", ")})`;
    const cause = error.cause === undefined ? "" : `; caused by ${described(error.cause, lines)}`;
    return `${error.name}: ${error.message}${where}${cause}`;
}
/** Returns the innermost places in the author's files; if there are none, those in the bundle. */
function frames(stack, lines) {
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
function source(line, { files, runs }) {
    const run = runs.find(([first, , , count]) => line >= first && line < first + count);
    return run && `${files[run[1]]}:${run[2] + line - run[0]}`;
}
function text(value) {
    try {
        return JSON.stringify(value) ?? String(value);
    }
    catch {
        return String(value);
    }
}
/** A line of a stack: `    at name (file:1:2)` of QuickJS, or `name@file:1:2` of SpiderMonkey. */
const FRAME = /^(?:\s*at (.*?) \(.*?|(.*?)@.*?):(\d+)(?::\d+)?\)?$/;
const MOST_PLACES = 4;
