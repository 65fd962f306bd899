import { component, jsonSchema, prompt, resource, tool } from "bailiwick-sdk";
import { expect, test } from "vitest";
import * as z from "zod";
import * as mini from "zod/mini";

import { describe } from "../src/describe.js";
import { inputSchema } from "../src/schema.js";
import shop from "./shop/src/tool.js";

test("a component is described as the interface has it", () => {
  const { tools, resources, prompts, facets, completes } = describe(shop);
  expect(tools.map(({ name }) => name)).toEqual([
    "get_order_status",
    "cancel_order",
    "delete_orders",
    "look",
  ]);
  expect(tools[0]).toMatchObject({
    scopes: ["orders:read"],
    services: ["orders_api"],
    annotations: { readOnly: true },
  });
  expect(JSON.parse(tools[3]?.inputSchema ?? "")).toEqual({
    type: "object",
    additionalProperties: false,
  });
  expect(resources.map(({ uri }) => uri)).toEqual(["shop://terms", "shop://orders/{id}"]);
  expect(prompts[0]?.arguments).toEqual([
    { name: "order", description: "The order's number.", required: true },
    { name: "days", description: "For how long you wait.", required: false },
  ]);
  const icons = JSON.stringify([{ src: "https://shop.example/icon.svg" }]);
  expect(facets).toEqual([[{ tag: "tool", val: "get_order_status" }, [["icons", icons]]]]);
  expect(completes).toBe(true);
});

const good = { name: "x", description: "X." };

test.each([
  [{ name: "x" }, 'tool "x": description is missing'],
  [{ ...good, description: " " }, 'tool "x": description is missing'],
  [{ description: "X." }, 'tool "": name is missing'],
  [{ ...good, name: "a b" }, 'tool "a b": name: expected 1 to 64 of [A-Za-z0-9_.-]'],
  [{ ...good, scopes: "a" }, 'tool "x": scopes: expected a list of texts'],
  [{ ...good, scopes: ["a b"] }, 'tool "x": scopes: "a b": expected visible ASCII'],
  [{ ...good, services: ["Bücher"] }, 'tool "x": services: "Bücher": expected visible ASCII'],
  [{ ...good, readonly: true }, 'tool "x": readonly: there is no such field'],
  [{ ...good, input: z.string() }, 'tool "x": input: expected the schema of an object'],
  [{ ...good, input: z.object({ d: z.date() }) }, 'tool "x": input: Date cannot be represented'],
  [{ ...good, input: mini.object({}) }, 'tool "x": input: the library zod makes no JSON Schema'],
])("the wrong definition %o is refused by its field", (definition, fault) => {
  const run = () => describe(component({ tools: [tool(definition as never, () => "")] }));
  expect(run).toThrow(fault);
});

test("other faults are refused, too", () => {
  const fine = tool(good, () => "");
  const faulty = (parts: Parameters<typeof component>[0]) => () => describe(component(parts));
  expect(faulty({ tools: [fine] })).not.toThrow();
  expect(faulty({})).toThrow("has no tools, resources or prompts");
  expect(faulty({ tools: [fine, fine] })).toThrow('tool "x": there are two of that name');
  expect(faulty({ prompts: [fine] as never })).toThrow(
    "prompts[0]: expected what `prompt()` returns",
  );
  const async = tool(good, (async () => "") as never);
  expect(faulty({ tools: [async] })).toThrow("the function is async");
  const family = { uri: "x://y", name: "y", members: () => [] } as const;
  expect(faulty({ resources: [resource(family, () => "")] })).toThrow("only a family has them");
  const lists = prompt({ ...good, input: z.object({ l: z.array(z.string()) }) }, () => "");
  expect(faulty({ prompts: [lists] })).toThrow("input.l: an argument is a text");
  const completed = prompt({ ...good, complete: { y: () => [] } } as never, () => "");
  expect(faulty({ prompts: [completed] })).toThrow("complete.y: there is no such argument");
});

test("an input schema is closed all the way down, and open where it says so", () => {
  const line = z.object({ article: z.string(), count: z.int() });
  const closed = { additionalProperties: false };
  expect(
    inputSchema(z.object({ lines: z.array(line), notes: z.record(z.string(), line) })),
  ).toMatchObject({
    ...closed,
    properties: { lines: { items: closed }, notes: { additionalProperties: closed } },
  });
  const open = jsonSchema({ type: "object", additionalProperties: true });
  expect(inputSchema(open)).toEqual({ type: "object", additionalProperties: true });
  const union = z.union([z.object({ a: z.string() }), z.object({ b: z.string() })]);
  expect(inputSchema(union)).toMatchObject({ anyOf: [closed, closed] });
  const object = (name: string) => ({ type: "object", properties: { [name]: { type: "string" } } });
  const both = jsonSchema({ ...object("a"), allOf: [{ ...object("b"), ...closed }] });
  expect(inputSchema(both)).toEqual({
    ...object("a"),
    allOf: [object("b")],
    unevaluatedProperties: false,
  });
});
