/**
 * Write Bailiwick tools, resources and prompts in TypeScript.
 *
 * A tool is a function with a schema. It learns for whom it acts from `identity`, asks services by
 * name, and holds no keys: the host makes every request, on the authority that the operator
 * granted.
 */
export type { Icon } from "./about.js";
export { component, type Component } from "./component.js";
export { Asked, type Completer, type Suggestions } from "./completion.js";
export * as content from "./content.js";
export type { Body, Content } from "./content.js";
export type { Call, Client, Clock, Log, Random, Services, Severity, ToolContext, } from "./context.js";
export { DownstreamError, type DownstreamReason, ToolError, type ToolErrorKind } from "./error.js";
export type { Binding, Correlation, DelegationMode, Executor, GrantedService, Identity, Login, Principal, } from "./identity.js";
export { type AnyResult, Output, type OutputParts } from "./output.js";
export { Part, type Segment, segment } from "./path.js";
export { assistant, type Message, type Messages, type Prompt, prompt, type PromptDefinition, user, } from "./prompt.js";
export { accepted, type Answer, type Answers, Questions, type Root, type SamplingMessage, type SamplingRequest, type SamplingResult, } from "./questions.js";
export { Contents, type ContentsPart, type Member, type Page, type Resource, resource, type ResourceDefinition, type Values, } from "./resource.js";
export { type Answered, type Field, type Path, type Request, type RequestOptions, Response, type Service, } from "./service.js";
export { type InferInput, type InferOutput, type JsonObject, jsonSchema, type Schema, } from "./standard.js";
export { type Tool, tool, type ToolDefinition } from "./tool.js";
