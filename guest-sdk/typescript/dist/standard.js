/**
 * Schemas of any library that implements Standard Schema (https://standardschema.dev): zod,
 * valibot, arktype and others. A tool needs JSON Schema, too; libraries offer it as
 * `~standard.jsonSchema`, and the build knows how zod mini makes it.
 */
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
export function jsonSchema(schema) {
    const copy = () => structuredCopy(schema);
    return {
        "~standard": {
            version: 1,
            vendor: "json-schema",
            validate: (value) => ({ value: value }),
            jsonSchema: { input: copy, output: copy },
        },
    };
}
function structuredCopy(schema) {
    return JSON.parse(JSON.stringify(schema));
}
