/** UTF-8 for engines without `TextEncoder` and `TextDecoder` (WHATWG Encoding, §8). */
/** Encodes texts as UTF-8. */
export declare class TextEncoder {
    readonly encoding = "utf-8";
    /** Returns the bytes of a text; lone surrogates become U+FFFD. */
    encode(text?: string): Uint8Array;
}
/** Decodes UTF-8. */
export declare class TextDecoder {
    #private;
    readonly encoding = "utf-8";
    readonly fatal: boolean;
    readonly ignoreBOM: boolean;
    constructor(label?: string, options?: {
        fatal?: boolean;
        ignoreBOM?: boolean;
    });
    /** Returns the text of whole UTF-8 bytes; faults are U+FFFD, or an error if `fatal`. */
    decode(input?: ArrayBuffer | ArrayBufferView): string;
}
