/** The reason why nothing was built: 1 the project, 2 the arguments, 3 this machine. */
export declare class BuildError extends Error {
    readonly code: 1 | 2 | 3;
    constructor(code: 1 | 2 | 3, message: string);
}
