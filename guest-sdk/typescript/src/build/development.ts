/**
 * Development builds: a component that is made once, with room for a source, and the source of the
 * present project.
 *
 * A source is ASCII, so that the component reads it without decoding. Its first lines are empty,
 * so that its places are apart from those of the component's own code.
 */

import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

import type { Plugin } from "esbuild";

import type { Described } from "../describe.js";
import { exportsOf, joined, quoted, sdk, settled } from "./bundle.js";
import { componentize } from "./engines.js";
import { linesOf } from "./lines.js";
import { writeWhole } from "./place.js";
import type { Project } from "./project.js";
import { writeWorld } from "./world.js";

/** The component with room, and what is written into it. */
const [BASE, KEY, SOURCE] = ["base.wasm", "base.key", "source"];

/** Joins the modules of a project to a script; the definitions are not needed yet. */
export async function script(project: Project): Promise<(described: Described) => string> {
  const entry = [
    `import ${quoted(sdk("./wasm/polyfills.js"))};`,
    `import { serve } from ${quoted(sdk("./wasm/serve.js"))};`,
    ...settled(project),
    `import component from ${quoted(project.entry)};`,
    "export const all = serve(component, globalThis.__bailiwickDescribed, Number);",
  ].join("\n");
  const { code, map } = await joined(project, entry, {
    platform: "neutral",
    mainFields: ["module", "main"],
    conditions: ["import", "module", "default"],
    define: { "process.env.NODE_ENV": '"production"' },
    format: "iife",
    globalName: "__bailiwickMade",
    minify: true,
    plugins: [HOST],
  });
  const { files, places } = linesOf(map, project.folder);
  const moved = places.map(([line, ...rest]) => [line + EMPTY_LINES, ...rest]);
  return (described) =>
    [
      `globalThis.__bailiwickLines = ${ascii({ files, places: moved })};`,
      `globalThis.__bailiwickDescribed = ${ascii(described)};`,
      "\n".repeat(EMPTY_LINES - 3),
      code,
    ].join("\n");
}

/**
 * Writes the source, and the component if the one that is there is for another SDK or other
 * exports. Without room for the source it returns false.
 */
export async function develop(
  project: Project,
  described: Described,
  source: string,
  folder: string,
  scratch: string,
): Promise<boolean> {
  const [base, key, place] = [BASE, KEY, SOURCE].map((name) => join(folder, name!));
  rmSync(place!, { force: true });
  if (source.length > MOST_BYTES) {
    console.error(
      `note: the joined modules have ${source.length} bytes, and a development build has room ` +
        `for ${MOST_BYTES}: this is a whole build, which takes longer`,
    );
    return false;
  }
  mkdirSync(folder, { recursive: true });
  const needed = keyOf(described);
  const held = existsSync(base!) && existsSync(key!) ? readFileSync(key!, "utf8") : "";
  if (held !== needed) {
    rmSync(key!, { force: true });
    writeWhole(base!, await component(project, described, scratch));
    writeWhole(key!, Buffer.from(needed));
  }
  writeWhole(place!, Buffer.from(source, "latin1"));
  return true;
}

async function component(
  project: Project,
  described: Described,
  scratch: string,
): Promise<Uint8Array> {
  const names = exportsOf(described).join(", ");
  const entry = `export { ${names} } from ${quoted(sdk("./wasm/developed.js"))};`;
  const { code } = await joined(project, entry, {
    platform: "neutral",
    external: ["bailiwick:*"],
    minify: true,
  });
  const bundle = { source: code, lines: { files: [], places: [] } };
  return componentize("quickjs", bundle, writeWorld(described, scratch), project);
}

/** Returns a digest of everything that the component is made of. */
function keyOf(described: Described): string {
  const hash = createHash("sha256").update(exportsOf(described).join(","));
  const own = fileURLToPath(new URL("..", import.meta.url));
  const names = readdirSync(own, { recursive: true, encoding: "utf8" });
  for (const name of names.filter((name) => /\.(js|wit)$/.test(name)).sort()) {
    hash.update(name).update(readFileSync(join(own, name)));
  }
  const engine = fileURLToPath(import.meta.resolve("componentize-qjs"));
  return hash.update(readFileSync(join(dirname(engine), "package.json"))).digest("hex");
}

/** Returns a literal. */
function ascii(value: unknown): string {
  return JSON.stringify(value).replace(
    /[^\0-\x7f]/g,
    (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** The host's functions, which the component with room has imported. */
const HOST: Plugin = {
  name: "host",
  setup(build) {
    build.onResolve({ filter: /^bailiwick:/ }, ({ path }) => ({ path, namespace: "host" }));
    build.onLoad({ filter: /.*/, namespace: "host" }, ({ path }) => {
      const name = path.replace(/^bailiwick:tool\//, "").replace(/@.*$/, "");
      return { contents: `module.exports = globalThis.__bailiwickHost.${name};` };
    });
  },
};

/** The lines before the code; the component's own code has fewer. */
const EMPTY_LINES = 1000;
/** The room of `wasm/developed.ts`. */
const MOST_BYTES = 524_288;
