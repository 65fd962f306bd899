/**
 * The identity of this call: the Execution Identity Envelope, one question at a time.
 *
 * The host has fixed the envelope before the call starts, and signs it. A component can show it,
 * not change it. Outside a call (in `describe`, for example) these functions trap.
 */
export declare namespace identity {
    /** The kind of an actor. */
    type ActorKind = 
    /** A person, named by the identity provider. */
    "user"
    /** A service account that acts for itself. */
     | "service"
    /** A kind that this version has no name for. */
     | "other";
    /** The principal that initiated the request: always the pair (`iss`, `sub`). */
    interface Principal {
        /** User or service. */
        kind: ActorKind;
        /** The subject, unique within `iss`. */
        sub: string;
        /** The issuer of the token that named the subject. */
        iss: string;
        /** The tenant, if the issuer or the operator names one. */
        tenant?: string | null | undefined;
    }
    /** The actor's login, as far as the token describes it (OpenID Connect Core 1.0, section 2). */
    interface Login {
        /** Authentication context class. */
        acr?: string | null | undefined;
        /** The time of the login, in seconds since 1970-01-01 UTC. */
        authTime?: number | bigint | null | undefined;
    }
    /** An earlier actor of a delegation chain (RFC 8693, section 4.1). */
    interface PriorActor {
        /** The subject of the earlier actor. */
        sub: string;
        /** Its issuer, if the token names it. */
        iss?: string | null | undefined;
    }
    /**
     * The agent that executes for the actor: the authenticated client, never a client's
     * description of itself.
     */
    interface Executor {
        /** The kind of agent: `mcp_agent`. */
        kind: string;
        /** The agent's identifier, from the token. */
        id: string;
        /** The OAuth client. */
        clientId: string;
        /** Earlier actors, outermost first. */
        priorActors: PriorActor[];
    }
    /** The session of the call. For correlation only, never an input to a decision. */
    interface Correlation {
        /** Identifier of the session or authorization. */
        id: string;
        /** The source of `id`: `sid`, `jti` or `token`. */
        source: string;
        /** W3C trace id, 32 hexadecimal digits. */
        traceId: string;
    }
    /** The authority on which a service is called. */
    type DelegationMode = 
    /** The host's own identity. */
    "service-identity"
    /** For the user, by token exchange that names the host as actor (RFC 8693). */
     | "on-behalf-of"
    /** As the user, with a re-issued token restricted to one service. */
     | "restricted-user"
    /** A mode that this version has no name for. */
     | "other";
    /** A service that this call may reach. */
    interface Service {
        /** Its name, as the operator gave it. */
        name: string;
        /** The authority on which the host calls it. */
        mode: DelegationMode;
    }
    /** The values that bind the envelope to one call. */
    interface Binding {
        /** Identifier of this call, unique. */
        id: string;
        /** The kind of target: `tool`. Later versions add words. */
        kind: string;
        /** Its name, such as the tool's. */
        name: string;
        /** `sha256:` and the digest of the component that runs. */
        component: string;
        /** `hmac-sha256:` and a keyed hash of the arguments. */
        arguments: string;
    }
}
/** Requests to the services that the operator granted. The host makes them. */
export declare namespace downstream {
    /** A piece of a path segment or of a query value. */
    type Piece = 
    /** Text. The host percent-encodes it. */
    {
        tag: "text";
        val: string;
    }
    /** The subject of this call's actor, filled in by the host. */
     | {
        tag: "actor-sub";
    }
    /**
     * The tenant of this call's actor, filled in by the host; without one, the request is
     * refused.
     */
     | {
        tag: "actor-tenant";
    }
    /**
     * The issuer of this call's actor, filled in by the host. It is a URL, so it fits into a
     * query value but not into a path.
     */
     | {
        tag: "actor-issuer";
    };
    /**
     * A path segment or a query value.
     *
     * One segment stays one segment: after joining and filling in, a segment is never empty, `.`
     * or `..`, and never has `/`, `\` or a control character.
     */
    type Part = 
    /** Text. The host percent-encodes it. */
    {
        tag: "text";
        val: string;
    }
    /** The subject of this call's actor, filled in by the host. */
     | {
        tag: "actor-sub";
    }
    /**
     * The tenant of this call's actor, filled in by the host; without one, the request is
     * refused.
     */
     | {
        tag: "actor-tenant";
    }
    /**
     * The issuer of this call's actor, filled in by the host. It is a URL, so it fits into a
     * query value but not into a path.
     */
     | {
        tag: "actor-issuer";
    }
    /**
     * Several pieces, joined without anything between them. The host encodes each by itself.
     * For `/v1/{name}:cancel` the second segment is `[text("op-7"), text(":cancel")]`.
     */
     | {
        tag: "joined";
        val: Piece[];
    };
    /**
     * One request to a service. It has no URL: it names the service, and the operator configures
     * the address.
     *
     * A tool of a remote MCP server is called with the method `tools/call`, the tool's name as the
     * one part of the path, and its arguments, one JSON object, as the body.
     */
    interface Request {
        /** Name of the service. */
        service: string;
        /** `GET`, `HEAD`, `POST`, `PUT`, `PATCH`, `DELETE` or `tools/call`. */
        method: string;
        /**
         * The path below the service's base URL, one part per segment. A last part that joins
         * nothing, `joined([])`, is a slash at the end (`/pods/`): only a template that ends with
         * a slash covers it, and no text becomes one.
         */
        path: Part[];
        /** Query parameters, in order. A key may come again where the operator's template lets it. */
        query: [string, Part][];
        /**
         * Headers, only with names on the host's list. Credentials and identity headers are
         * refused.
         */
        headers: [string, string][];
        /** The body; empty for none. */
        body: Uint8Array;
    }
    /**
     * An HTTP response, whatever its status, stripped of credentials. The host follows no
     * redirects.
     *
     * The body that a remote tool gives is a JSON object with `result` or `error`, as JSON-RPC has
     * them; it is empty if the server gave neither, and then the status says why.
     */
    interface Response {
        /** HTTP status, 200 to 599. */
        status: number;
        /** Headers; names in lower case. */
        headers: [string, string][];
        /** The complete body. */
        body: Uint8Array;
    }
    /** The reasons for having no HTTP response. */
    type Error = 
    /** No service of that name is granted. */
    {
        tag: "unknown-service";
    }
    /**
     * The grant does not cover this request; then the text lists the requests that it covers.
     * Or a rule of the operator's `deny` refuses it: `the operator's rule NAME denies it`, and
     * why, if its condition cannot be evaluated. Or the operator's policy point denies it, or
     * gives no decision about it. Or the remote tool is not defined as the operator accepted
     * it.
     */
     | {
        tag: "not-granted";
        val: string;
    }
    /** The request is malformed. The text names the fault. */
     | {
        tag: "invalid-request";
        val: string;
    }
    /** The mode needs a user's token that this call does not have. */
     | {
        tag: "identity-unavailable";
    }
    /** The user must consent first. The text is a URL or a hint. */
     | {
        tag: "consent-required";
        val: string;
    }
    /** The authorization server did not grant these scopes. */
     | {
        tag: "scope-denied";
        val: string[];
    }
    /**
     * The authorization server refused, or the issued token did not pass verification. Also if
     * the response to a GET or HEAD repeats a credential.
     */
     | {
        tag: "credential-refused";
        val: string;
    }
    /** The service or its authorization server cannot be reached. Nothing was changed. */
     | {
        tag: "unavailable";
        val: string;
    }
    /** There was no response within the deadline. Nothing was changed. */
     | {
        tag: "timed-out";
    }
    /**
     * The response to a GET or HEAD is larger than the limit, or than what is left for this
     * call.
     */
     | {
        tag: "too-large";
    }
    /** This call has used up its requests or bytes. */
     | {
        tag: "quota-exhausted";
    }
    /**
     * The request may have changed something, and there is no response that the component may
     * see: none came, or it was too large, repeated a credential, or could not be recorded. Ask
     * the service before sending the request again.
     */
     | {
        tag: "unknown-outcome";
    }
    /** Any other reason. */
     | {
        tag: "other";
        val: string;
    };
}
/**
 * Log lines for the operator. The host bounds their number and length; it drops and counts the
 * rest.
 */
