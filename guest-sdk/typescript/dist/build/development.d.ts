/**
 * Development builds: a component that is made once, with room for a source, and the source of the
 * present project.
 *
 * A source is ASCII, so that the component reads it without decoding. Its first lines are empty,
 * so that its places are apart from those of the component's own code.
 */
import type { Described } from "../describe.js";
import type { Project } from "./project.js";
/** Joins the modules of a project to a script; the definitions are not needed yet. */
export declare function script(project: Project): Promise<(described: Described) => string>;
/**
 * Writes the source, and the component if the one that is there is for another SDK or other
 * exports. Without room for the source it returns false.
 */
export declare function develop(project: Project, described: Described, source: string, folder: string, scratch: string): Promise<boolean>;
