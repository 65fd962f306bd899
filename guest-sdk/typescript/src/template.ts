/** The URIs of families: RFC 6570 level 1. */

/** The names of the variables of a URI template. */
export type Variables<Uri extends string> = Uri extends `${string}{${infer Name}}${infer Rest}`
  ? Name | Variables<Rest>
  : never;

/** Returns the names of the variables, in order. */
export function variables(template: string): string[] {
  return [...template.matchAll(/\{([^{}]*)\}/g)].map(([, name]) => name ?? "");
}

/** Returns the URI with these values in place of the variables, percent-encoded. */
export function expand(template: string, values: { readonly [name: string]: unknown }): string {
  return template.replace(/\{([^{}]*)\}/g, (_, name: string) => {
    const value = values[name] ?? "";
    return encodeURIComponent(String(value)).replace(
      /[!'()*]/g,
      (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`,
    );
  });
}
