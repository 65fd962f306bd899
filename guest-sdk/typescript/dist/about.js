/** What tools, resources and prompts say about themselves. */
import { jsonSchema } from "./standard.js";
/** The schema of no arguments. */
export const nothing = jsonSchema({ type: "object", additionalProperties: false });
