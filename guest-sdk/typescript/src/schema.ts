/** Schemas at work: their JSON Schema for clients, and the check of a value. */

import { ToolError } from "./error.js";
import type { InferOutput, Issue, JsonObject, Schema } from "./standard.js";

type Json = Record<string, unknown>;

/** Makes the JSON Schema of a library that has no converter of its own; the build knows some. */
export type Fallback = (schema: Schema, side: "input" | "output") => Json | undefined;

/** Returns the JSON Schema of a value before (`input`) or after (`output`) the check. */
export function toJsonSchema(schema: Schema, side: "input" | "output", fallback?: Fallback): Json {
  const standard = schema["~standard"];
  const made =
    standard.jsonSchema === undefined
      ? fallback?.(schema, side)
      : standard.jsonSchema[side]({ target: "draft-2020-12" });
  if (made === undefined) {
    throw new Error(
      `the library ${standard.vendor} makes no JSON Schema of this; use zod, or jsonSchema()`,
    );
  }
  delete made["$schema"];
  plain(made);
  return made;
}

/** Returns the JSON Schema of arguments, in which a caller can send only what it names. */
export function inputSchema(schema: Schema, fallback?: Fallback): Json {
  const made = toJsonSchema(schema, "input", fallback);
  close(made);
  return made;
}

/** Checks a value. Fails with the error that `refuse` makes of the fields and their faults. */
export function check<S extends Schema>(
  schema: S,
  value: unknown,
  refuse: (faults: string) => ToolError,
): InferOutput<S> {
  const result = schema["~standard"].validate(value);
  if (result instanceof Promise) {
    throw new Error("the schema checks asynchronously; a call is synchronous");
  }
  if (result.issues !== undefined) {
    throw refuse(faults(result.issues));
  }
  return result.value as InferOutput<S>;
}

/** Checks the caller's input. */
export function checkInput<S extends Schema>(schema: S, value: unknown): InferOutput<S> {
  return check(schema, value, (faults) => ToolError.invalidInput(faults));
}

/** Returns the faults with their fields, such as `orderId: expected a string`. */
function faults(issues: readonly Issue[]): string {
  const texts = issues.slice(0, MOST_FAULTS).map(({ message, path }) => {
    const keys = (path ?? []).map((key) => String(typeof key === "object" ? key.key : key));
    return keys.length === 0 ? message : `${keys.join(".")}: ${message}`;
  });
  const left = issues.length - texts.length;
  return texts.join("; ") + (left > 0 ? `; and ${left} more` : "");
}

/** Leaves out bounds that only say that a number is one of JavaScript. */
function plain(schema: Json): void {
  if (schema["minimum"] === Number.MIN_SAFE_INTEGER) {
    delete schema["minimum"];
  }
  if (schema["maximum"] === Number.MAX_SAFE_INTEGER) {
    delete schema["maximum"];
  }
  eachChild(schema, plain);
}

/** Closes the schemas of objects that do not say whether there may be other members. */
function close(schema: Json): void {
  const composed = BRANCHES.some((key) => schema[key] !== undefined);
  const named = isObjectType(schema["type"]) && !isMap(schema);
  if (named && composed && schema["properties"] !== undefined) {
    // The branches name members of this very object: only all of them together are closed.
    eachBranch(schema, openBranch);
    eachMember(schema, close);
    schema["unevaluatedProperties"] = false;
    return;
  }
  if (named && !composed && !said(schema)) {
    schema["additionalProperties"] = false;
  }
  if (composed && Array.isArray(schema["allOf"]) && !said(schema)) {
    eachBranch(schema, openBranch);
    schema["unevaluatedProperties"] = false;
  } else {
    eachBranch(schema, close);
  }
  eachMember(schema, close);
}

function openBranch(branch: Json): void {
  delete branch["additionalProperties"];
  eachBranch(branch, openBranch);
  eachMember(branch, close);
}

function isObjectType(type: unknown): boolean {
  return type === "object" || (Array.isArray(type) && type.includes("object"));
}

function isMap(schema: Json): boolean {
  return schema["properties"] === undefined && said(schema);
}

function said(schema: Json): boolean {
  return (
    schema["additionalProperties"] !== undefined || schema["unevaluatedProperties"] !== undefined
  );
}

function eachChild(schema: Json, visit: (child: Json) => void): void {
  eachBranch(schema, visit);
  eachMember(schema, visit);
}

function eachBranch(schema: Json, visit: (child: Json) => void): void {
  for (const key of BRANCHES) {
    const branches = schema[key];
    (Array.isArray(branches) ? branches : [branches]).filter(isJson).forEach(visit);
  }
}

function eachMember(schema: Json, visit: (child: Json) => void): void {
  for (const key of ["properties", "patternProperties", "$defs"]) {
    const named = schema[key];
    if (isJson(named)) {
      Object.values(named).filter(isJson).forEach(visit);
    }
  }
  for (const key of ["items", "prefixItems", "additionalProperties", "contains"]) {
    const member = schema[key];
    (Array.isArray(member) ? member : [member]).filter(isJson).forEach(visit);
  }
}

/** Returns true if a value is an object of JSON. */
export function isJson(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Returns the members that the schema of an object names. */
export function propertiesOf(schema: JsonObject): Record<string, Json> {
  const properties = schema["properties"];
  return isJson(properties) ? (properties as Record<string, Json>) : {};
}

/** Keywords whose schemas describe the same value. */
const BRANCHES = ["allOf", "anyOf", "oneOf", "if", "then", "else"];

/** The most faults in one error. */
const MOST_FAULTS = 5;
