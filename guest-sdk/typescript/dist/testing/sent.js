/** Requests as a test reads them. */
/** Returns a request with what a test compares. */
export function seen(request) {
    const body = new TextDecoder().decode(request.body);
    let json;
    try {
        json = JSON.parse(body);
    }
    catch {
        json = undefined;
    }
    return { ...request, pathText: pathOf(request), json };
}
/** Returns the path as text. */
export function pathOf({ path }) {
    return path.map((part) => `/${textOf(part)}`).join("");
}
/** Returns a segment or a query value as text. */
export function textOf(part) {
    return part.tag === "text"
        ? encodeURIComponent(part.val).replaceAll("%3A", ":")
        : part.tag === "joined"
            ? part.val.map(textOf).join("")
            : `{${part.tag.replace("-", ".")}}`;
}
