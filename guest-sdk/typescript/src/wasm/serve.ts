/** The exports of a component. The build writes an entry that calls {@link serve}. */

import type { Component } from "../component.js";
import type { Described } from "../describe.js";
import { DownstreamError, ToolError } from "../error.js";
import { callTool, complete, getPrompt, listMembers, readResource } from "../serve.js";
import type { Outside } from "../outside.js";
import type { completion, types } from "../wit.js";
import { begin, host } from "./host.js";
import { described, type Lines } from "./trace.js";

/** Returns what each interface exports; the entry exports those that the component has. */
export function serve(
  component: Component,
  definitions: Described,
  wide: (size: number) => unknown,
) {
  warm(component);
  const of =
    <Arguments extends unknown[], Result>(
      run: (component: Component, outside: Outside, ...given: Arguments) => Result,
    ) =>
    (...given: Arguments): Result =>
      answered(() => run(component, host, ...given));
  return {
    tools: { describe: () => definitions.tools, call: of(callTool) },
    resources: {
      describe: () => definitions.resources,
      read: of(readResource),
      members: (family: string, context: types.Context) => {
        const { items, next } = of(listMembers)(family, context);
        const sized = items.map((item) => ({
          ...item,
          size: item.size == null ? item.size : wide(Number(item.size)),
        }));
        return { items: sized, next };
      },
    },
    prompts: { describe: () => definitions.prompts, get: of(getPrompt) },
    completion: {
      complete: (
        reference: completion.Reference,
        argument: string,
        value: string,
        context: types.Context,
      ) => {
        const { total, ...all } = of(complete)(reference, argument, value, context);
        return { ...all, total: total == null ? total : wide(Number(total)) };
      },
    },
    facets: { describe: () => definitions.facets },
  };
}

/**
 * Checks something once while the component is built, so that what schemas make at their first use
 * is there already when a call begins.
 */
function warm({ tools }: Component): void {
  for (const { definition } of tools) {
    for (const schema of [definition.input, definition.output]) {
      try {
        schema?.["~standard"].validate({});
      } catch {
        // What fails here fails in a call, too, and is reported there.
      }
    }
  }
}

/** Runs a function; turns what it throws into an error of the interface. */
function answered<T>(run: () => T): T {
  begin();
  try {
    return run();
  } catch (error) {
    throw refusal(error);
  }
}

function refusal(thrown: unknown): types.Error {
  const lines = (globalThis as { __bailiwickLines?: Lines }).__bailiwickLines;
  const error = thrown instanceof DownstreamError ? thrown.toToolError() : thrown;
  if (!(error instanceof ToolError)) {
    host.write("error", described(error, lines));
    return { tag: "failed", val: "the tool failed" };
  }
  if (error.cause !== undefined) {
    host.write("warn", `${error.message}: ${described(error.cause, lines)}`);
  }
  return { tag: error.kind, val: error.message };
}