export declare namespace log {
    /** The importance of a line. */
    type Level = 
    /** A failure. */
    "error"
    /** Something unusual. */
     | "warn"
    /** An event. */
     | "info"
    /** A detail for the tool's author. */
     | "debug";
}
/**
 * The client of this call: what it speaks, what it can do, and messages to it.
 *
 * A client reports this about itself, so nothing here says who calls. Outside a call these
 * functions trap.
 */
export declare namespace client {
    /** The severity of a message (RFC 5424 §6.2.1), the least first. */
    type Severity = 
    /** A detail. */
    "debug"
    /** An event. */
     | "info"
    /** An event worth a look. */
     | "notice"
    /** Something unusual. */
     | "warning"
    /** A failure. */
     | "error"
    /** A failure of a part. */
     | "critical"
    /** Someone must act at once. */
     | "alert"
    /** Nothing works. */
     | "emergency";
}
/** The types that exports share. It has no functions, and every component imports it. */
export declare namespace types {
    /** The input of a call. `identity` reports on whose behalf it runs. */
    interface Context {
        /** The arguments as a JSON object. Those of a tool are valid against its input schema. */
        input: string;
        /** Answers to the questions of an earlier `input-required`: key and JSON. */
        answers: [string, string][];
        /** The state of an earlier `input-required`, unchanged. */
        state?: Uint8Array | null | undefined;
    }
    /** Text for the model or the user. */
    interface TextContent {
        /** The text. */
        text: string;
        /** Further metadata, as a JSON object. */
        meta?: string | null | undefined;
    }
    /** Binary data with a type. */
    interface MediaContent {
        /** The bytes. */
        data: Uint8Array;
        /** The media type, such as `image/png`. */
        mimeType: string;
        /** Further metadata, as a JSON object. */
        meta?: string | null | undefined;
    }
    /** A pointer to a resource. */
    interface ResourceLink {
        /** The resource's URI. */
        uri: string;
        /** Its name. */
        name: string;
        /** A description of the resource. */
        description?: string | null | undefined;
        /** Its media type. */
        mimeType?: string | null | undefined;
        /** Further metadata, as a JSON object. */
        meta?: string | null | undefined;
    }
    /** The text or the bytes of a resource. */
    type ResourceBody = 
    /** Text. */
    {
        tag: "text";
        val: string;
    }
    /** Bytes. */
     | {
        tag: "blob";
        val: Uint8Array;
    };
    /** A resource with its content. */
    interface EmbeddedResource {
        /** The resource's URI. */
        uri: string;
        /** Its media type. */
        mimeType?: string | null | undefined;
        /** Its content. */
        body: ResourceBody;
        /** Further metadata, as a JSON object. */
        meta?: string | null | undefined;
    }
    /** One item of a result. */
    type Content = 
    /** Text. */
    {
        tag: "text";
        val: TextContent;
    }
    /** An image. */
     | {
        tag: "image";
        val: MediaContent;
    }
    /** A sound. */
     | {
        tag: "audio";
        val: MediaContent;
    }
    /** A pointer. */
     | {
        tag: "resource-link";
        val: ResourceLink;
    }
    /** A resource. */
     | {
        tag: "embedded-resource";
        val: EmbeddedResource;
    };
    /** The result of a call. */
    interface Output {
        /** The items that the model sees. */
        content: Content[];
        /** JSON, valid against the output schema. */
        structured?: string | null | undefined;
        /** True if the component did its work and the answer is "no". */
        isError: boolean;
        /** Further metadata, as a JSON object. */
        meta?: string | null | undefined;
    }
    /** A question to the user. */
    type Question = 
    /** A form: a message and a JSON Schema of flat, primitive properties. Never for secrets. */
    {
        tag: "form";
        val: [string, string];
    }
    /** A kind that the client knows, with JSON parameters. */
     | {
        tag: "other";
        val: [string, string];
    };
    /** Questions that must be answered before the call can go on. */
    interface InputRequest {
        /** Key and question. */
        questions: [string, Question][];
        /**
         * A state that comes back with the answers. The host seals it and binds it to this caller,
         * component, tool and arguments.
         */
        state?: Uint8Array | null | undefined;
    }
    /** A failure, in words that the caller may read. */
    type Error = 
    /** The arguments make no sense, in a way that the schema cannot express. */
    {
        tag: "invalid-input";
        val: string;
    }
    /** The caller may not have this. */
     | {
        tag: "forbidden";
        val: string;
    }
    /** The requested thing does not exist. */
     | {
        tag: "not-found";
        val: string;
    }
    /** The caller may try again later. */
     | {
        tag: "unavailable";
        val: string;
    }
    /** Any other failure. */
     | {
        tag: "failed";
        val: string;
    };
}
/** Export. Functions that a model calls. */
export declare namespace tools {
    type Context = types.Context;
    type Output = types.Output;
    type InputRequest = types.InputRequest;
    type Error = types.Error;
    /** Hints about a tool for clients (MCP tool annotations). */
    interface Annotations {
        /** Changes nothing. */
        readOnly?: boolean | null | undefined;
        /** May destroy something. */
        destructive?: boolean | null | undefined;
        /** Another call with the same arguments changes nothing more. */
        idempotent?: boolean | null | undefined;
        /** Reaches beyond the services of this host. */
        openWorld?: boolean | null | undefined;
    }
    /** One tool, as the client and the operator see it. */
    interface Definition {
        /** 1 to 64 characters of `[A-Za-z0-9_.-]`, unique in the host. */
        name: string;
        /** The title for people. */
        title?: string | null | undefined;
        /** The description for the model. */
        description: string;
        /** JSON Schema 2020-12 of the arguments: an object, closed. */
        inputSchema: string;
        /** JSON Schema 2020-12 of the structured result. */
        outputSchema?: string | null | undefined;
        /** Hints for clients. */
        annotations: Annotations;
        /** Scopes that the caller's token must have, all of them. */
        scopes: string[];
        /** Services that the tool asks for. The operator grants them. */
        services: string[];
        /** Further metadata, as a JSON object. */
        meta?: string | null | undefined;
    }
    /** The end of a call. */
    type Outcome = 
    /** The call is done. */
    {
        tag: "complete";
        val: Output;
    }
    /** The call needs answers to these questions first. */
     | {
        tag: "input-required";
        val: InputRequest;
    };
}
/** Optional export. Documents that clients read by URI. */
export declare namespace resources {
    type Context = types.Context;
    type EmbeddedResource = types.EmbeddedResource;
    type InputRequest = types.InputRequest;
    type Error = types.Error;
    /** A resource, or a family of resources. */
    interface Definition {
        /**
         * The URI. Its scheme is the component's name, or it is `ui` and its authority is that
         * name: `orders://terms`, `ui://orders/table.html`. A variable makes it a family, and
         * stands for one segment or a part of one (RFC 6570 level 1): `orders://orders/{id}`.
         */
        uri: string;
        /** The name for programs. */
        name: string;
        /** The title for people. */
        title?: string | null | undefined;
        /** The description for the model. */
        description?: string | null | undefined;
        /** The media type. */
        mimeType?: string | null | undefined;
        /** Scopes that the caller's token must have, all of them. */
        scopes: string[];
        /** Services that the resource asks for. The operator grants them. */
        services: string[];
        /** Further metadata, as a JSON object. */
        meta?: string | null | undefined;
    }
    /** One member of a family, for this caller. */
    interface Item {
        /** The URI, which the family's URI matches. */
        uri: string;
        /** The name for programs. */
        name: string;
        /** The title for people. */
        title?: string | null | undefined;
        /** The description for the model. */
        description?: string | null | undefined;
        /** Its size in bytes, if it is known. */
        size?: number | bigint | null | undefined;
        /** Further metadata, as a JSON object. */
        meta?: string | null | undefined;
    }
    /** A part of the members of a family. */
    interface Page {
        /** The members. */
        items: Item[];
        /** Where the next part begins, if there is one. It comes back as the member `cursor`. */
        next?: string | null | undefined;
    }
    /** The end of a reading. */
    type Outcome = 
    /** The contents: the resource, or the parts that it consists of. */
    {
        tag: "complete";
        val: EmbeddedResource[];
    }
    /** The reading needs answers to these questions first. */
     | {
        tag: "input-required";
        val: InputRequest;
    };
}
/** Optional export. Templates of messages that people choose. */
export declare namespace prompts {
    type Context = types.Context;
    type Content = types.Content;
    type InputRequest = types.InputRequest;
    type Error = types.Error;
    /** An argument of a prompt. Its value is a text. */
    interface Argument {
        /** The name for programs. */
        name: string;
        /** The title for people. */
        title?: string | null | undefined;
        /** The description for people. */
        description?: string | null | undefined;
        /** True if the prompt needs it. */
        required: boolean;
    }
    /** One prompt, as the client and the operator see it. */
    interface Definition {
        /** 1 to 64 characters of `[A-Za-z0-9_.-]`, unique among the prompts of the host. */
        name: string;
        /** The title for people. */
        title?: string | null | undefined;
        /** The description for people. */
        description: string;
        /** The arguments. */
        arguments: Argument[];
        /** Scopes that the caller's token must have, all of them. */
        scopes: string[];
        /** Services that the prompt asks for. The operator grants them. */
        services: string[];
        /** Further metadata, as a JSON object. */
        meta?: string | null | undefined;
    }
    /** The speaker of a message. */
    type Role = 
    /** The user. */
    "user"
    /** The model. */
     | "assistant";
    /** A message. */
    interface Message {
        /** Its speaker. */
        role: Role;
        /** Its content. */
        content: Content;
    }
    /** The messages of a prompt. */
    interface Prompt {
        /** A description of them. */
        description?: string | null | undefined;
        /** The messages. */
        messages: Message[];
        /** Further metadata, as a JSON object. */
        meta?: string | null | undefined;
    }
    /** The end of a call. */
    type Outcome = 
    /** The messages. */
    {
        tag: "complete";
        val: Prompt;
    }
    /** The prompt needs answers to these questions first. */
     | {
        tag: "input-required";
        val: InputRequest;
    };
}
/** Optional export. Suggestions for an argument of a prompt or a variable of a family of resources. */
export declare namespace completion {
    type Context = types.Context;
    type Error = types.Error;
    /** The prompt or the family. */
    type Reference = 
    /** The prompt of this name. */
    {
        tag: "prompt";
        val: string;
    }
    /** The family of resources of this URI. */
     | {
        tag: "family";
        val: string;
    }
    /** A kind that this version has no name for, and a name. */
     | {
        tag: "other";
        val: [string, string];
    };
    /** Values that begin as the user has typed. */
    interface Suggestions {
        /** The values, the best first; at most 100. */
        values: string[];
        /** The number of all values, if it is known. */
        total?: number | bigint | null | undefined;
        /** True if there are more values. */
        more: boolean;
    }
}
/**
 * Optional export. What a definition has no member for, as JSON by name: `icons` and `requires`
 * (client capabilities without which a call makes no sense, such as `["elicitation.form"]`). The
 * host leaves out names that it does not know; `inspect` shows them.
 */
export declare namespace facets {
    /** A thing that the component describes. */
    type Subject = 
    /** The tool of this name. */
    {
        tag: "tool";
        val: string;
    }
    /** The prompt of this name. */
     | {
        tag: "prompt";
        val: string;
    }
    /** The resource or family of this URI. */
     | {
        tag: "resource";
        val: string;
    };
}
