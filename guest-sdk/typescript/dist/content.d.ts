/** The items of a result or of a message. */
import type { types } from "./wit.js";
/** Text, image, sound, pointer to a resource, or a resource with its content. */
export type Content = types.Content;
/** The text or the bytes of a resource. */
export type Body = string | Uint8Array;
/** Returns a text. */
export declare function text(text: string): Content;
/** Returns an image, such as `image/png`. */
export declare function image(mimeType: string, data: Uint8Array): Content;
/** Returns a sound, such as `audio/wav`. */
export declare function audio(mimeType: string, data: Uint8Array): Content;
/** Returns a pointer to a resource. */
export declare function link(uri: string, name: string, more?: {
    readonly description?: string;
    readonly mimeType?: string;
}): Content;
/** Returns a resource with its content. */
export declare function resource(uri: string, mimeType: string, body: Body): Content;
/** Returns a text as an item, and any other item as it is. */
export declare function item(content: string | Content): Content;
/** Returns a text or bytes as the interface has them. */
export declare function resourceBody(body: Body): types.ResourceBody;
