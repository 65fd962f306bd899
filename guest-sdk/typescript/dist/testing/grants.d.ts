/** What an operator lets a tool ask of services, in the words of the configuration. */
import type { Request } from "../service.js";
/** Returns true if a template, such as `GET /orders/{}?status={}`, allows a request. */
export declare function allows(template: string, request: Request): boolean;
