// The build, as `bailiwick build` calls it. It needs `dist`.

import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { afterAll, expect, test } from "vitest";

const here = fileURLToPath(new URL(".", import.meta.url));
const out = mkdtempSync(join(tmpdir(), "bailiwick-test-"));
const projects = [out];

afterAll(() => projects.forEach((folder) => rmSync(folder, { recursive: true })));

function build(...given: string[]) {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(here, "../dist/build.js"), ...given],
    { encoding: "utf8" },
  );
  return { status, stdout, stderr };
}

/** Makes a project with this entry; returns its folder. */
function project(entry: string, bailiwick: object = {}): string {
  const folder = mkdtempSync(join(here, "project-"));
  projects.push(folder);
  mkdirSync(join(folder, "src"));
  writeFileSync(join(folder, "src/tool.ts"), entry);
  writeFileSync(join(folder, "package.json"), JSON.stringify({ name: "made", bailiwick }));
  const tsconfig = { extends: "../shop/tsconfig.json", include: ["src"] };
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(tsconfig));
  return folder;
}

const IMPORTS = 'import { component, resource, tool } from "bailiwick-sdk";\n';

test("a component is built, and its path is all of the standard output", () => {
  const file = join(out, "shop.wasm");
  expect(build(join(here, "shop"), "--out", out)).toEqual({
    status: 0,
    stdout: `${file}\n`,
    stderr: "",
  });
  const component = readFileSync(file);
  expect(component.subarray(0, 8)).toEqual(Buffer.from([0, 0x61, 0x73, 0x6d, 0x0d, 0, 1, 0]));
  for (const face of ["tools", "resources", "prompts", "completion", "facets"]) {
    expect(component.includes(`bailiwick:tool/${face}@0.2.0`)).toBe(true);
  }
});

test("only what a component has is exported, and what the entry writes is no path", () => {
  const file = join(out, "one.wasm");
  const folder = project(
    `${IMPORTS}console.log("loaded");
     export default component({ tools: [tool({ name: "a", description: "A." }, () => "")] });`,
  );
  expect(build(folder, "--out", file)).toEqual({
    status: 0,
    stdout: `${file}\n`,
    stderr: "loaded\n",
  });
  expect(readFileSync(file).includes("bailiwick:tool/prompts@0.2.0")).toBe(false);
});

