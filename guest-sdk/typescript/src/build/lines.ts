/** Where the places of a bundle come from: its source map (ECMA-426), with lines alone. */

import { relative, resolve } from "node:path";

import type { Lines } from "../wasm/trace.js";

/** Returns the places at which another line of the project's own files begins, or they end. */
export function linesOf(map: string, folder: string): Lines {
  const { sources, mappings } = JSON.parse(map) as { sources: string[]; mappings: string };
  const paths = sources.map((source) => relative(folder, resolve(folder, source)));
  const own = paths.map((path) => !FOREIGN.test(path));
  const used = paths.filter((_, index) => own[index]);
  const places: [number, number, number, number][] = [];
  for (const { line, column, source, original } of decoded(mappings)) {
    const file = own[source] === true ? used.indexOf(paths[source] ?? "") : -1;
    const last = places.at(-1);
    const place: [number, number, number, number] = [line, column, file, file < 0 ? 0 : original];
    if (last === undefined || last[2] !== place[2] || last[3] !== place[3]) {
      places.push(place);
    }
  }
  return { files: used, places };
}

/** Decodes the mappings; lines and columns count from 1. */
function* decoded(mappings: string) {
  let [source, original] = [0, 1];
  for (const [index, text] of mappings.split(";").entries()) {
    let column = 1;
    for (const segment of text.split(",").filter((each) => each !== "")) {
      const [columnStep = 0, sourceStep = 0, lineStep = 0] = numbers(segment);
      column += columnStep;
      source += sourceStep;
      original += lineStep;
      yield { line: index + 1, column, source, original };
    }
  }
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

/** Files that are not the author's. */
const FOREIGN = /^\.\.|node_modules|bailiwick:/;

const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
