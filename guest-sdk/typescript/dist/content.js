/** The items of a result or of a message. */
/** Returns a text. */
export function text(text) {
    return { tag: "text", val: { text } };
}
/** Returns an image, such as `image/png`. */
export function image(mimeType, data) {
    return { tag: "image", val: { data, mimeType } };
}
/** Returns a sound, such as `audio/wav`. */
export function audio(mimeType, data) {
    return { tag: "audio", val: { data, mimeType } };
}
/** Returns a pointer to a resource. */
export function link(uri, name, more = {}) {
    return { tag: "resource-link", val: { uri, name, ...more } };
}
/** Returns a resource with its content. */
export function resource(uri, mimeType, body) {
    return { tag: "embedded-resource", val: { uri, mimeType, body: resourceBody(body) } };
}
/** Returns a text as an item, and any other item as it is. */
export function item(content) {
    return typeof content === "string" ? text(content) : content;
}
/** Returns a text or bytes as the interface has them. */
export function resourceBody(body) {
    return typeof body === "string" ? { tag: "text", val: body } : { tag: "blob", val: body };
}
