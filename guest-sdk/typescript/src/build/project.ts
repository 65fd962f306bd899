/** The project: where it is, what its component is called, where it begins. */

import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";

import { type Engine, engines } from "./engines.js";
import { BuildError } from "./failure.js";

/** A project. */
export interface Project {
  /** The absolute path of its folder. */
  readonly folder: string;
  /** The component's name. */
  readonly name: string;
  /** The absolute path of the entry module. */
  readonly entry: string;
  readonly engine?: Engine | undefined;
  /** Finds a file of a package as the project would, if it is installed. */
  find(file: string): string | undefined;
}

/** Reads `package.json`. */
export function readProject(given: string): Project {
  const folder = resolve(given);
  const file = join(folder, "package.json");
  if (!existsSync(file)) {
    throw new BuildError(1, `${file}: there is no such file; expected the folder of a project`);
  }
  const { name, bailiwick = {} } = parse(file);
  const component = bailiwick.name ?? (typeof name === "string" ? name.replace(/^@.*\//, "") : "");
  if (!/^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/.test(component)) {
    throw new BuildError(1, `${file}: name: ${JSON.stringify(component)} cannot name a component`);
  }
  const { engine } = bailiwick;
  if (engine !== undefined && !engines.includes(engine)) {
    throw new BuildError(1, `${file}: bailiwick.engine: expected one of ${engines.join(", ")}`);
  }
  const entry = resolve(folder, bailiwick.entry ?? "src/tool.ts");
  if (!existsSync(entry)) {
    throw new BuildError(1, `${entry}: there is no such file; set "bailiwick.entry" in ${file}`);
  }
  const find = (path: string) =>
    (createRequire(file).resolve.paths(path) ?? [])
      .map((modules) => join(modules, path))
      .find((found) => existsSync(found));
  return { folder, name: component, entry, engine, find };
}

interface Manifest {
  readonly name?: unknown;
  readonly bailiwick?: {
    readonly name?: string;
    readonly entry?: string;
    readonly engine?: Engine;
  };
}

function parse(file: string): Manifest {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as Manifest;
  } catch (error) {
    throw new BuildError(1, `${file}: ${(error as Error).message}`);
  }
}
