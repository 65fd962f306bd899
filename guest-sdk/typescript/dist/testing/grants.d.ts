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
/** Returns why a host would not make a request, if it would not. */
export declare function refusal(grants: Grants, request: Request): DownstreamReason | undefined;
