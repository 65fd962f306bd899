/** Loads the entry in Node, in a process of its own, and returns its definitions. */

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import type { Described } from "../describe.js";
import { joined, quoted, sdk } from "./bundle.js";
import { BuildError } from "./failure.js";
import type { Project } from "./project.js";
import { ran } from "./run.js";

/** The definitions of an entry, and what it has written. */
export interface Evaluated {
  readonly described: Described;
  readonly said: string;
}

/** Fails with the faults of the definitions, or with the exception that the entry threw. */
export async function evaluate(project: Project, scratch: string): Promise<Evaluated> {
  const program = join(scratch, "describe.mjs");
  const answer = join(scratch, "described.json");
  const { code, map } = await joined(project, entry(project), {
    platform: "node",
    external: ["bailiwick:*", "node:fs"],
  });
  writeFileSync(program, `${code}\n//# sourceMappingURL=describe.mjs.map\n`);
  writeFileSync(`${program}.map`, rooted(map, project.folder));
  const { status, said } = await ran(
    ["--enable-source-maps", "--no-warnings", program, answer],
    project.folder,
  );
  if (status === FAULTS) {
    throw new BuildError(1, `${said}${project.entry}: nothing was built`);
  }
  if (status !== 0) {
    throw new BuildError(1, `${said}${project.entry}: it cannot be loaded`);
  }
  const described = JSON.parse(readFileSync(answer, "utf8")) as Described;
  checkUris(described, project);
  return { described, said };
}

/** Returns a program that writes the definitions, or the faults to standard error. */
function entry(project: Project): string {
  const zod =
    project.find("zod/v4/core/package.json") === undefined
      ? ""
      : `import * as zod from "zod/v4/core";`;
  const fallback =
    zod === ""
      ? "undefined"
      : `(schema, io) => schema["~standard"].vendor === "zod" ? zod.toJSONSchema(schema, { io }) : undefined`;
  return `
    import { writeFileSync } from "node:fs";
    import { describe } from ${quoted(sdk("./describe.js"))};
    import * as module from ${quoted(project.entry)};
    ${zod}
    try {
      const component = module.default;
      if (!Array.isArray(component?.tools)) {
        throw { faults: ["expected \`export default component({ … })\`"] };
      }
      writeFileSync(process.argv[2], JSON.stringify(describe(component, ${fallback})));
    } catch (error) {
      if (!Array.isArray(error?.faults)) throw error;
      for (const fault of error.faults) console.error("error: " + fault);
      process.exitCode = ${FAULTS};
    }`;
}

/** Returns the source map with absolute paths. */
function rooted(map: string, folder: string): string {
  return JSON.stringify({ ...(JSON.parse(map) as object), sourceRoot: `${folder}/` });
}

/** Checks that URIs are those of this component, as the host does. */
function checkUris({ resources }: Described, { name }: Project): void {
  const scheme = name.toLowerCase().replaceAll("_", "-");
  for (const { name: resource, uri } of resources) {
    if (!uri.startsWith(`${scheme}://`) && !uri.startsWith(`ui://${scheme}/`)) {
      throw new BuildError(
        1,
        `error: resource ${JSON.stringify(resource)}: uri: expected ${scheme}://… or ` +
          `ui://${scheme}/…, because the component's name is ${name}`,
      );
    }
  }
}

/** The exit code for faults that the program has written. */
const FAULTS = 4;
