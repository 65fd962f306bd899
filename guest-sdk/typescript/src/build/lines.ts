/** Where the lines of a bundle come from: a source map (ECMA-426), with lines alone. */

import { relative, resolve } from "node:path";

import type { Lines } from "../wasm/trace.js";

/** Returns the lines that come from the project's own files. */
export function linesOf(map: string, folder: string): Lines {
  const { sources, mappings } = JSON.parse(map) as { sources: string[]; mappings: string };
  const paths = sources.map((source) => relative(folder, resolve(folder, source)));
  const files: string[] = [];
  const runs: [number, number, number, number][] = [];
  for (const { line, source, original } of firstOfEachLine(mappings)) {
    const path = paths[source] ?? "";
    if (path.startsWith("..") || path.includes("node_modules") || path.includes("bailiwick:")) {
      continue;
    }
    const file = files.includes(path) ? files.indexOf(path) : files.push(path) - 1;
    const last = runs.at(-1);
    const follows =
      last?.[1] === file && line === last[0] + last[3] && original === last[2] + last[3];
    if (follows) {
      last[3]++;
    } else {
      runs.push([line, file, original, 1]);
    }
  }
  return { files, runs };
}

/** Returns the first mapping of each line; lines count from 1. */
function firstOfEachLine(mappings: string): { line: number; source: number; original: number }[] {
  const found = [];
  let [source, original] = [0, 0];
  for (const [index, text] of mappings.split(";").entries()) {
    let first: { line: number; source: number; original: number } | undefined;
    for (const segment of text.split(",").filter((each) => each !== "")) {
      const [, sourceStep = 0, lineStep = 0] = numbers(segment);
      source += sourceStep;
      original += lineStep;
      first ??= { line: index + 1, source, original: original + 1 };
    }
    if (first !== undefined) {
      found.push(first);
    }
  }
  return found;
}

/** Decodes base64 VLQ numbers. */
function numbers(segment: string): number[] {
  const found: number[] = [];
  let [value, shift] = [0, 0];
  for (const letter of segment) {
    const digit = DIGITS.indexOf(letter);
    value += (digit & 31) << shift;
    shift += 5;
    if ((digit & 32) === 0) {
      found.push(value & 1 ? -(value >> 1) : value >> 1);
      [value, shift] = [0, 0];
    }
  }
  return found;
}

const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
