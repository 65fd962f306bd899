import { readFileSync } from "node:fs";

import {
  content,
  DownstreamError,
  jsonSchema,
  Output,
  Part,
  Response,
  type Segment,
  segment,
  tool,
} from "bailiwick-sdk";
import { Scene } from "bailiwick-sdk/testing";
import { expect, test } from "vitest";
import * as z from "zod";

import { getOrderStatus } from "./shop/src/status.js";

const scene = () => new Scene().onSend(() => Response.json({ id: "1", status: "open", cost: 7 }));

test("a result has what its schema names, and is structured and text", () => {
  const { structured, text, isError } = scene().call(getOrderStatus, { orderId: "1" });
  expect(structured).toEqual({ id: "1", status: "open", askedBy: "user_1" });
  expect(JSON.parse(text)).toEqual(structured);
  expect(isError).toBe(false);
});

test("arguments are checked and have their defaults before the function runs", () => {
  const echo = tool(
    {
      name: "echo",
      description: "Echoes.",
      input: z.object({ word: z.string(), times: z.coerce.number().default(2) }),
    },
    ({ input }) => input.word.repeat(input.times),
  );
  expect(new Scene().call(echo, { word: "a" }).text).toBe("aa");
  expect(new Scene().call(echo, { word: "a", times: "3" }).text).toBe("aaa");
  expect(() => new Scene().call(echo, { word: 1 as unknown as string })).toThrow(
    expect.objectContaining({ kind: "invalid-input", message: expect.stringContaining("word: ") }),
  );
});

test.each([
  ["a text", "a", "a", undefined],
  ["a list", [1], "[1]", undefined],
  ["nothing", undefined, "", undefined],
  ["an object", { a: 1 }, '{"a":1}', { a: 1 }],
  [
    "an output",
    new Output({ content: ["a", content.image("image/png", new Uint8Array())] }),
    "a",
    undefined,
  ],
  ["structured output", new Output({ structured: { a: 1 } }), '{"a":1}', { a: 1 }],
])("%s is a result", (_, value, text, structured) => {
  const any = tool({ name: "any", description: "Any." }, () => value);
  expect(new Scene().call(any, {})).toMatchObject({ text, structured });
});

test("a result that does not fit its schema, and a promise, are failures", () => {
  const wrong = tool(
    { name: "wrong", description: "Wrong.", output: z.object({ a: z.string() }) },
    () => ({ a: 1 as unknown as string }),
  );
  expect(() => new Scene().call(wrong, {})).toThrow("not as its output schema says");
  const late = tool({ name: "late", description: "Late." }, () => Promise.resolve(1) as never);
  expect(() => new Scene().call(late, {})).toThrow("remove `async`");
});

test("JSON Schema by hand is a schema, too", () => {
  const raw = jsonSchema<{ n: number }>({ type: "object", properties: { n: { type: "number" } } });
  const twice = tool({ name: "t", description: "T.", input: raw }, ({ input }) => input.n * 2);
  expect(new Scene().call(twice, { n: 2 }).text).toBe("4");
});

test("a request reaches the service as it was made", () => {
  const ask = tool(
    { name: "ask", description: "Asks.", services: ["orders_api"] },
    ({ services }) =>
      services.orders_api.post(["v1", segment("a b", ":cancel"), Part.actorSub, 7], {
        query: { dry: true, page: 2, sub: Part.actorSub, tag: ["x", "y"], none: undefined },
        headers: { "if-match": "1" },
        json: [1],
      }).status,
  );
  const seen = new Scene().onSend((request) => {
    expect(request).toMatchObject({
      service: "orders_api",
      method: "POST",
      pathText: "/v1/a%20b:cancel/{actor.sub}/7",
      headers: [
        ["if-match", "1"],
        ["content-type", "application/json"],
      ],
      json: [1],
    });
    const text = (val: string) => ({ tag: "text", val });
    expect(request.query).toEqual([
      ["dry", text("true")],
      ["page", text("2")],
      ["sub", { tag: "actor-sub" }],
      ["tag", text("x")],
      ["tag", text("y")],
    ]);
    return new Response(201);
  });
  expect(seen.call(ask, {}).text).toBe("201");
});

test("a form is written as forms are", () => {
  const pay = tool(
    { name: "pay", description: "Pays.", services: ["shop"] },
    ({ services }) =>
      services.shop.post(["refunds"], {
        form: { charge: "ch 1", "metadata[who]": "ü&~'", tag: ["a", 2], ok: true, none: undefined },
      }).status,
  );
  const seen = new Scene().onSend((request) => {
    const body = new TextDecoder().decode(request.body);
    expect(body).toBe("charge=ch+1&metadata%5Bwho%5D=%C3%BC%26%7E%27&tag=a&tag=2&ok=true");
    expect(request.headers).toEqual([["content-type", "application/x-www-form-urlencoded"]]);
    return new Response(201);
  });
  expect(seen.call(pay, {}).text).toBe("201");
});

