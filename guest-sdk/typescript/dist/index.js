/**
 * Write Bailiwick tools, resources and prompts in TypeScript.
 *
 * A tool is a function with a schema. It learns for whom it acts from `identity`, asks services by
 * name, and holds no keys: the host makes every request, on the authority that the operator
 * granted.
 */
export { component } from "./component.js";
export { Asked } from "./completion.js";
export * as content from "./content.js";
export { DownstreamError, ToolError } from "./error.js";
export { Output } from "./output.js";
export { Part, segment } from "./path.js";
export { assistant, prompt, user, } from "./prompt.js";
export { accepted, Questions, } from "./questions.js";
export { Contents, resource, } from "./resource.js";
export { Response, } from "./service.js";
export { jsonSchema, } from "./standard.js";
export { tool } from "./tool.js";
