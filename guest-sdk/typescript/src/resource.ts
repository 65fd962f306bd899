/** Documents that clients read by URI. */

import type { About } from "./about.js";
import type { Completer } from "./completion.js";
import { type Body, resourceBody } from "./content.js";
import type { Call, ToolContext } from "./context.js";
import { refusePromise } from "./output.js";
import { Questions } from "./questions.js";
import type { InferOutput, JsonObject, Schema } from "./standard.js";
import { expand, type Variables } from "./template.js";
import type { resources, types } from "./wit.js";

/** What a resource, or a family of them, says about itself. */
export interface ResourceDefinition<
  Uri extends string,
  Names extends string,
  In extends Schema,
> extends About<Names> {
  /**
   * The URI. Its scheme is the component's name, or it is `ui` and its authority is that name. A
   * variable makes it that of a family, and stands for one segment or a part of one:
   * `orders://orders/{id}`.
   */
  readonly uri: Uri;
  /** What the model reads. */
  readonly description?: string;
  /** The media type. */
  readonly mimeType?: string;
  /** A schema with a member for each variable; without it they are texts. */
  readonly variables?: In;
  /** Lists the members of a family that the caller may see. */
  readonly members?: (
    call: Call<Names>,
    cursor: string | undefined,
  ) => readonly Member<Uri>[] | Page<Uri>;
  /** Functions that suggest values for variables. */
  readonly complete?: { readonly [Name in Variables<Uri>]?: Completer<Names> };
}

/** A resource, or a family of them. */
export interface Resource<Uri extends string = string, In extends Schema = Schema> {
  readonly kind: "resource";
  readonly definition: ResourceDefinition<Uri, string, In>;
  /** Returns the URI of a member, with the values percent-encoded. */
  uriOf(variables: Values<Uri>): string;
  /** Runs the function. In tests, use `Scene.read`. */
  run(context: ToolContext<InferOutput<In>>): unknown;
}

/** The values of the variables of a URI. */
export type Values<Uri extends string> = {
  readonly [Name in Variables<Uri>]: string | number | boolean;
};

/** One member of a family. */
export interface Member<Uri extends string = string> {
  /** The variables, which make its URI. */
  readonly variables: Values<Uri>;
  /** The name for programs. */
  readonly name: string;
  /** The title for people. */
  readonly title?: string;
  /** What the model reads. */
  readonly description?: string;
  /** Its size in bytes. */
  readonly size?: number;
  /** Further metadata for the client. */
  readonly meta?: JsonObject;
}

/** A part of the members of a family. */
export interface Page<Uri extends string = string> {
  readonly members: readonly Member<Uri>[];
  /** Where the next part begins. `members` is called again with it. */
  readonly next?: string;
}

/** A part of contents, with a URI of its own. */
export interface ContentsPart {
  readonly uri: string;
  readonly mimeType?: string;
  readonly body: Body;
  readonly meta?: JsonObject;
}

/** The contents of a resource that are more than one text or some bytes. */
export class Contents {
  constructor(
    /** The body that has the URI that was asked for, if there is one. */
    readonly body: Body | undefined,
    /** What belongs to it; the media type is the definition's unless given. */
    readonly more: {
      readonly mimeType?: string;
      readonly meta?: JsonObject;
      readonly parts?: readonly ContentsPart[];
    } = {},
  ) {}

  /** Makes contents of a value, as JSON. */
  static json(value: unknown): Contents {
    return new Contents(JSON.stringify(value), { mimeType: "application/json" });
  }
}

/** What the variables of a URI are without a schema. */
export type TextVariables<Uri extends string> = Schema<{
  readonly [Name in Variables<Uri>]: string;
}>;

/**
 * Makes a resource, or a family of them, of a definition and a function. The function returns a
 * text, bytes, {@link Contents} or {@link Questions}.
 */
export function resource<
  const Uri extends string,
  const Names extends string = never,
  In extends Schema = TextVariables<Uri>,
>(
  definition: ResourceDefinition<Uri, Names, In>,
  run: (context: ToolContext<InferOutput<In>, Names>) => Body | Contents | Questions,
): Resource<Uri, In> {
  const uriOf = (values: Record<string, unknown>) => expand(definition.uri, values);
  return { kind: "resource", definition, uriOf, run } as unknown as Resource<Uri, In>;
}

/** Returns the outcome of reading. */
export function outcome(
  value: unknown,
  uri: string,
  mimeType: string | undefined,
): resources.Outcome {
  refusePromise(value);
  if (value instanceof Questions) {
    return { tag: "input-required", val: value.toWire() };
  }
  const contents = value instanceof Contents ? value : new Contents(value as Body);
  const { body, more } = contents;
  const whole: ContentsPart[] =
    body === undefined ? [] : [{ uri, mimeType, ...more, body } as ContentsPart];
  return { tag: "complete", val: [...whole, ...(more.parts ?? [])].map(embedded) };
}

/** Returns a page as the interface has it. */
export function page(uri: string, given: readonly Member[] | Page): resources.Page {
  refusePromise(given);
  const { members, next } = Array.isArray(given)
    ? { members: given as readonly Member[], next: undefined }
    : (given as Page);
  const items = members.map(({ variables, meta, ...member }) => ({
    ...member,
    uri: expand(uri, variables),
    meta: json(meta),
  }));
  return { items, next };
}

function embedded({ uri, mimeType, body, meta }: ContentsPart): types.EmbeddedResource {
  return { uri, mimeType, body: resourceBody(body), meta: json(meta) };
}

function json(meta: JsonObject | undefined): string | undefined {
  return meta === undefined ? undefined : JSON.stringify(meta);
}
