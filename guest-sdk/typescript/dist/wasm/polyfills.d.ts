/**
 * What authors expect and the engine lacks, or has in a way that is not honest: time, randomness,
 * `console`, UTF-8. Loaded before anything else.
 */
export {};