test("several requests are answered in their order", () => {
  const all = tool({ name: "all", description: "All.", services: ["a"] }, ({ services, sendAll }) =>
    sendAll(["1", "2"].map((id) => services.a.request("GET", [id]))).map((answer) =>
      answer instanceof DownstreamError ? answer.kind : answer.status,
    ),
  );
  const answers = new Scene().onSend(({ pathText }) =>
    pathText === "/1" ? { tag: "timed-out" } : new Response(200),
  );
  expect(answers.call(all, {}).text).toBe('["timed-out",200]');
});

test("the identity, settings, time, randomness, client and log of a call are there", () => {
  const messages: unknown[] = [];
  const look = tool({ name: "look", description: "Looks." }, (call) => {
    call.log.warn("a warning");
    call.client.message("info", { left: 3 });
    return {
      sub: call.identity.actor.sub,
      mode: call.identity.modeOf("a"),
      currency: call.settings(z.object({ currency: z.string() })).currency,
      now: call.clock.now(),
      bytes: call.random.bytes(4).length,
      form: call.client.declares("elicitation"),
      envelope: JSON.parse(call.identity.envelope),
    };
  });
  const whole = new Scene()
    .actor("user_7")
    .identity((identity) => (identity.services = [{ name: "a", mode: "on-behalf-of" }]))
    .settings({ currency: "EUR" })
    .now(5)
    .client("2025-11-25", ["elicitation.form"])
    .onMessage((severity, data) => messages.push([severity, data]));
  expect(whole.call(look, {}).structured).toMatchObject({
    sub: "user_7",
    mode: "on-behalf-of",
    currency: "EUR",
    now: 5,
    bytes: 4,
    form: true,
    envelope: { actor: { sub: "user_7" } },
  });
  expect(messages).toEqual([["info", { left: 3 }]]);
  expect(whole.lines).toEqual([{ level: "warn", message: "a warning" }]);
  expect(() => new Scene().call(look, {})).toThrow("settings for this tool are not as it needs");
});

test("the host is asked about the identity once, and only for what is read", () => {
  let asked = 0;
  const scene = new Scene().identity((identity) => {
    const { actor } = identity;
    Object.defineProperty(identity, "actor", { get: () => (asked++, actor) });
  });
  const who = tool({ name: "who", description: "Who." }, ({ identity }) => [
    identity.actor.sub,
    identity.actor.iss,
  ]);
  const before = asked;
  scene.call(who, {});
  // The scene itself reads the actor once, for the envelope.
  expect(asked - before).toBe(2);
});

/** A request, and the target that a host makes of it, or the word for its refusal. */
interface Case {
  readonly template: string;
  readonly method: "GET" | "POST";
  readonly path: readonly string[];
  readonly query: readonly (readonly [string, string])[];
  readonly expected: string;
}

const cases = JSON.parse(
  readFileSync(new URL("../../tests/templates.json", import.meta.url), "utf8"),
) as readonly Case[];

test.each(cases)(
  "a scene allows what a host allows: $template for $method $path $query",
  ({ template, method, path, query, expected }) => {
    const facts = new Map<string, Part>([
      ["@sub", Part.actorSub],
      ["@tenant", Part.actorTenant],
      ["@iss", Part.actorIssuer],
    ]);
    const part = (text: string) => {
      if (text === "@slash") {
        return segment();
      }
      const parts = text.split("|").map((piece) => facts.get(piece) ?? piece);
      return parts.length === 1 ? parts[0]! : segment(...(parts as string[]));
    };
    const asks = tool(
      { name: "asks", description: "Asks.", services: ["orders_api"] },
      ({ services }) => {
        const values: Record<string, Segment[]> = {};
        for (const [key, text] of query) {
          (values[key] ??= []).push(part(text));
        }
        const asked = method === "GET" ? services.orders_api.get : services.orders_api.post;
        return asked.call(services.orders_api, path.map(part), { query: values }).status;
      },
    );
    const call = () =>
      scene()
        .allow({ orders_api: [template] })
        .call(asks, {}).text;
    if (expected.startsWith("/")) {
      expect(call()).toBe("200");
    } else {
      expect(call).toThrow(expected === "not-granted" ? /granted/ : /malformed|invalid-request/);
    }
  },
);

test("a scene that allows one service has no other, and takes no other words", () => {
  const asks = () => scene().allow({ billing_api: ["GET /orders/{}"] });
  expect(() => asks().call(getOrderStatus, { orderId: "1" })).toThrow(/unknown-service|granted/);
  const wrong = scene().allow({ orders_api: ["orders/{}"] });
  expect(() => wrong.call(getOrderStatus, { orderId: "1" })).toThrow("expected a template");
});
