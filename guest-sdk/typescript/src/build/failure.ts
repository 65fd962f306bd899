/** The reason why nothing was built: 1 the project, 2 the arguments, 3 this machine. */
export class BuildError extends Error {
  constructor(
    readonly code: 1 | 2 | 3,
    message: string,
  ) {
    super(message);
  }
}
