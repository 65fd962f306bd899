/**
 * The parts of a request that the host fills in or encodes.
 *
 * Invariant: a path is a list of parts, never a string with slashes, so a value cannot change where
 * a request goes.
 */

import type { downstream } from "./wit.js";

/** A fact about the actor that the host fills in, or pieces of a segment joined. */
export type Part = Exclude<downstream.Part, { tag: "text" }>;

/** One path segment or query value: a text, a number, or a {@link Part}. */
export type Segment = string | number | Part;

/** The facts about the actor. The host fills them in, so a tool cannot name another user. */
export const Part = {
  /** The actor's subject. */
  actorSub: { tag: "actor-sub" },
  /** The actor's tenant; without one, the request is refused. */
  actorTenant: { tag: "actor-tenant" },
  /** The actor's issuer. It is a URL, so it fits into a query value but not into a path. */
  actorIssuer: { tag: "actor-issuer" },
} as const satisfies Record<string, downstream.Piece>;

/**
 * Joins pieces to one segment or query value. For `/v1/{name}:cancel`:
 * `["v1", segment(name, ":cancel")]`.
 */
export function segment(...pieces: (string | number | downstream.Piece)[]): Part {
  return { tag: "joined", val: pieces.map(piece) };
}

/** Returns a segment as the interface has it. */
export function part(value: Segment): downstream.Part {
  return typeof value === "object" ? value : piece(value);
}

function piece(value: string | number | downstream.Piece): downstream.Piece {
  return typeof value === "object" ? value : { tag: "text", val: String(value) };
}
