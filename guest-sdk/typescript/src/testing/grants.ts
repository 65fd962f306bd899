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
  const { service } = request;
  if (!Object.hasOwn(grants, service)) {
    return { tag: "unknown-service" };
  }
  const templates = grants[service] ?? [];
  const covering = templates.flatMap((template) => {
    const slots = covers(template, request);
    return slots === undefined ? [] : [slots];
  });
  if (covering.length === 0) {
    return { tag: "not-granted", val: `${service} covers ${templates.join(", ")}` };
  }
  const given = segments(request);
  const sound = covering.every((slots) =>
    given.every((part, at) => isSegment(slots[at] ?? "", part)),
  );
  return sound ? undefined : { tag: "invalid-request", val: noSegment };
}

/**
 * Returns the slot of each segment if a template, such as `GET /orders/{}?status={}`, covers a
 * request.
 */
function covers(template: string, request: Request): readonly string[] | undefined {
  const parts = /^(GET|HEAD|POST|PUT|PATCH|DELETE) \/([^?]*)(?:\?(.*))?$/.exec(template);
  if (parts === null) {
    throw new Error(`${JSON.stringify(template)}: expected a template, such as GET /orders/{}`);
  }
  const [, method, path = "", query] = parts;
  const given = segments(request);
  const slash = given.length < request.path.length;
  const own = path.replace(/\/$/, "");
  const slots = slotsOf(own === "" ? [] : own.split("/"), given.length);
  const covered =
    request.method === method &&
    path.endsWith("/") === slash &&
    slots?.every((slot, index) => fits(slot, given[index])) &&
    coversQuery(query === undefined ? [] : query.split("&"), request);
  return covered ? slots : undefined;
}

/** Returns the segments of a path without the slash at its end: a last part of no pieces. */
function segments({ path }: Request): readonly Part[] {
  const last = path.at(-1);
  return last !== undefined && pieces(last).length === 0 ? path.slice(0, -1) : path;
}

/**
 * Returns the slot of each of `count` segments, if the path has so many. `{**}` is any number of
 * them, and what follows it in its segment belongs to the last.
 */
function slotsOf(own: readonly string[], count: number): readonly string[] | undefined {
  const at = own.findIndex((slot) => slot.startsWith(rest));
  const more = count - own.length;
  if (at < 0 || more < 0) {
    return more === 0 ? own : undefined;
  }
  return [...own.slice(0, at), ...Array<string>(more).fill(rest), ...own.slice(at)];
}

/**
 * A value that the tool chooses may be left out, and is there several times for `{*}`; another is
 * there once; no other key is there.
 */
function coversQuery(templates: readonly string[], { query }: Request): boolean {
  const known = templates.map((each) => /^([^=]*)=?(.*)$/.exec(each)?.slice(1) ?? []);
  const fitting = known.every(([key, slot = ""]) => {
    const given = query.filter(([name]) => name === key).map(([, part]) => part);
    const count = slot === "{}" ? given.length <= 1 : given.length === 1;
    return slot === repeated
      ? given.every((part) => fits("{}", part))
      : count && given.every((part) => fits(slot, part));
  });
  return fitting && query.every(([name]) => known.some(([key]) => key === name));
}

/** Returns true if a part has the pieces of a slot: its texts, and any text for `{}`. */
function fits(slot: string, part: Part | undefined): boolean {
  const given = part === undefined ? [] : pieces(part);
  if (slot.startsWith(rest)) {
    const end = slot.slice(rest.length);
    const last = given.at(-1);
    return end === "" || (given.length > 1 && last?.tag === "text" && last.val === end);
  }
  const holes = holesOf(slot);
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

/** Splits `user-{actor.sub}` into `user-` and `{actor.sub}`. */
function holesOf(slot: string): readonly string[] {
  return slot.split(/(\{[^}]*\})/).filter((hole) => hole !== "");
}

/**
 * Returns true if a part is one segment of a path, and no placeholder of its slot is filled with
 * nothing or dots.
 */
function isSegment(slot: string, part: Part): boolean {
  const texts = pieces(part).map((piece) => (piece.tag === "text" ? piece.val : "x"));
  const whole = texts.join("");
  const end = slot.startsWith(rest) ? slot.slice(rest.length) : undefined;
  const holes = end === undefined ? holesOf(slot) : [];
  const filled = texts.filter((_, index) => holes[index]?.startsWith("{"));
  const before = end ? [whole.slice(0, -end.length)] : [];
  const isHollow = (text: string) => hollow.test(text);
  return !/[/\\\p{Cc}]/u.test(whole) && ![whole, ...filled, ...before].some(isHollow);
}

function pieces(part: Part): readonly Piece[] {
  return part.tag === "joined" ? part.val : [part];
}

const noSegment = "a path segment is empty, `.`, `..`, or has `/`, `\\` or control characters";

/** Several segments. */
const rest = "{**}";

/** Several values of one key. */
const repeated = "{*}";

/** Nothing, `.` or `..`, also with parameters (`..;a`), however often they are encoded. */
const hollow = /^(?:\.|%(?:25)*2e){0,2}(?:(?:;|%(?:25)*3b).*)?$/is;
