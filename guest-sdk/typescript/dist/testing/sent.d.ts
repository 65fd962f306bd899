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
export declare function seen(request: Request): SentRequest;
/** Returns the path as text. */
export declare function pathOf({ path }: Request): string;
/** Returns a segment or a query value as text. */
export declare function textOf(part: Request["path"][number]): string;
