#!/usr/bin/env node
/**
 * Builds a component of a TypeScript project.
 *
 *   bailiwick-sdk-build [DIR] [--engine quickjs|starlingmonkey] [--out DIR|FILE]
 *
 * The contract, which `bailiwick build` relies on:
 *
 * - DIR is the project's folder, by default the current one: where its `package.json` is. Its
 *   member `bailiwick` may have `name` (the component's name, by default the package's without its
 *   scope), `entry` (by default `src/tool.ts`) and `engine`.
 * - `--engine` is `quickjs` unless given. `--out` is a folder, or a file if it ends with `.wasm`;
 *   by default the project's folder. A relative one is relative to the current folder.
 * - `--development` is a folder for a development build: `base.wasm`, which is made again only if
 *   the SDK or the interfaces that the project exports are others, and `source`, which `bailiwick`
 *   writes into it. If a source does not fit, there is none, and the component is built as ever.
 * - Standard output has one line, the absolute path of the component, and only if it was built.
 *   The file is written as the last step, and replaced as a whole.
 * - Standard error has everything else: what is wrong as `file:line:column`, or as the name of a
 *   definition and its field, and what the entry writes while it is loaded.
 * - Exit code 0: built. 1: the project is wrong. 2: the arguments are. 3: something is missing on
 *   this machine, and the text says what to install.
 * - Nothing is written beside the component but in a temporary folder, which is removed. Nothing
 *   is fetched.
 */
export {};
