/** Requests as a test reads them. */

import type { Request } from "../service.js";

/** A request as a service sees it. */
export interface SentRequest extends Request {
  /** The path as text; the actor's parts as `{actor.sub}`, `{actor.tenant}`, `{actor.issuer}`. */
  readonly pathText: string;
  /** The body as JSON, if it is some. */
  readonly json: unknown;
}

/** Returns a request with what a test compares. */
export function seen(request: Request): SentRequest {
  const body = new TextDecoder().decode(request.body);
  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch {
    json = undefined;
  }
  return { ...request, pathText: pathOf(request), json };
}

/** Returns the path as text. */
export function pathOf({ path }: Request): string {
  return path.map((part) => `/${textOf(part)}`).join("");
}

/** Returns a segment or a query value as text. */
export function textOf(part: Request["path"][number]): string {
  return part.tag === "text"
    ? encodeURIComponent(part.val).replaceAll("%3A", ":")
    : part.tag === "joined"
      ? part.val.map(textOf).join("")
      : `{${part.tag.replace("-", ".")}}`;
}
