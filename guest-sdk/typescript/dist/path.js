/**
 * The parts of a request that the host fills in or encodes.
 *
 * Invariant: a path is a list of parts, never a string with slashes, so a value cannot change where
 * a request goes.
 */
/** The facts about the actor. The host fills them in, so a tool cannot name another user. */
export const Part = {
    /** The actor's subject. */
    actorSub: { tag: "actor-sub" },
    /** The actor's tenant; without one, the request is refused. */
    actorTenant: { tag: "actor-tenant" },
    /** The actor's issuer. It is a URL, so it fits into a query value but not into a path. */
    actorIssuer: { tag: "actor-issuer" },
};
/**
 * Joins pieces to one segment or query value. For `/v1/{name}:cancel`:
 * `["v1", segment(name, ":cancel")]`.
 */
export function segment(...pieces) {
    return { tag: "joined", val: pieces.map(piece) };
}
/** Returns a segment as the interface has it. */
export function part(value) {
    return typeof value === "object" ? value : piece(value);
}
function piece(value) {
    return typeof value === "object" ? value : { tag: "text", val: String(value) };
}
