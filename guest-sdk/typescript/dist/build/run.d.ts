/** Runs a program of Node in a process of its own. */
/** Returns its exit code, and all that it has written. */
export declare function ran(given: string[], cwd: string): Promise<{
    status: number | null;
    said: string;
}>;
