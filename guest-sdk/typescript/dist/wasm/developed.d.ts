/**
 * The exports of a development build: its component is the same for every source, which a build
 * writes into the region below and which is evaluated when an instance begins.
 */
type Run = (...given: unknown[]) => unknown;
export declare const tools: Record<string, Run>;
export declare const resources: Record<string, Run>;
export declare const prompts: Record<string, Run>;
export declare const completion: Record<string, Run>;
export declare const facets: Record<string, Run>;
export {};
