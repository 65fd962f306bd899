/** Checks the types of a project with its own TypeScript. */
import type { Project } from "./project.js";
/**
 * Fails with the compiler's words, as `file:line:column: error …`.
 *
 * Mistakes in tests are written to standard error and fail nothing: no test is in a component.
 */
export declare function checkTypes({ folder, find }: Project): Promise<void>;
