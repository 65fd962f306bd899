/**
 * What an operator lets a tool ask of services, in the words of the configuration.
 *
 * Invariant: a request is compared piece by piece, as a host compares it, so that a test does not
 * allow what a host refuses.
 */

import type { DownstreamReason } from "../error.js";
import type { Request } from "../service.js";

/** The templates of each service that is granted. */
export type Grants = Readonly<Record<string, readonly string[]>>;

type Part = Request["path"][number];
type Piece = Exclude<Part, { tag: "joined" }>;

/** Returns why a host would not make a request, if it would not. */
export function refusal(grants: Grants, request: Request): DownstreamReason | undefined {
  const { service, path } = request;
  if (!Object.hasOwn(grants, service)) {
    return { tag: "unknown-service" };
  }
  const templates = grants[service] ?? [];
  if (!templates.some((template) => covers(template, request))) {
    return { tag: "not-granted", val: `${service} covers ${templates.join(", ")}` };
  }
  return path.every(isSegment) ? undefined : { tag: "invalid-request", val: noSegment };
}

/** Returns true if a template, such as `GET /orders/{}?status={}`, covers a request. */
function covers(template: string, request: Request): boolean {
  const parts = /^(GET|HEAD|POST|PUT|PATCH|DELETE) \/([^?]*)(?:\?(.*))?$/.exec(template);
  if (parts === null) {
    throw new Error(`${JSON.stringify(template)}: expected a template, such as GET /orders/{}`);
  }
  const [, method, path = "", query] = parts;
  const slots = path === "" ? [] : path.split("/");
  const rest = slots.at(-1) === "{**}";
  const fixed = rest ? slots.slice(0, -1) : slots;
  const given = request.path;
  return (
    request.method === method &&
    (rest ? given.length > fixed.length : given.length === fixed.length) &&
    fixed.every((slot, index) => fits(slot, given[index])) &&
    coversQuery(query === undefined ? [] : query.split("&"), request)
  );
}

/** A value that the tool chooses may be left out; another is there once; no other key is there. */
function coversQuery(templates: readonly string[], { query }: Request): boolean {
  const known = templates.map((each) => /^([^=]*)=?(.*)$/.exec(each)?.slice(1) ?? []);
  const fitting = known.every(([key, slot = ""]) => {
    const given = query.filter(([name]) => name === key).map(([, part]) => part);
    const count = slot === "{}" ? given.length <= 1 : given.length === 1;
    return count && given.every((part) => fits(slot, part));
  });
  return fitting && query.every(([name]) => known.some(([key]) => key === name));
}

/** Returns true if a part has the pieces of a slot: its texts, and any text for `{}`. */
function fits(slot: string, part: Part | undefined): boolean {
  const holes = slot.split(/(\{[^}]*\})/).filter((hole) => hole !== "");
  const given = part === undefined ? [] : pieces(part);
  return (
    holes.length === given.length &&
    given.every((piece, index) => {
      const hole = holes[index];
      return piece.tag === "text"
        ? hole === "{}" || hole === piece.val
        : hole === `{${piece.tag.replace("-", ".").replace("issuer", "iss")}}`;
    })
  );
}

/** Returns true if a part is one segment of a path, none of its pieces empty. */
function isSegment(part: Part): boolean {
  const texts = pieces(part).map((piece) => (piece.tag === "text" ? piece.val : "x"));
  const whole = texts.join("");
  return !["", ".", ".."].includes(whole) && !/[/\\\p{Cc}]/u.test(whole) && !texts.includes("");
}

function pieces(part: Part): readonly Piece[] {
  return part.tag === "joined" ? part.val : [part];
}

const noSegment = "a path segment is empty, `.`, `..`, or has `/`, `\\` or control characters";
