/** Templates of messages that people choose. */
import { item } from "./content.js";
import { refusePromise } from "./output.js";
import { Questions } from "./questions.js";
/** Returns a message of the user: a text or any content. */
export function user(content) {
    return { role: "user", content: item(content) };
}
/** Returns a message of the model: a text or any content. */
export function assistant(content) {
    return { role: "assistant", content: item(content) };
}
/**
 * Makes a prompt of a definition and a function. The function returns a text (one message of the
 * user), messages, or {@link Questions}.
 */
export function prompt(definition, run) {
    return { kind: "prompt", definition, run };
}
/** Returns the outcome of a prompt. */
export function outcome(value) {
    refusePromise(value);
    if (value instanceof Questions) {
        return { tag: "input-required", val: value.toWire() };
    }
    const whole = messagesOf(value);
    const messages = whole.messages.map(({ role, content }) => ({ role, content }));
    const meta = whole.meta && JSON.stringify(whole.meta);
    return { tag: "complete", val: { description: whole.description, messages, meta } };
}
function messagesOf(value) {
    if (typeof value === "string") {
        return { messages: [user(value)] };
    }
    return Array.isArray(value) ? { messages: value } : value;
}
