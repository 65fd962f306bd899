/** Suggestions for an argument of a prompt or a variable of a family. */

import type { Call } from "./context.js";
import { refusePromise } from "./output.js";
import type { completion } from "./wit.js";

/** Suggests values for one argument or variable. */
export type Completer<Names extends string> = (
  call: Call<Names>,
  asked: Asked,
) => readonly string[] | Suggestions;

/** What the user has typed of an argument so far. */
export class Asked {
  readonly #others: { readonly [argument: string]: string };

  constructor(
    /** What the user has typed. */
    readonly typed: string,
    others: { readonly [argument: string]: string } = {},
  ) {
    this.#others = others;
  }

  /** Returns another argument of the same prompt or family, if it is known already. */
  other(argument: string): string | undefined {
    return this.#others[argument];
  }

  /** Suggests those of the values that begin as the user has typed, in any case. */
  matching(values: Iterable<string>): string[] {
    const typed = this.typed.toLowerCase();
    return [...values].filter((value) => value.toLowerCase().startsWith(typed));
  }
}

/** Suggested values, the best first, and how many there are in all. */
export interface Suggestions {
  /** The values. The first 100 are sent. */
  readonly values: readonly string[];
  /** The number of all values, if it is known. */
  readonly total?: number;
  /** True if there are more, and nobody knows how many. */
  readonly more?: boolean;
}

/** Returns suggestions as the interface has them. */
export function suggestions(given: readonly string[] | Suggestions): completion.Suggestions {
  refusePromise(given);
  const whole: Suggestions = Array.isArray(given)
    ? { values: given as readonly string[] }
    : (given as Suggestions);
  const values = whole.values.slice(0, MOST_VALUES);
  const total = whole.total ?? (whole.more === true ? undefined : whole.values.length);
  return { values, total, more: whole.more ?? (total !== undefined && values.length < total) };
}

/** The most values in one answer. */
const MOST_VALUES = 100;
