/** The items of a result or of a message. */

import type { types } from "./wit.js";

/** Text, image, sound, pointer to a resource, or a resource with its content. */
export type Content = types.Content;

/** The text or the bytes of a resource. */
export type Body = string | Uint8Array;

/** Returns a text. */
export function text(text: string): Content {
  return { tag: "text", val: { text } };
}

/** Returns an image, such as `image/png`. */
export function image(mimeType: string, data: Uint8Array): Content {
  return { tag: "image", val: { data, mimeType } };
}

/** Returns a sound, such as `audio/wav`. */
export function audio(mimeType: string, data: Uint8Array): Content {
  return { tag: "audio", val: { data, mimeType } };
}

/** Returns a pointer to a resource. */
export function link(
  uri: string,
  name: string,
  more: { readonly description?: string; readonly mimeType?: string } = {},
): Content {
  return { tag: "resource-link", val: { uri, name, ...more } };
}

/** Returns a resource with its content. */
export function resource(uri: string, mimeType: string, body: Body): Content {
  return { tag: "embedded-resource", val: { uri, mimeType, body: resourceBody(body) } };
}

/** Returns a text as an item, and any other item as it is. */
export function item(content: string | Content): Content {
  return typeof content === "string" ? text(content) : content;
}

/** Returns a text or bytes as the interface has them. */
export function resourceBody(body: Body): types.ResourceBody {
  return typeof body === "string" ? { tag: "text", val: body } : { tag: "blob", val: body };
}
