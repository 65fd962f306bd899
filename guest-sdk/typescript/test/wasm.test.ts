import { expect, test } from "vitest";

import { linesOf } from "../src/build/lines.js";
import { TextDecoder, TextEncoder } from "../src/wasm/text.js";
import { described, type Lines } from "../src/wasm/trace.js";

test.each([
  "",
  "plain",
  "Grüße",
  "€",
  "😀",
  "\u0000\u007f\u0080\u07ff\u0800\uffff\u{10ffff}",
  "x".repeat(9000),
])("UTF-8 of %j is that of the platform", (text) => {
  const bytes = new globalThis.TextEncoder().encode(text);
  expect(new TextEncoder().encode(text)).toEqual(bytes);
  expect(new TextDecoder().decode(bytes)).toBe(text);
});

test.each([
  [0xff],
  [0xc0, 0x80],
  [0xe0, 0x80, 0x80],
  [0xed, 0xa0, 0x80],
  [0xf4, 0x90, 0x80, 0x80],
  [0xe2, 0x82],
  [0xf0, 0x9f, 0x98, 0x41],
  [0x80, 0x41],
])("malformed UTF-8 %j is replaced as the platform does, or refused", (...bytes) => {
  const given = Uint8Array.from(bytes);
  expect(new TextDecoder().decode(given)).toBe(new globalThis.TextDecoder().decode(given));
  expect(() => new TextDecoder("utf-8", { fatal: true }).decode(given)).toThrow("not UTF-8");
});

test("marks, surrogates and other encodings are treated as the standard says", () => {
  const marked = Uint8Array.of(0xef, 0xbb, 0xbf, 0x41);
  expect(new TextDecoder().decode(marked)).toBe("A");
  expect(new TextDecoder("utf-8", { ignoreBOM: true }).decode(marked)).toBe("\ufeffA");
  expect(new TextEncoder().encode("\ud800")).toEqual(Uint8Array.of(0xef, 0xbf, 0xbd));
  expect(() => new TextDecoder("latin1")).toThrow(RangeError);
});

const lines: Lines = {
  files: ["src/tool.ts"],
  places: [
    [1, 1, -1, 0],
    [1, 10, 0, 5],
    [1, 20, 0, 7],
    [2, 1, -1, 0],
  ],
};

test.each([
  [
    "    at f (componentize-qjs:user.js:1:12)\n    at g (componentize-qjs:user.js:2:3)",
    "src/tool.ts:5",
  ],
  ["f@source.js:1:25\n@source.js:1:12\n", "src/tool.ts:7, src/tool.ts:5"],
  ["    at f (user.js:1:3)", "bundle:1:3"],
])("an exception is described with its places in the sources", (stack, places) => {
  const error = Object.assign(new TypeError("x"), { stack });
  expect(described(error, lines)).toBe(`TypeError: x (${places})`);
});

test("an exception has its cause, and what is no exception is shown", () => {
  const inner = Object.assign(new Error("inner"), { stack: "" });
  const outer = Object.assign(new Error("outer", { cause: inner }), { stack: "" });
  expect(described(outer, undefined)).toBe("Error: outer; caused by Error: inner");
  expect(described({ a: 1 }, undefined)).toBe('something was thrown that is no Error: {"a":1}');
});

test("a source map is read for the project's own files alone", () => {
  const sources = ["node_modules/zod/index.js", "src/tool.ts", "../sdk/a.js"];
  const mappings = "AAAA,CCIC,CACA,CAAC;ACAD";
  expect(linesOf(JSON.stringify({ sources, mappings }), "/p")).toEqual({
    files: ["src/tool.ts"],
    places: [
      [1, 1, -1, 0],
      [1, 2, 0, 5],
      [1, 3, 0, 6],
      [2, 1, -1, 0],
    ],
  });
});
