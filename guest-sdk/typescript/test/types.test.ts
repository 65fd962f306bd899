// The types that authors rely on: the compiler checks this file, and the tests run it.

import { component, type Answer, prompt, resource, tool } from "bailiwick-sdk";
import { Scene } from "bailiwick-sdk/testing";
import { expectTypeOf, test } from "vitest";
import * as z from "zod";
import * as mini from "zod/mini";

const about = { name: "x", description: "X." };

test("the input and the services of a function are those of its definition", () => {
  const input = z.object({ id: z.string(), times: z.coerce.number().default(1) });
  const made = tool({ ...about, input, services: ["orders_api"] }, (context) => {
    expectTypeOf(context.input).toEqualTypeOf<{ id: string; times: number }>();
    expectTypeOf<keyof typeof context.services>().toEqualTypeOf<"orders_api">();
    // @ts-expect-error: the definition does not name this service
    void context.services.billing_api;
    return "";
  });
  new Scene().call(made, { id: "1" });
  // @ts-expect-error: the id is missing
  void (() => new Scene().call(made, {}));
  component({ tools: [made] });
});

test("a tool without an input has none, and without services none", () => {
  tool(about, ({ services }) => {
    expectTypeOf<keyof typeof services>().toEqualTypeOf<never>();
    return undefined;
  });
});

test("a result has the type of the output schema", () => {
  const output = z.object({ status: z.string(), left: z.number().default(0) });
  const made = tool({ ...about, output }, () => ({ status: "" }));
  // @ts-expect-error: the result has no status
  tool({ ...about, output }, () => ({ left: 1 }));
  const { structured } = new Scene().call(made, {});
  expectTypeOf(structured).toEqualTypeOf<{ status: string; left: number } | undefined>();
  component({ tools: [made] });
});

test("a function is not async", () => {
  // @ts-expect-error: nothing would wait for the promise
  tool(about, async () => "");
});

test("a field that does not exist, or a list of services that is none, is refused", () => {
  // @ts-expect-error: the field is readOnly
  tool({ ...about, readonly: true }, () => "");
  // @ts-expect-error: a list
  tool({ ...about, services: "orders_api" }, () => "");
  // @ts-expect-error: the description is missing
  tool({ name: "x" }, () => "");
});

test("the variables of a URI are typed", () => {
  const family = resource({ uri: "shop://{kind}/{id}", name: "x" }, ({ input }) => {
    expectTypeOf(input).toEqualTypeOf<{ readonly kind: string; readonly id: string }>();
    return input.id;
  });
  family.uriOf({ kind: "a", id: 1 });
  // @ts-expect-error: the kind is missing
  family.uriOf({ id: 1 });
  // @ts-expect-error: there is no such variable
  resource({ uri: "shop://{id}", name: "x", complete: { other: () => [] } }, () => "");
  resource({ uri: "shop://terms", name: "x" }, () => "");
});

test("the arguments of a prompt are typed, and so are its completers", () => {
  const input = z.object({ order: z.string() });
  const made = prompt({ ...about, input, complete: { order: () => ["1"] } }, (context) => {
    expectTypeOf(context.input).toEqualTypeOf<{ order: string }>();
    return context.input.order;
  });
  // @ts-expect-error: there is no such argument
  prompt({ ...about, input, complete: { other: () => [] } }, () => "");
  new Scene().get(made, { order: "1" });
});

test("the answer to a form has the type of its fields, with zod mini as well", () => {
  const fields = mini.object({ sure: mini.boolean() });
  tool(about, ({ answers }) => {
    expectTypeOf(answers.form("sure", fields)).toEqualTypeOf<
      Answer<{ sure: boolean }> | undefined
    >();
    return undefined;
  });
});
