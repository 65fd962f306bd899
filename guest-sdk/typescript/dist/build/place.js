/** Where the component goes. */
import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
/** Returns the absolute path of the component. */
export function outFile(out, name) {
    return resolve(out.endsWith(".wasm") ? out : join(out, `${name}.wasm`));
}
/** Writes a file so that whoever watches the folder sees it whole. */
export function writeWhole(file, bytes) {
    mkdirSync(dirname(file), { recursive: true });
    const part = `${file}.part`;
    writeFileSync(part, bytes);
    renameSync(part, file);
}
