/** The project: where it is, what its component is called, where it begins. */
import { type Engine } from "./engines.js";
/** A project. */
export interface Project {
    /** The absolute path of its folder. */
    readonly folder: string;
    /** The component's name. */
    readonly name: string;
    /** The absolute path of the entry module. */
    readonly entry: string;
    readonly engine?: Engine | undefined;
    /** Finds a file of a package as the project would, if it is installed. */
    find(file: string): string | undefined;
}
/** Reads `package.json`. */
export declare function readProject(given: string): Project;
