/** Checks the types of a project with its own TypeScript. */

import { existsSync } from "node:fs";
import { dirname, join } from "node:path";

import { BuildError } from "./failure.js";
import type { Project } from "./project.js";
import { ran } from "./run.js";

/** Fails with the compiler's words, as `file(line,column): error …`. */
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
  if (status !== 0) {
    // TypeScript writes `file(line,column)`; editors and people open `file:line:column`.
    const text = said.replace(/^(\S.*?)\((\d+),(\d+)\):/gm, "$1:$2:$3:");
    throw new BuildError(1, text.trim());
  }
}
