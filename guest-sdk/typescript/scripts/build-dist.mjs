// Makes `dist`: the sources as JavaScript and types, and the interface.
//
//   node scripts/build-dist.mjs            writes it
//   node scripts/build-dist.mjs --check    fails if it is not that of the present sources
//
// `dist` is committed, so that the package works without a compiler: `bailiwick` carries it.

import { spawnSync } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const dist = join(root, "dist");
const checking = process.argv.includes("--check");
const out = checking ? mkdtempSync(join(tmpdir(), "bailiwick-dist-")) : dist;

rmSync(out, { recursive: true, force: true });
const compiler = join(root, "node_modules/typescript/bin/tsc");
const { status } = spawnSync(process.execPath, [compiler, "-p", root, "--outDir", out], {
  stdio: "inherit",
});
if (status !== 0) {
  process.exit(1);
}
mkdirSync(join(out, "wit"));
copyFileSync(join(root, "../../wit/tool.wit"), join(out, "wit/tool.wit"));
chmodSync(join(out, "build.js"), 0o755);

if (checking) {
  const [made, held] = [out, dist].map(contents);
  rmSync(out, { recursive: true });
  if (made !== held) {
    console.error("dist is not that of the sources: run `npm run build`");
    process.exitCode = 1;
  }
}

function contents(folder) {
  const names = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .sort();
  return JSON.stringify(
    names.map((name) => [name.slice(folder.length), readFileSync(name, "utf8")]),
  );
}
