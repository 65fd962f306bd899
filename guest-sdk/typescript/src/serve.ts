/**
 * The joint between the interface and the functions.
 *
 * Invariant: a function runs only under the name that it was described with, and reads the identity
 * of its own call only.
 */

import { nothing } from "./about.js";
import { Asked, suggestions } from "./completion.js";
import type { Component } from "./component.js";
import { Call, ToolContext } from "./context.js";
import { ToolError } from "./error.js";
import { outcome as toolOutcome } from "./output.js";
import type { Outside } from "./outside.js";
import { outcome as promptOutcome } from "./prompt.js";
import { outcome as resourceOutcome, page } from "./resource.js";
import { checkInput } from "./schema.js";
import type { Schema } from "./standard.js";
import { expand } from "./template.js";
import { read, type Texts } from "./texts.js";
import type { completion, prompts, resources, tools, types } from "./wit.js";

/** Runs the tool of that name. */
export function callTool(
  { tools }: Component,
  outside: Outside,
  name: string,
  context: types.Context,
): tools.Outcome {
  const tool = tools.find(({ definition }) => definition.name === name);
  if (tool === undefined) {
    throw ToolError.notFound(`no tool \`${name}\` in this component`);
  }
  const { input = nothing, services = [], output } = tool.definition;
  const checked = checkInput(input, JSON.parse(context.input));
  return toolOutcome(tool.run(new ToolContext(outside, services, context, checked)), output);
}

/** Reads the resource of that URI in its definition. */
export function readResource(
  component: Component,
  outside: Outside,
  uri: string,
  context: types.Context,
): resources.Outcome {
  const resource = resourceOf(component, uri);
  const { services = [], mimeType, variables } = resource.definition;
  const texts = JSON.parse(context.input) as Texts;
  const checked = textsAs(texts, variables);
  const value = resource.run(new ToolContext(outside, services, context, checked));
  return resourceOutcome(value, expand(uri, texts), mimeType);
}

/** Lists the members of a family. */
export function listMembers(
  component: Component,
  outside: Outside,
  family: string,
  context: types.Context,
): resources.Page {
  const { members, services = [] } = resourceOf(component, family).definition;
  if (members === undefined) {
    return { items: [] };
  }
  const { cursor } = JSON.parse(context.input) as { cursor?: string };
  return page(family, members(new Call(outside, services, context), cursor));
}

/** Makes the messages of the prompt of that name. */
export function getPrompt(
  component: Component,
  outside: Outside,
  name: string,
  context: types.Context,
): prompts.Outcome {
  const prompt = component.prompts.find(({ definition }) => definition.name === name);
  if (prompt === undefined) {
    throw ToolError.notFound(`no prompt \`${name}\` in this component`);
  }
  const { input = nothing, services = [] } = prompt.definition;
  const checked = textsAs(JSON.parse(context.input) as Texts, input);
  return promptOutcome(prompt.run(new ToolContext(outside, services, context, checked)));
}

/** Suggests values; none for an argument without a function. */
export function complete(
  component: Component,
  outside: Outside,
  of: completion.Reference,
  argument: string,
  value: string,
  context: types.Context,
): completion.Suggestions {
  const described = [...component.prompts, ...component.resources].find(({ kind, definition }) =>
    kind === "prompt"
      ? of.tag === "prompt" && of.val === definition.name
      : of.tag === "family" && of.val === (definition as { uri?: string }).uri,
  );
  const completers = described?.definition.complete as Completers | undefined;
  const suggest = completers?.[argument];
  if (described === undefined || suggest === undefined) {
    return suggestions([]);
  }
  const asked = new Asked(value, JSON.parse(context.input) as Texts);
  return suggestions(
    suggest(new Call(outside, described.definition.services ?? [], context), asked),
  );
}

type Completers = {
  readonly [argument: string]: (call: Call, asked: Asked) => Parameters<typeof suggestions>[0];
};

function resourceOf({ resources }: Component, uri: string): Component["resources"][number] {
  const resource = resources.find(({ definition }) => definition.uri === uri);
  if (resource === undefined) {
    throw ToolError.notFound(`no resource \`${uri}\` in this component`);
  }
  return resource;
}

function textsAs(texts: Texts, schema: Schema | undefined): unknown {
  return schema === undefined ? texts : checkInput(schema, read(texts, schema));
}
