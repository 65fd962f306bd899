/** The engines that a component can carry, and the programs that join module and engine. */

import { join } from "node:path";
import { pathToFileURL } from "node:url";

import { source as placeOf } from "../wasm/trace.js";
import type { Bundle } from "./bundle.js";
import { BuildError } from "./failure.js";
import type { Project } from "./project.js";
import { WORLD } from "./world.js";

/** The engines, the recommended one first. */
export const engines = ["quickjs", "starlingmonkey"] as const;

/** An engine: QuickJS is small and starts fast, StarlingMonkey has more of the web's interfaces. */
export type Engine = (typeof engines)[number];

/** Makes the component of a module. */
export async function componentize(
  engine: Engine,
  { source, lines }: Bundle,
  wit: string,
  project: Project,
): Promise<Uint8Array> {
  try {
    return engine === "quickjs" ? await quickjs(source, wit) : await starling(source, wit, project);
  } catch (error) {
    if (error instanceof BuildError) {
      throw error;
    }
    const text = (error as Error).message
      .replace(/^\s*:?\s*/, "")
      .replace(/[\w:.-]*:(\d+):(\d+)/g, (place: string, line: string, column: string) => {
        return placeOf(Number(line), Number(column), lines) ?? place;
      });
    throw new BuildError(1, `the module cannot be made a component: ${text}`);
  }
}

async function quickjs(jsSource: string, witPath: string): Promise<Uint8Array> {
  const { componentize } = await import("componentize-qjs").catch((error: unknown) => {
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

async function starling(source: string, witPath: string, project: Project): Promise<Uint8Array> {
  const program = project.find(join("@bytecodealliance/componentize-js", "src/componentize.js"));
  if (program === undefined) {
    throw new BuildError(
      3,
      "StarlingMonkey is missing; run `npm install --save-dev " +
        "@bytecodealliance/componentize-js@0.23.0 @bytecodealliance/preview2-shim@0.17.9`",
    );
  }
  const { componentize } = (await import(pathToFileURL(program).href)) as {
    componentize: Componentize;
  };
  const { component } = await componentize(source, {
    witPath,
    worldName: WORLD,
    disableFeatures: ["stdio", "random", "clocks", "http", "fetch-event"],
  });
  return component;
}

type Componentize = (
  source: string,
  options: { witPath: string; worldName: string; disableFeatures: string[] },
) => Promise<{ component: Uint8Array }>;
