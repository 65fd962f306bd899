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
  const text = (part: Request["path"][number]): string =>
    part.tag === "text"
      ? encodeURIComponent(part.val).replaceAll("%3A", ":")
      : part.tag === "joined"
        ? part.val.map(text).join("")
        : `{${part.tag.replace("-", ".")}}`;
  const pathText = request.path.map((part) => `/${text(part)}`).join("");
  const body = new TextDecoder().decode(request.body);
  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch {
    json = undefined;
  }
  return { ...request, pathText, json };
}
