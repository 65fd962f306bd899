/**
 * Schemas of any library that implements Standard Schema (https://standardschema.dev): zod,
 * valibot, arktype and others. A tool needs JSON Schema, too; libraries offer it as
 * `~standard.jsonSchema`, and the build knows how zod mini makes it.
 */

/** A schema: it checks a value and knows its type before (`In`) and after (`Out`). */
export interface Schema<In = unknown, Out = In> {
  readonly "~standard": {
    readonly version: 1;
    readonly vendor: string;
    readonly types?: { readonly input: In; readonly output: Out } | undefined;
    readonly validate: (value: unknown) => Validated<Out> | Promise<Validated<Out>>;
    readonly jsonSchema?: Converter | undefined;
  };
}

/** A value that fits its schema, or the reasons why it does not. */
export type Validated<Out> =
  { readonly value: Out; readonly issues?: undefined } | { readonly issues: readonly Issue[] };

/** A reason why a value does not fit, and where. */
export interface Issue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** Makes JSON Schema of the type before (`input`) and after (`output`) the check. */
export interface Converter {
  readonly input: (options: { readonly target: Draft }) => Record<string, unknown>;
  readonly output: (options: { readonly target: Draft }) => Record<string, unknown>;
}

type Draft = "draft-2020-12" | "draft-07" | "openapi-3.0";

/** The type before the check: what a caller sends, or what a function returns. */
export type InferInput<S extends Schema> = NonNullable<S["~standard"]["types"]>["input"];

/** The type after the check, with defaults and conversions. */
export type InferOutput<S extends Schema> = NonNullable<S["~standard"]["types"]>["output"];

/** A JSON Schema, as an object. */
export type JsonObject = { readonly [name: string]: unknown };

/**
 * Makes a schema of JSON Schema 2020-12 written by hand. The type is what you say it is: the host
 * checks values against the schema, this library does not check them again.
 *
 * ```ts
 * const args = jsonSchema<{ id: string }>({
 *   type: "object",
 *   properties: { id: { type: "string" } },
 *   required: ["id"],
 *   additionalProperties: false,
 * });
 * ```
 */
export function jsonSchema<T>(schema: JsonObject): Schema<T> {
  const copy = () => structuredCopy(schema);
  return {
    "~standard": {
      version: 1,
      vendor: "json-schema",
      validate: (value) => ({ value: value as T }),
      jsonSchema: { input: copy, output: copy },
    },
  };
}

function structuredCopy(schema: JsonObject): Record<string, unknown> {
  return JSON.parse(JSON.stringify(schema)) as Record<string, unknown>;
}
