/** Requests as a test reads them. */
/** Returns a request with what a test compares. */
export function seen(request) {
    const text = (part) => part.tag === "text"
        ? encodeURIComponent(part.val).replaceAll("%3A", ":")
        : part.tag === "joined"
            ? part.val.map(text).join("")
            : `{${part.tag.replace("-", ".")}}`;
    const pathText = request.path.map((part) => `/${text(part)}`).join("");
    const body = new TextDecoder().decode(request.body);
    let json;
    try {
        json = JSON.parse(body);
    }
    catch {
        json = undefined;
    }
    return { ...request, pathText, json };
}
