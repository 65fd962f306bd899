/** The world of a component: exactly the interfaces that it exports. */

import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import type { Described } from "../describe.js";
import { exportsOf, sdk, WORLDS } from "./bundle.js";

/** Writes the world and the interface; returns the folder. */
export function writeWorld(described: Described, scratch: string): string {
  const folder = join(scratch, "wit");
  const dependency = join(folder, "deps", "bailiwick");
  mkdirSync(dependency, { recursive: true });
  copyFileSync(sdk("./wit/tool.wit"), join(dependency, "tool.wit"));
  const includes = exportsOf(described).map(
    (name) => `  include bailiwick:tool/${WORLDS[name]}@0.2.0;`,
  );
  const world = `package local:component;\n\nworld ${WORLD} {\n${includes.join("\n")}\n}\n`;
  writeFileSync(join(folder, "component.wit"), world);
  return folder;
}

/** The world's name. */
export const WORLD = "component";
