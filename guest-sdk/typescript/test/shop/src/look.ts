import { tool } from "bailiwick-sdk";

// Looks at the globals that the SDK provides.
export const look = tool(
  { name: "look", description: "Looks at what a component has.", openWorld: false },
  ({ identity, clock, client, log, progress }) => {
    console.log("seen", { sub: identity.actor.sub });
    log.warn("a warning");
    progress(1, 2, "half");
    const text = "Grüße 😀";
    const bytes = new TextEncoder().encode(text);
    return {
      apart: Math.abs(new Date().getTime() - clock.now()),
      year: new Date(0).getUTCFullYear(),
      isDate: new Date() instanceof Date,
      random: [Math.random(), Math.random()],
      uuid: crypto.randomUUID(),
      same: new TextDecoder().decode(bytes) === text,
      revision: client.revision,
      kind: identity.binding.kind,
    };
  },
);
