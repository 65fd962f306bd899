// A tool in JavaScript, for StarlingMonkey and QuickJS: greets its user, adds two numbers, and looks up an order for
// that user.

import { now } from "bailiwick:tool/clock@0.2.0";
import { send } from "bailiwick:tool/downstream@0.2.0";
import { actor, agent, authentication, call, json, scopes, services, session } from "bailiwick:tool/identity@0.2.0";
import { write } from "bailiwick:tool/log@0.2.0";
import { bytes } from "bailiwick:tool/random@0.2.0";
import { get } from "bailiwick:tool/settings@0.2.0";

const greet = definition("greet_js", "Greets whoever asks, adds two numbers, and says where an order is.", {
  a: { type: "number" },
  b: { type: "number" },
  order_id: { type: "string" },
});

const look = definition("look_js", "Looks at the system that the engine shows it, and writes to its console, if there is one.", {});

export const tools = {
  describe: () => [greet, look],

  call(tool, { input }) {
    const subject = asked(tool);
    switch (tool) {
      case greet.name:
        return complete(greeting(subject, JSON.parse(input)));
      case look.name:
        return complete(seen(subject));
      default:
        throw { tag: "not-found", val: `there is no tool ${tool}` };
    }
  },
};

// What the host answers about the call must agree with the envelope that it signed.
function asked(tool) {
  const { sub, iss } = actor();
  const signed = JSON.parse(json());
  const agrees =
    signed.actor.sub === sub &&
    signed.actor.iss === iss &&
    signed.agent.client_id === agent().clientId &&
    signed.session.trace_id === session().traceId &&
    signed.call.id === call().id &&
    call().kind === "tool" &&
    call().name === tool &&
    scopes().join() === "orders:read" &&
    services().map(({ name, mode }) => `${name} ${mode}`).join() === "orders_api on-behalf-of" &&
    (authentication().acr ?? undefined) === signed.actor.acr;
  if (!agrees) {
    throw { tag: "failed", val: "the host contradicts its own envelope" };
  }
  return sub;
}

function greeting(subject, { a, b, order_id }) {
  const { word } = JSON.parse(get());
  write("info", "greeting");
  return { greeting: `${word}, ${subject}`, sum: a + b, status: orderStatus(order_id) };
}

function seen(subject) {
  // QuickJS has no console.
  globalThis.console?.log(`output for ${subject}\u001b[2J`);
  globalThis.console?.error(`error for ${subject}\u001b[2J`);
  const random = Array.from(bytes(8));
  return { apart: Math.abs(Date.now() - Number(now())), random, of_the_engine: Math.random() };
}

function orderStatus(id) {
  const answer = ask([text("orders"), text(id)]);
  if (answer.status !== 200) {
    throw { tag: "forbidden", val: `the service says ${answer.status}` };
  }
  return JSON.parse(utf8(answer.body)).status;
}

function ask(path) {
  try {
    return send({ service: "orders_api", method: "GET", path, query: [], headers: [], body: new Uint8Array() });
  } catch (error) {
    throw { tag: "unavailable", val: `the service cannot be asked: ${(error.payload ?? error).tag}` };
  }
}

// QuickJS has no TextDecoder.
function utf8(bytes) {
  return decodeURIComponent(Array.from(bytes, (byte) => "%" + byte.toString(16).padStart(2, "0")).join(""));
}

function text(val) {
  return { tag: "text", val };
}

function complete(result) {
  const structured = JSON.stringify(result);
  const content = [{ tag: "text", val: { text: structured, meta: undefined } }];
  return { tag: "complete", val: { content, structured, isError: false, meta: undefined } };
}

function definition(name, description, properties) {
  return {
    name,
    title: undefined,
    description,
    inputSchema: JSON.stringify({
      type: "object",
      properties,
      required: Object.keys(properties),
      additionalProperties: false,
    }),
    outputSchema: undefined,
    annotations: { readOnly: true, destructive: undefined, idempotent: undefined, openWorld: undefined },
    scopes: ["orders:read"],
    services: ["orders_api"],
    meta: undefined,
  };
}
