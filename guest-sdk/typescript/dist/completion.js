/** Suggestions for an argument of a prompt or a variable of a family. */
import { refusePromise } from "./output.js";
/** What the user has typed of an argument so far. */
export class Asked {
    typed;
    #others;
    constructor(
    /** What the user has typed. */
    typed, others = {}) {
        this.typed = typed;
        this.#others = others;
    }
    /** Returns another argument of the same prompt or family, if it is known already. */
    other(argument) {
        return this.#others[argument];
    }
    /** Suggests those of the values that begin as the user has typed, in any case. */
    matching(values) {
        const typed = this.typed.toLowerCase();
        return [...values].filter((value) => value.toLowerCase().startsWith(typed));
    }
}
/** Returns suggestions as the interface has them. */
export function suggestions(given) {
    refusePromise(given);
    const whole = Array.isArray(given)
        ? { values: given }
        : given;
    const values = whole.values.slice(0, MOST_VALUES);
    const total = whole.total ?? (whole.more === true ? undefined : whole.values.length);
    return { values, total, more: whole.more ?? (total !== undefined && values.length < total) };
}
/** The most values in one answer. */
const MOST_VALUES = 100;
