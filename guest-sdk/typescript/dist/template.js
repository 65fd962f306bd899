/** The URIs of families: RFC 6570 level 1. */
/** Returns the names of the variables, in order. */
export function variables(template) {
    return [...template.matchAll(/\{([^{}]*)\}/g)].map(([, name]) => name ?? "");
}
/** Returns the URI with these values in place of the variables, percent-encoded. */
export function expand(template, values) {
    return template.replace(/\{([^{}]*)\}/g, (_, name) => {
        const value = values[name] ?? "";
        return encodeURIComponent(String(value)).replace(/[!'()*]/g, (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`);
    });
}
