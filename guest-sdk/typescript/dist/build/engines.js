/** The engines that a component can carry, and the programs that join module and engine. */
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { source as placeOf } from "../wasm/trace.js";
import { BuildError } from "./failure.js";
import { WORLD } from "./world.js";
/** The engines, the recommended one first. */
export const engines = ["quickjs", "starlingmonkey"];
/** Makes the component of a module. */
export async function componentize(engine, { source, lines }, wit, project) {
    try {
        return engine === "quickjs" ? await quickjs(source, wit) : await starling(source, wit, project);
    }
    catch (error) {
        if (error instanceof BuildError) {
            throw error;
        }
        const text = error.message
            .replace(/^\s*:?\s*/, "")
            .replace(/[\w:.-]*:(\d+):(\d+)/g, (place, line, column) => {
            return placeOf(Number(line), Number(column), lines) ?? place;
        });
        throw new BuildError(1, `the module cannot be made a component: ${text}`);
    }
}
async function quickjs(jsSource, witPath) {
    const { componentize } = await import("componentize-qjs").catch((error) => {
        throw new BuildError(3, `componentize-qjs does not load on this machine: ${String(error)}`);
    });
    const { component } = await componentize({
        witPath,
        jsSource,
        world: WORLD,
        stubWasi: true,
        optSize: true,
        sync: true,
    });
    return component;
}
async function starling(source, witPath, project) {
    const program = project.find(join("@bytecodealliance/componentize-js", "src/componentize.js"));
    if (program === undefined) {
        throw new BuildError(3, "StarlingMonkey is missing; run `npm install --save-dev " +
            "@bytecodealliance/componentize-js@0.23.0 @bytecodealliance/preview2-shim@0.17.9`");
    }
    const { componentize } = (await import(pathToFileURL(program).href));
    const { component } = await componentize(source, {
        witPath,
        worldName: WORLD,
        disableFeatures: ["stdio", "random", "clocks", "http", "fetch-event"],
    });
    return component;
}
