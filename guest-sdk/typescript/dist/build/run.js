/** Runs a program of Node in a process of its own. */
import { spawn } from "node:child_process";
/** Returns its exit code, and all that it has written. */
export function ran(given, cwd) {
    return new Promise((resolve, reject) => {
        const child = spawn(process.execPath, given, { cwd, stdio: ["ignore", "pipe", "pipe"] });
        let said = "";
        for (const stream of [child.stdout, child.stderr]) {
            stream.setEncoding("utf8").on("data", (text) => (said += text));
        }
        child.on("error", reject).on("close", (status) => resolve({ status, said }));
    });
}
