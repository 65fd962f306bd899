/** Checks the types of a project with its own TypeScript. */
import type { Project } from "./project.js";
/** Fails with the compiler's words, as `file(line,column): error …`. */
export declare function checkTypes({ folder, find }: Project): Promise<void>;
