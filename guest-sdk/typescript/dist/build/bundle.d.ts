/** Joins the modules of a project to one. */
import { type BuildOptions } from "esbuild";
import type { Described } from "../describe.js";
import type { Lines } from "../wasm/trace.js";
import type { Engine } from "./engines.js";
import type { Project } from "./project.js";
/** The component's module, and where its places come from. */
export interface Bundle {
    readonly source: string;
    readonly lines: Lines;
}
/** Returns the component's module. */
export declare function bundle(project: Project, described: Described, engine: Engine): Promise<Bundle>;
/** Returns the interfaces that a component exports. */
export declare function exportsOf(described: Described): (keyof typeof WORLDS)[];
/** The interfaces that a component can export, with their worlds. */
export declare const WORLDS: {
    readonly tools: "tool";
    readonly resources: "resource-provider";
    readonly prompts: "prompt-provider";
    readonly completion: "completer";
    readonly facets: "faceted";
};
/** Returns the code of an entry with all its imports, and its source map. */
export declare function joined(project: Project, contents: string, options: BuildOptions): Promise<{
    code: string;
    map: string;
    inputs: string[];
}>;
/** Returns the path of a module of this package. */
export declare function sdk(file: string): string;
/** Returns a text as a literal. */
export declare function quoted(text: string): string;
/** Returns what makes libraries fit: an instance runs once, so code made at run time never pays. */
export declare function settled({ find }: Project): string[];
