/**
 * The joint between the interface and the functions.
 *
 * Invariant: a function runs only under the name that it was described with, and reads the identity
 * of its own call only.
 */
import type { Component } from "./component.js";
import type { Outside } from "./outside.js";
import type { completion, prompts, resources, tools, types } from "./wit.js";
/** Runs the tool of that name. */
export declare function callTool({ tools }: Component, outside: Outside, name: string, context: types.Context): tools.Outcome;
/** Reads the resource of that URI in its definition. */
export declare function readResource(component: Component, outside: Outside, uri: string, context: types.Context): resources.Outcome;
/** Lists the members of a family. */
export declare function listMembers(component: Component, outside: Outside, family: string, context: types.Context): resources.Page;
/** Makes the messages of the prompt of that name. */
export declare function getPrompt(component: Component, outside: Outside, name: string, context: types.Context): prompts.Outcome;
/** Suggests values; none for an argument without a function. */
export declare function complete(component: Component, outside: Outside, of: completion.Reference, argument: string, value: string, context: types.Context): completion.Suggestions;
