/** Documents that clients read by URI. */
import type { About } from "./about.js";
import type { Completer } from "./completion.js";
import { type Body } from "./content.js";
import type { Call, ToolContext } from "./context.js";
import { Questions } from "./questions.js";
import type { InferOutput, JsonObject, Schema } from "./standard.js";
import { type Variables } from "./template.js";
import type { resources } from "./wit.js";
/** What a resource, or a family of them, says about itself. */
export interface ResourceDefinition<Uri extends string, Names extends string, In extends Schema> extends About<Names> {
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
    readonly members?: (call: Call<Names>, cursor: string | undefined) => readonly Member<Uri>[] | Page<Uri>;
    /** Functions that suggest values for variables. */
    readonly complete?: {
        readonly [Name in Variables<Uri>]?: Completer<Names>;
    };
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
export declare class Contents {
    /** The body that has the URI that was asked for, if there is one. */
    readonly body: Body | undefined;
    /** What belongs to it; the media type is the definition's unless given. */
    readonly more: {
        readonly mimeType?: string;
        readonly meta?: JsonObject;
        readonly parts?: readonly ContentsPart[];
    };
    constructor(
    /** The body that has the URI that was asked for, if there is one. */
    body: Body | undefined, 
    /** What belongs to it; the media type is the definition's unless given. */
    more?: {
        readonly mimeType?: string;
        readonly meta?: JsonObject;
        readonly parts?: readonly ContentsPart[];
    });
    /** Makes contents of a value, as JSON. */
    static json(value: unknown): Contents;
}
/** What the variables of a URI are without a schema. */
export type TextVariables<Uri extends string> = Schema<{
    readonly [Name in Variables<Uri>]: string;
}>;
/**
 * Makes a resource, or a family of them, of a definition and a function. The function returns a
 * text, bytes, {@link Contents} or {@link Questions}.
 */
export declare function resource<const Uri extends string, const Names extends string = never, In extends Schema = TextVariables<Uri>>(definition: ResourceDefinition<Uri, Names, In>, run: (context: ToolContext<InferOutput<In>, Names>) => Body | Contents | Questions): Resource<Uri, In>;
/** Returns the outcome of reading. */
export declare function outcome(value: unknown, uri: string, mimeType: string | undefined): resources.Outcome;
/** Returns a page as the interface has it. */
export declare function page(uri: string, given: readonly Member[] | Page): resources.Page;
