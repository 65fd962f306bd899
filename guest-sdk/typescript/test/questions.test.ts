import { accepted, Questions, tool } from "bailiwick-sdk";
import { Scene } from "bailiwick-sdk/testing";
import { expect, test } from "vitest";
import * as z from "zod";

import { cancelOrder } from "./shop/src/orders.js";

test("a tool asks, and goes on with the answer", () => {
  const order = { orderId: "1" };
  expect(new Scene().call(cancelOrder, order).questions?.keys).toEqual(["sure"]);
  const said = (fields: object) =>
    new Scene().accepts("sure", fields).call(cancelOrder, order).text;
  expect(said({ sure: true })).toBe("cancelled");
  expect(said({ sure: false })).toBe("the order stays");
  expect(() => said({ sure: 1 })).toThrow(expect.objectContaining({ kind: "invalid-input" }));
  expect(() => new Scene().declines("sure").call(cancelOrder, order)).toThrow("declined");
});

test("a form has the keywords that MCP gives it", () => {
  const fields = z.object({
    nights: z.int().min(1).describe("How many."),
    mail: z.email().optional(),
    note: z.string().nullable().default(null),
    colour: z.enum(["red", "blue"]),
    size: z.union([z.literal("s").meta({ title: "Small" }), z.literal("l")]),
    extras: z.array(z.enum(["sea", "city"])),
  });
  const { questions, state } = new Questions().form("stay", "Which?", fields).state("2").toWire();
  const [[key, question] = []] = questions;
  const [message, schema] = question?.val ?? [];
  expect([key, message, state]).toEqual(["stay", "Which?", new TextEncoder().encode("2")]);
  expect(JSON.parse(schema ?? "")).toEqual({
    type: "object",
    properties: {
      nights: { type: "integer", minimum: 1, description: "How many." },
      mail: { type: "string", format: "email" },
      note: { type: "string" },
      colour: { type: "string", enum: ["red", "blue"] },
      size: {
        type: "string",
        oneOf: [
          { const: "s", title: "Small" },
          { const: "l", title: "l" },
        ],
      },
      extras: { type: "array", items: { type: "string", enum: ["sea", "city"] } },
    },
    required: ["nights", "colour", "size", "extras"],
  });
});

test("other kinds have their parameters, and their answers are typed", () => {
  const ask = tool({ name: "ask", description: "Asks." }, ({ answers, state }) => {
    const page = answers.page("pay");
    if (page === undefined) {
      const message = { role: "user", content: { type: "text", text: "Hi" } } as const;
      return new Questions()
        .url("pay", "https://pay.example/", "Pay")
        .roots("roots")
        .sampling("model", { messages: [message], maxTokens: 1 });
    }
    accepted(page);
    return {
      root: answers.roots("roots")?.[0]?.uri,
      model: answers.sampling("model")?.model,
      state: new TextDecoder().decode(state),
    };
  });
  const asked = new Scene().call(ask, {}).questions?.wire.questions ?? [];
  const kinds = asked.map(([, { tag, val }]) => [tag, val[0]]);
  expect(kinds).toEqual([
    ["other", "url"],
    ["other", "roots/list"],
    ["other", "sampling/createMessage"],
  ]);
  const scene = new Scene()
    .accepts("pay")
    .answer("roots", { roots: [{ uri: "file:///a" }] })
    .answer("model", { role: "assistant", content: { type: "text", text: "Hi" }, model: "m" })
    .state("2");
  expect(scene.call(ask, {}).structured).toEqual({ root: "file:///a", model: "m", state: "2" });
  const odd = new Scene().answer("pay", {});
  expect(() => odd.call(ask, {})).toThrow(expect.objectContaining({ kind: "invalid-input" }));
});
