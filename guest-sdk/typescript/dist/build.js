#!/usr/bin/env node
/**
 * Builds a component of a TypeScript project.
 *
 *   bailiwick-sdk-build [DIR] [--engine quickjs|starlingmonkey] [--out DIR|FILE]
 *
 * The contract, which `bailiwick build` relies on:
 *
 * - DIR is the project's folder, by default the current one: where its `package.json` is. Its
 *   member `bailiwick` may have `name` (the component's name, by default the package's without its
 *   scope), `entry` (by default `src/tool.ts`) and `engine`.
 * - `--engine` is `quickjs` unless given. `--out` is a folder, or a file if it ends with `.wasm`;
 *   by default the project's folder. A relative one is relative to the current folder.
 * - `--development` is a folder for a development build: `base.wasm`, which is made again only if
 *   the SDK or the interfaces that the project exports are others, and `source`, which `bailiwick`
 *   writes into it. If a source does not fit, there is none, and the component is built as ever.
 * - Standard output has one line, the absolute path of the component, and only if it was built.
 *   The file is written as the last step, and replaced as a whole.
 * - Standard error has everything else: what is wrong as `file:line:column`, or as the name of a
 *   definition and its field, and what the entry writes while it is loaded.
 * - Exit code 0: built. 1: the project is wrong. 2: the arguments are. 3: something is missing on
 *   this machine, and the text says what to install.
 * - Nothing is written beside the component but in a temporary folder, which is removed. Nothing
 *   is fetched.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { bundle } from "./build/bundle.js";
import { checkTypes } from "./build/check.js";
import { develop, script } from "./build/development.js";
import { componentize, engines } from "./build/engines.js";
import { evaluate } from "./build/evaluate.js";
import { BuildError } from "./build/failure.js";
import { outFile, writeWhole } from "./build/place.js";
import { readProject } from "./build/project.js";
import { writeWorld } from "./build/world.js";
const USAGE = "usage: bailiwick-sdk-build [DIR] [--engine quickjs|starlingmonkey] [--out DIR|FILE]";
/** Builds; returns the component's path. */
async function build(argv) {
    const { folder, engine, out, development } = parse(argv);
    const project = readProject(folder);
    const scratch = mkdtempSync(join(tmpdir(), "bailiwick-"));
    try {
        const chosen = engine ?? project.engine ?? "quickjs";
        const quick = development !== undefined && chosen === "quickjs";
        // What can fail does so in this order, and all of it runs at once.
        const [types, evaluated, joined] = await Promise.allSettled([
            checkTypes(project),
            evaluate(project, scratch),
            quick ? script(project) : undefined,
        ]);
        good(types);
        const { described, said } = good(evaluated);
        process.stderr.write(said);
        const source = good(joined)?.(described);
        const file = outFile(out ?? folder, project.name);
        if (source !== undefined && quick) {
            if (await develop(project, described, source, resolve(development), scratch)) {
                return file;
            }
        }
        const module = await bundle(project, described, chosen);
        const world = writeWorld(described, scratch);
        const component = await componentize(chosen, module, world, project);
        writeWhole(file, component);
        return file;
    }
    finally {
        rmSync(scratch, { recursive: true, force: true });
    }
}
function good(result) {
    if (result.status === "rejected") {
        throw result.reason;
    }
    return result.value;
}
function parse(args) {
    try {
        const { values, positionals } = parseArgs({
            args,
            allowPositionals: true,
            options: {
                engine: { type: "string" },
                out: { type: "string" },
                development: { type: "string" },
                help: { type: "boolean" },
            },
        });
        const { engine, out, development, help } = values;
        if (help === true || positionals.length > 1) {
            throw new Error("");
        }
        if (engine !== undefined && !engines.includes(engine)) {
            throw new Error(`--engine: expected one of ${engines.join(", ")}`);
        }
        return {
            folder: positionals[0] ?? ".",
            ...(engine === undefined ? {} : { engine: engine }),
            ...(out === undefined ? {} : { out }),
            ...(development === undefined ? {} : { development }),
        };
    }
    catch (error) {
        throw new BuildError(2, `${error.message}\n${USAGE}`.trim());
    }
}
try {
    console.log(await build(process.argv.slice(2)));
}
catch (error) {
    console.error(error instanceof BuildError ? error.message : error);
    process.exitCode = error instanceof BuildError ? error.code : 1;
}
