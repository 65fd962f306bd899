/** Where the component goes. */
/** Returns the absolute path of the component. */
export declare function outFile(out: string, name: string): string;
/** Writes a file so that whoever watches the folder sees it whole. */
export declare function writeWhole(file: string, bytes: Uint8Array): void;
