/** The engines that a component can carry, and the programs that join module and engine. */
import type { Bundle } from "./bundle.js";
import type { Project } from "./project.js";
/** The engines, the recommended one first. */
export declare const engines: readonly ["quickjs", "starlingmonkey"];
/** An engine: QuickJS is small and starts fast, StarlingMonkey has more of the web's interfaces. */
export type Engine = (typeof engines)[number];
/** Makes the component of a module. */
export declare function componentize(engine: Engine, { source, lines }: Bundle, wit: string, project: Project): Promise<Uint8Array>;
