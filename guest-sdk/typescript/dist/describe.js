/**
 * The definitions as the interface has them, made once, while the component is built.
 *
 * Invariant: a wrong definition fails here, with the names of the thing and the field.
 */
import { nothing } from "./about.js";
import { inputSchema, propertiesOf, toJsonSchema } from "./schema.js";
import { variables } from "./template.js";
/** Definitions are wrong; the message has a line for each fault. */
export class DefinitionError extends Error {
    faults;
    name = "DefinitionError";
    constructor(faults) {
        super(faults.join("\n"));
        this.faults = faults;
    }
}
/** Returns the definitions. Throws a {@link DefinitionError} with all faults. */
export function describe(component, fallback) {
    const faults = [];
    const all = [...component.tools, ...component.prompts, ...component.resources];
    if (all.length === 0) {
        faults.push("the component has no tools, resources or prompts");
    }
    for (const [list, items] of Object.entries(component)) {
        const kind = list.slice(0, -1);
        items.forEach((item, index) => {
            if (item?.kind !== kind) {
                faults.push(`${list}[${index}]: expected what \`${kind}()\` returns`);
            }
        });
    }
    if (faults.length > 0) {
        throw new DefinitionError(faults);
    }
    const refuse = (item) => (fault) => faults.push(`${titleOf(item)}: ${fault}`);
    all.forEach((item) => checkAbout(item, refuse(item)));
    faults.push(...repeated(component));
    const described = {
        tools: component.tools.map((tool) => toolOf(tool, refuse(tool), fallback)),
        resources: component.resources.map((each) => resourceOf(each, refuse(each))),
        prompts: component.prompts.map((each) => promptOf(each, refuse(each), fallback)),
        facets: all.flatMap(facetsOf),
        completes: all.some(({ definition }) => Object.keys(completersOf(definition)).length > 0),
    };
    if (faults.length > 0) {
        throw new DefinitionError([...new Set(faults)]);
    }
    return described;
}
function checkAbout({ kind, definition, run }, refuse) {
    const held = definition;
    const texts = ["name", ...(kind === "resource" ? ["uri"] : ["description"])];
    for (const field of texts) {
        const value = held[field];
        if (typeof value !== "string" || value.trim() === "") {
            refuse(`${field} is missing`);
        }
    }
    if (typeof definition.name === "string" && !/^[A-Za-z0-9_.-]{0,64}$/.test(definition.name)) {
        refuse("name: expected 1 to 64 of [A-Za-z0-9_.-]");
    }
    for (const field of ["scopes", "services", "requires"]) {
        const list = held[field] ?? [];
        if (!Array.isArray(list) || !list.every((each) => typeof each === "string")) {
            refuse(`${field}: expected a list of texts`);
        }
        else if (field !== "requires") {
            list.filter((each) => !REFERENCE.test(each)).forEach((each) => refuse(unusable(field, each)));
        }
    }
    for (const field of Object.keys(held)) {
        if (!FIELDS.shared.includes(field) && !FIELDS[kind].includes(field)) {
            refuse(`${field}: there is no such field; the fields are ${fieldsOf(kind)}`);
        }
    }
    if (typeof run !== "function") {
        refuse("the function is missing");
    }
    else if (run.constructor.name === "AsyncFunction") {
        refuse("the function is async; a call is synchronous: remove `async` and `await`");
    }
}
/** A scope (RFC 6749 §3.3) or a service, as the host takes it. */
const REFERENCE = /^[!#-[\]-~]{1,128}$/;
function unusable(field, name) {
    return `${field}: ${JSON.stringify(name)}: expected visible ASCII, without a space, " or \\`;
}
function toolOf({ definition }, refuse, fallback) {
    const { input = nothing, output, readOnly, destructive, idempotent, openWorld } = definition;
    return {
        ...aboutOf(definition),
        description: definition.description,
        inputSchema: schemaOf("input", () => inputSchema(input, fallback), refuse),
        outputSchema: output && schemaOf("output", () => toJsonSchema(output, "output", fallback), refuse),
        annotations: { readOnly, destructive, idempotent, openWorld },
    };
}
function resourceOf({ definition }, refuse) {
    const { uri, description, mimeType, members } = definition;
    const names = variables(String(uri));
    if (names.length === 0 && members !== undefined) {
        refuse("members: only a family has them, whose uri has a variable such as {id}");
    }
    checkCompleters(definition, names, "variable", refuse);
    return { ...aboutOf(definition), uri, description, mimeType };
}
function promptOf({ definition }, refuse, fallback) {
    const { input = nothing, description } = definition;
    const schema = JSON.parse(schemaOf("input", () => inputSchema(input, fallback), refuse));
    const required = (schema["required"] ?? []);
    const properties = Object.entries(propertiesOf(schema));
    const list = properties.map(([name, field]) => {
        if (field["type"] === "object" || field["type"] === "array") {
            refuse(`input.${name}: an argument is a text, a number or a boolean`);
        }
        return {
            name,
            title: field["title"],
            description: field["description"],
            required: required.includes(name),
        };
    });
    const names = list.map(({ name }) => name);
    checkCompleters(definition, names, "argument", refuse);
    return { ...aboutOf(definition), description, arguments: list };
}
function aboutOf({ name, title, scopes, services, meta }) {
    return {
        name,
        title,
        scopes: [...(scopes ?? [])],
        services: [...(services ?? [])],
        meta: meta && JSON.stringify(meta),
    };
}
function schemaOf(field, make, refuse) {
    try {
        const schema = make();
        const branches = schema["anyOf"] ?? schema["oneOf"] ?? schema["allOf"];
        const objects = Array.isArray(branches) && branches.every((each) => each?.type === "object");
        if (schema["type"] === undefined && objects) {
            schema["type"] = "object";
        }
        if (schema["type"] !== "object") {
            refuse(`${field}: expected the schema of an object, such as z.object({ … })`);
        }
        return JSON.stringify(schema);
    }
    catch (error) {
        refuse(`${field}: ${error instanceof Error ? error.message : String(error)}`);
        return "{}";
    }
}
function completersOf(definition) {
    return definition.complete ?? {};
}
function checkCompleters(held, names, what, refuse) {
    for (const name of Object.keys(completersOf(held))) {
        if (!names.includes(name)) {
            refuse(`complete.${name}: there is no such ${what}`);
        }
    }
}
function facetsOf(item) {
    const { icons, requires } = item.definition;
    const all = [];
    if (icons !== undefined) {
        const objects = icons.map((icon) => (typeof icon === "string" ? { src: icon } : icon));
        all.push(["icons", JSON.stringify(objects)]);
    }
    if (requires !== undefined) {
        all.push(["requires", JSON.stringify(requires)]);
    }
    const val = item.kind === "resource" ? item.definition.uri : item.definition.name;
    return all.length === 0 ? [] : [[{ tag: item.kind, val }, all]];
}
function repeated(component) {
    return Object.values(component).flatMap((items) => {
        const names = items.map(titleOf);
        const twice = names.filter((name, index) => names.indexOf(name) !== index);
        return twice.map((name) => `${name}: there are two of that name`);
    });
}
function titleOf({ kind, definition }) {
    return `${kind} ${JSON.stringify(definition.name ?? "")}`;
}
function fieldsOf(kind) {
    return [...FIELDS.shared, ...FIELDS[kind]].join(", ");
}
const FIELDS = {
    shared: ["name", "title", "description", "scopes", "services", "icons", "requires", "meta"],
    tool: ["input", "output", "readOnly", "destructive", "idempotent", "openWorld"],
    resource: ["uri", "mimeType", "variables", "members", "complete"],
    prompt: ["input", "complete"],
};
