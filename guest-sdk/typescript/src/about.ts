/** What tools, resources and prompts say about themselves. */

import { jsonSchema, type JsonObject, type Schema } from "./standard.js";

/** The part that all definitions share. */
export interface About<Names extends string> {
  /** The name for programs: 1 to 64 of `[A-Za-z0-9_.-]`, unique in the host. */
  readonly name: string;
  /** The title for people. */
  readonly title?: string;
  /** Scopes that the caller's token must have, all of them. */
  readonly scopes?: readonly string[];
  /** Services to reach, by the operator's names; the operator grants them. */
  readonly services?: readonly Names[];
  /** Icons: addresses (`https:` or `data:`), or icons of MCP. */
  readonly icons?: readonly (string | Icon)[];
  /** What a client must be able to do, such as `elicitation.form`. */
  readonly requires?: readonly string[];
  /** Further metadata for clients. */
  readonly meta?: JsonObject;
}

/** An icon of MCP. */
export interface Icon {
  readonly src: string;
  readonly mimeType?: string;
  readonly sizes?: readonly string[];
  readonly theme?: "light" | "dark";
}

/** The schema of no arguments. */
export type Nothing = Schema<Readonly<Record<string, never>>>;

/** The schema of no arguments. */
export const nothing: Nothing = jsonSchema({ type: "object", additionalProperties: false });
