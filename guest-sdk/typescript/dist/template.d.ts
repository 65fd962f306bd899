/** The URIs of families: RFC 6570 level 1. */
/** The names of the variables of a URI template. */
export type Variables<Uri extends string> = Uri extends `${string}{${infer Name}}${infer Rest}` ? Name | Variables<Rest> : never;
/** Returns the names of the variables, in order. */
export declare function variables(template: string): string[];
/** Returns the URI with these values in place of the variables, percent-encoded. */
export declare function expand(template: string, values: {
    readonly [name: string]: unknown;
}): string;