test.each([
  ["a type error", "export default 1 + null;", /^\S*src\/tool\.ts:2:20: error TS/],
  [
    "a wrong definition",
    'export default component({ tools: [tool({ name: "x" } as never, () => "")] });',
    /^error: tool "x": description is missing$/m,
  ],
  [
    "a foreign URI",
    'export default component({ resources: [resource({ uri: "shop://a", name: "a" }, () => "")] });',
    /resource "a": uri: expected made:\/\/… or ui:\/\/made\/…/,
  ],
  ["no component", "export default 1;", /expected `export default component\(\{ … \}\)`/],
  ["an exception", 'throw new Error("boom");', /boom[^]*src\/tool\.ts:2/],
  [
    "a function of the host at the wrong time",
    'const now = Date.now();\nexport default component({ tools: [tool({ name: "a", description: "A." }, () => now)] });',
    /only while a call runs[^]*src\/tool\.ts:2/,
  ],
  [
    "a package that is not there",
    '// @ts-ignore\nimport "missing";',
    /src\/tool\.ts:3:\d+: error: .*missing/,
  ],
  [
    "an async function",
    `export default component({ tools: [tool({ name: "a", description: "A." }, async () => "")] });`,
    /^\S*src\/tool\.ts:2:\d+: error TS\d+: .* returns a promise; .* remove `async` and `await`\n$/,
  ],
  ["a module of Node", 'import "fs";\nimport { rm } from "node:fs"; rm;', /no Node: no files/],
  ["a request", 'fetch("https://shop.example");', /Cannot find name 'fetch'\. \(.* no network/],
  [
    "a module of Node for the network",
    'import { get } from "node:http"; get;',
    /src\/tool\.ts:2:\d+: .* \(a component has no network: .* ask `services\.NAME`\)/,
  ],
  [
    "a client of the network",
    '// @ts-ignore\nimport axios from "axios"; axios;',
    /^\S*src\/tool\.ts:3:\d+: error: "axios": a component has no network: .* `services\.NAME`\n$/,
  ],
  ["a timer", "setTimeout(() => 0, 1);", /src\/tool\.ts:2:1: .* \(a component has no timers\)/],
])("%s fails the build, and says where", (_, entry, text) => {
  const { status, stdout, stderr } = build(project(IMPORTS + entry), "--out", out);
  expect(stderr).toMatch(text);
  expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
});

test("a package that has a use without its client is built", () => {
  const folder = project(
    `import other, { type Axios } from "axios-of-another";
     import type { AxiosInstance } from "axios";
     ${IMPORTS}export type All = Axios | AxiosInstance;
     export default component({ tools: [tool({ name: "a", description: "A." }, () => other)] });`,
  );
  for (const [name, code, types] of [
    ["axios", "throw new Error();", "export interface AxiosInstance {}"],
    [
      "axios-of-another",
      'import "axios/none"; export default "";',
      "declare const it: string;\nexport default it;\nexport interface Axios {}",
    ],
  ] as const) {
    const place = join(folder, "node_modules", name);
    mkdirSync(place, { recursive: true });
    const manifest = {
      name,
      type: "module",
      types: "index.d.ts",
      exports: { ".": { types: "./index.d.ts", default: "./index.js" }, "./none": "./none.js" },
    };
    writeFileSync(join(place, "package.json"), JSON.stringify(manifest));
    writeFileSync(join(place, "index.js"), code);
    writeFileSync(join(place, "none.js"), "");
    writeFileSync(join(place, "index.d.ts"), types);
  }
  expect(build(folder, "--out", out)).toMatchObject({ status: 0, stderr: "" });
});

test("a mistake in a test is told, and the component is built", () => {
  const folder = project(
    `${IMPORTS}export default component({ tools: [tool({ name: "a", description: "A." }, () => "")] });`,
  );
  const wrong = 'import { renamed } from "./tool.js";\nrenamed();\n';
  writeFileSync(join(folder, "src/tool.test.ts"), wrong);
  const { status, stderr } = build(folder, "--out", out);
  expect(stderr).toMatch(/tool\.test\.ts:1:10: error TS/);
  expect(stderr).toContain("note: these errors are in tests");
  expect(status).toBe(0);
  writeFileSync(join(folder, "src/wrong.ts"), wrong);
  expect(build(folder, "--out", out)).toMatchObject({ status: 1, stdout: "" });
});

test.each([
  [["--engine", "v8"], 2, "--engine: expected one of quickjs, starlingmonkey"],
  [["--other"], 2, "usage: "],
  [[join(out, "none")], 1, "package.json: there is no such file"],
])("%j is refused", (given, code, text) => {
  const { status, stdout, stderr } = build(...given);
  expect(stderr).toContain(text);
  expect({ status, stdout }).toEqual({ status: code, stdout: "" });
});

test("an engine that is not installed is named with what installs it", () => {
  const folder = project(`${IMPORTS}export default component({ tools: [
    tool({ name: "a", description: "A." }, () => "") ] });`);
  const { status, stderr } = build(folder, "--engine", "starlingmonkey", "--out", out);
  expect(stderr).toContain("npm install --save-dev @bytecodealliance/componentize-js");
  expect(status).toBe(3);
});

test("a development build keeps its component, and has the source beside it", () => {
  const development = join(out, "development");
  const entry = (text: string) => `${IMPORTS}export default component({ tools: [
    tool({ name: "a", description: "${text}" }, () => "") ] });`;
  const folder = project(entry("One."));
  const read = (name: string) => readFileSync(join(development, name));
  const given = [folder, "--development", development, "--out", out];
  expect(build(...given).status).toBe(0);
  const [base, source] = [read("base.wasm"), read("source")];
  expect(source.includes("One.") && !base.includes("One.")).toBe(true);
  expect(base.includes("bailiwick:tool/tools@0.2.0")).toBe(true);

  writeFileSync(join(folder, "src/tool.ts"), entry("T\u00fcr."));
  writeFileSync(join(development, "base.wasm"), "kept");
  expect(build(...given).status).toBe(0);
  expect(read("base.wasm").toString()).toBe("kept");
  expect(read("source").includes("T\\u00fcr.")).toBe(true);
  expect(read("source").every((byte) => byte < 128)).toBe(true);
});

test("another interface needs another component, and a long source a whole build", () => {
  const development = join(out, "another");
  const folder = project(`${IMPORTS}export default component({ tools: [
    tool({ name: "a", description: "A." }, () => "") ] });`);
  const given = [folder, "--development", development, "--out", out];
  expect(build(...given).status).toBe(0);
  writeFileSync(
    join(folder, "src/tool.ts"),
    `${IMPORTS}export default component({ resources: [
      resource({ uri: "made://a", name: "a" }, () => "x") ] });`,
  );
  expect(build(...given).status).toBe(0);
  const base = readFileSync(join(development, "base.wasm"));
  expect(base.includes("bailiwick:tool/resources@0.2.0")).toBe(true);
  expect(base.includes("bailiwick:tool/tools@0.2.0")).toBe(false);

  const long = "x".repeat(600_000);
  writeFileSync(
    join(folder, "src/tool.ts"),
    `${IMPORTS}export default component({ tools: [
      tool({ name: "a", description: "A." }, () => "${long}") ] });`,
  );
  const { status, stderr } = build(...given);
  expect(status).toBe(0);
  expect(stderr).toMatch(/^note: the joined modules have 6\d+ bytes, .* this is a whole build/);
  expect(existsSync(join(development, "source"))).toBe(false);
  expect(existsSync(join(out, "made.wasm"))).toBe(true);
});
