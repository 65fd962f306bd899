/** Imports of what does nothing without a network, which would fail only when a tool is called. */
import type { Plugin } from "esbuild";
/** What to do without a network. */
export declare const NO_NETWORK = "a component has no network: list the service in `services`, and ask `services.NAME`";
/** The modules of Node for it. */
export declare const OF_NODE: RegExp;
/** Refuses such an import in the author's own files; packages often have another use without it. */
export declare const withoutNetwork: Plugin;
