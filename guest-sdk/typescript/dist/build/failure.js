/** The reason why nothing was built: 1 the project, 2 the arguments, 3 this machine. */
export class BuildError extends Error {
    code;
    constructor(code, message) {
        super(message);
        this.code = code;
    }
}
