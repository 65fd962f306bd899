import { content, Contents, resource, Response, user } from "bailiwick-sdk";
import { Scene } from "bailiwick-sdk/testing";
import { expect, test } from "vitest";
import * as z from "zod";

import { complain, order, terms } from "./shop/src/documents.js";

test("contents have the URI that was asked for and the media type of the definition", () => {
  expect(new Scene().read(terms).contents).toEqual([
    { uri: "shop://terms", mimeType: "text/markdown", body: { tag: "text", val: "# Terms" } },
  ]);
  const scene = new Scene().onSend(({ pathText }) => Response.json({ pathText }));
  const [part] = scene.read(order, { id: "a/b ü" }).contents;
  expect(part).toMatchObject({
    uri: "shop://orders/a%2Fb%20%C3%BC",
    mimeType: "application/json",
    body: { tag: "text", val: '{"pathText":"/orders/a%2Fb%20%C3%BC"}' },
  });
});

test("contents can have parts with URIs of their own", () => {
  const logo = { uri: "shop://terms/logo", mimeType: "image/png", body: Uint8Array.of(1) };
  const both = resource({ uri: "shop://terms", name: "terms" }, () => {
    return new Contents("# Terms", { mimeType: "text/markdown", meta: { a: 1 }, parts: [logo] });
  });
  expect(new Scene().read(both).contents).toEqual([
    expect.objectContaining({ uri: "shop://terms", meta: '{"a":1}' }),
    expect.objectContaining({ uri: "shop://terms/logo", body: { tag: "blob", val: logo.body } }),
  ]);
});

test("variables are read as their schema says", () => {
  const definition = {
    uri: "shop://pages/{number}",
    name: "page",
    variables: z.object({ number: z.number() }),
  } as const;
  const page = resource(definition, ({ input }) => String(input.number + 1));
  expect(new Scene().read(page, { number: 7 }).contents[0]?.body).toEqual({
    tag: "text",
    val: "8",
  });
  expect(() => new Scene().read(page, { number: "x" })).toThrow("number: ");
});

test("a family lists its members, and suggests values of its variables", () => {
  const { members, next } = new Scene().members(order);
  expect(members.map(({ uri }) => uri)).toEqual([
    "shop://orders/A-1001",
    "shop://orders/A-1002",
    "shop://orders/A-2001",
  ]);
  expect(next).toBeUndefined();
  expect(new Scene().members(terms).members).toEqual([]);
  expect(new Scene().complete(order, "id", "A-2").values).toEqual(["A-2001"]);
});

test("a prompt reads its arguments from texts", () => {
  const { messages } = new Scene().get(complain, { order: "1", days: "2" });
  expect(messages).toEqual([
    user(content.link("shop://orders/1", "the order")),
    user("Write to the shop. I have waited 48 hours."),
  ]);
  expect(() => new Scene().get(complain, { order: "1", days: "two" })).toThrow("days: ");
});

test("suggestions say how many there are", () => {
  const asked = new Scene().complete(complain, "order", "A-10");
  expect(asked).toEqual({ values: ["A-1001", "A-1002"], total: 2, more: false });
  expect(new Scene().complete(complain, "days", "1").values).toEqual([]);
});
