import { readFileSync } from "node:fs";
import { DownstreamError, type DownstreamReason, Response } from "bailiwick-sdk";
import { expect, test } from "vitest";
import * as z from "zod";

const SECRET = "upstream said: s3cret";

test.each<[DownstreamReason, string]>([
  [{ tag: "unknown-service" }, "failed"],
  [{ tag: "not-granted", val: SECRET }, "failed"],
  [{ tag: "invalid-request", val: SECRET }, "failed"],
  [{ tag: "identity-unavailable" }, "forbidden"],
  [{ tag: "credential-refused", val: SECRET }, "forbidden"],
  [{ tag: "unavailable", val: SECRET }, "unavailable"],
  [{ tag: "timed-out" }, "unavailable"],
  [{ tag: "too-large" }, "failed"],
  [{ tag: "quota-exhausted" }, "failed"],
  [{ tag: "unknown-outcome" }, "failed"],
  [{ tag: "other", val: SECRET }, "failed"],
])("%o becomes an error without the service's words", (reason, kind) => {
  const error = new DownstreamError(reason).toToolError();
  expect(error.kind).toBe(kind);
  expect(error.message).not.toContain("s3cret");
});

const refusals = JSON.parse(
  readFileSync(new URL("../../tests/refusals.json", import.meta.url), "utf8"),
) as readonly { readonly text: string; readonly rule?: string }[];

test.each(refusals)("a rule that denies is named and nothing else: $text", ({ text, rule }) => {
  const error = new DownstreamError({ tag: "not-granted", val: text }).toToolError();
  if (rule === undefined) {
    expect(error.kind).toBe("failed");
    expect(error.message).toMatch(/has not granted/);
    expect(error.message).not.toContain("s3cret");
  } else {
    expect(error.kind).toBe("forbidden");
    expect(error.message).toBe(`refused by the operator's rule \`${rule}\``);
  }
});

test("what the user needs is said", () => {
  const text = (reason: DownstreamReason) => new DownstreamError(reason).toToolError().message;
  expect(text({ tag: "scope-denied", val: ["a", "b"] })).toContain("a, b");
  expect(text({ tag: "consent-required", val: "https://idp.example/" })).toContain("https://idp");
  expect(text({ tag: "unknown-outcome" })).toContain("look before");
});

test.each([
  [403, "forbidden"],
  [404, "not-found"],
  [410, "not-found"],
  [408, "unavailable"],
  [429, "unavailable"],
  [503, "unavailable"],
  [500, "failed"],
  [302, "failed"],
  [400, "failed"],
])("the status %i becomes the error %s without the body", (status, kind) => {
  const answer = new Response(status, "s3cret");
  expect(answer.ok).toBe(false);
  expect(() => answer.json()).toThrow(expect.objectContaining({ kind }));
  expect(() => answer.text()).not.toThrow("s3cret");
});

test("a success is read, and has only what its schema names", () => {
  expect(Response.json([1]).json()).toEqual([1]);
  expect(new Response(204).text()).toBe("");
  expect(new Response(200, "", [["ETag", "1"]]).headers.get("etag")).toBe("1");
  expect(Response.json({ a: 1, b: 2 }).json(z.object({ a: z.number() }))).toEqual({ a: 1 });
  const shape = expect.objectContaining({
    kind: "failed",
    message: expect.stringContaining("shape"),
  });
  expect(() => new Response(200, "s3cret").json()).toThrow(shape);
  expect(() => Response.json({}).json(z.object({ a: z.number() }))).toThrow(shape);
  expect(() => new Response(200, Uint8Array.of(0xff)).text()).toThrow("not text");
});
