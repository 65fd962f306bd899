/** Joins the modules of a project to one. */

import { fileURLToPath } from "node:url";

import { build, type BuildOptions, type Message } from "esbuild";

import type { Described } from "../describe.js";
import type { Lines } from "../wasm/trace.js";
import type { Engine } from "./engines.js";
import { BuildError } from "./failure.js";
import { linesOf } from "./lines.js";
import { withoutNetwork } from "./network.js";
import type { Project } from "./project.js";

/** The component's module, and where its places come from. */
export interface Bundle {
  readonly source: string;
  readonly lines: Lines;
}

/** Returns the component's module. */
export async function bundle(
  project: Project,
  described: Described,
  engine: Engine,
): Promise<Bundle> {
  const entry = [
    `import ${quoted(sdk("./wasm/polyfills.js"))};`,
    `import { serve } from ${quoted(sdk("./wasm/serve.js"))};`,
    ...settled(project),
    `import component from ${quoted(project.entry)};`,
    `const all = serve(component, ${JSON.stringify(described)}, ${WIDE[engine]});`,
    ...exportsOf(described).map((name) => `export const ${name} = all.${name};`),
  ].join("\n");
  const { code, map, inputs } = await joined(project, entry, {
    platform: "neutral",
    mainFields: ["module", "main"],
    conditions: ["import", "module", "default"],
    external: ["bailiwick:*"],
    define: { "process.env.NODE_ENV": '"production"' },
    // The engine keeps the text of functions, and a call costs by the page.
    minify: true,
  });
  if (inputs.some((path) => /zod\/v4\/locales\/(?!en\.)/.test(path))) {
    console.error('note: write `import * as z from "zod"`; another import adds 3 MB of languages');
  }
  const lines = linesOf(map, project.folder);
  return { source: `${code}globalThis.__bailiwickLines = ${JSON.stringify(lines)};\n`, lines };
}

/** Returns the interfaces that a component exports. */
export function exportsOf(described: Described): (keyof typeof WORLDS)[] {
  const has = {
    tools: described.tools.length > 0,
    resources: described.resources.length > 0,
    prompts: described.prompts.length > 0,
    completion: described.completes,
    facets: described.facets.length > 0,
  };
  return (Object.keys(WORLDS) as (keyof typeof WORLDS)[]).filter((name) => has[name]);
}

/** The interfaces that a component can export, with their worlds. */
export const WORLDS = {
  tools: "tool",
  resources: "resource-provider",
  prompts: "prompt-provider",
  completion: "completer",
  facets: "faceted",
} as const;

/** Returns the code of an entry with all its imports, and its source map. */
export async function joined(
  project: Project,
  contents: string,
  options: BuildOptions,
): Promise<{ code: string; map: string; inputs: string[] }> {
  try {
    const { outputFiles = [], metafile } = await build({
      stdin: { contents, resolveDir: project.folder, sourcefile: "bailiwick:entry" },
      absWorkingDir: project.folder,
      bundle: true,
      write: false,
      format: "esm",
      target: "es2022",
      outfile: "bundle.js",
      sourcemap: "external",
      sourcesContent: false,
      metafile: true,
      legalComments: "none",
      logLevel: "silent",
      ...options,
      plugins: [withoutNetwork, ...(options.plugins ?? [])],
    });
    const file = (end: string) => outputFiles.find(({ path }) => path.endsWith(end))?.text ?? "";
    const used = Object.values(metafile?.outputs ?? {}).flatMap(({ inputs }) =>
      Object.entries(inputs),
    );
    const inputs = used.filter(([, { bytesInOutput }]) => bytesInOutput > 0).map(([path]) => path);
    return { code: file(".js"), map: file(".map"), inputs };
  } catch (error) {
    const { errors } = error as { errors?: Message[] };
    if (errors === undefined) {
      throw error;
    }
    throw new BuildError(1, errors.map(said).join("\n"));
  }
}

/** Returns the path of a module of this package. */
export function sdk(file: string): string {
  return fileURLToPath(new URL(`.${file}`, import.meta.url));
}

/** Returns a text as a literal. */
export function quoted(text: string): string {
  return JSON.stringify(text);
}

function said({ text, location, notes }: Message): string {
  const place =
    location === null ? "" : `${location.file}:${location.line}:${location.column + 1}: `;
  const builtin = notes.some((note) => note.text.includes("platform"));
  const hint = builtin ? " (a component has no Node: no files, no network, no processes)" : "";
  return `${place}error: ${text}${hint}`;
}

/** Returns what makes libraries fit: an instance runs once, so code made at run time never pays. */
export function settled({ find }: Project): string[] {
  const zod = find("zod/v4/core/package.json") !== undefined;
  return zod ? [`import { config } from "zod/v4/core";`, "config({ jitless: true });"] : [];
}

/** How an engine takes a 64-bit integer. */
const WIDE: Record<Engine, string> = { quickjs: "Number", starlingmonkey: "BigInt" };
