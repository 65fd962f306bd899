// Makes `template/package-lock.json`: what `npm install` takes for a new project, each package with
// its hash and without the registry that it comes from. Asks the registry.

import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

// A name that is in no list otherwise.
const NAME = "a-new-project-of-tools";
const root = fileURLToPath(new URL("..", import.meta.url));
const template = join(root, "template");
const project = mkdtempSync(join(tmpdir(), "bailiwick-lock-"));
const sdk = "vendor/bailiwick-sdk";
mkdirSync(join(project, sdk), { recursive: true });
copyFileSync(join(root, "package.json"), join(project, sdk, "package.json"));
copyFileSync(join(template, ".npmrc"), join(project, ".npmrc"));
const manifest = readFileSync(join(template, "package.json"), "utf8");
const named = manifest.replaceAll("{{name}}", NAME).replaceAll("{{sdk}}", `file:${sdk}`);
writeFileSync(join(project, "package.json"), named);
const asked = ["--package-lock-only", "--omit-lockfile-registry-resolved", "--no-audit"];
const { status } = spawnSync("npm", ["install", ...asked], { cwd: project, stdio: "inherit" });
if (status === 0) {
  const lock = readFileSync(join(project, "package-lock.json"), "utf8");
  writeFileSync(join(template, "package-lock.json"), lock.replaceAll(NAME, "{{name}}"));
}
rmSync(project, { recursive: true });
process.exitCode = status ?? 1;
