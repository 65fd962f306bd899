// Made of envelope.schema.json by `cargo test -p bailiwick-envelope`. A value of this type
// is not thereby genuine: verify its signature.

/** Who asked, who executes, what is allowed, how services are reached, and which call it belongs to. Signed by a Bailiwick host. A document that validates is not thereby genuine: verify its signature. */
export interface Envelope {
  actor: Actor;
  agent: Agent;
  authorization: Authorization;
  call: CallBinding;
  delegation: Delegation;
  meta: Meta;
  session: Session;
}

/** Who initiated the request. A principal is always the pair of `iss` and `sub`. */
export interface Actor {
  /** Authentication context class of the login (OpenID Connect Core 1.0 §2), if known. */
  acr?: Name;
  /** When the user logged in, if known. */
  auth_time?: Seconds;
  /** The issuer of the token that named the subject. */
  iss: Name;
  /** The subject, unique within `iss`. */
  sub: Name;
  /** The tenant, if the issuer or the operator names one. */
  tenant?: Name;
  /** A person, or a service account that acts for itself. */
  type: "user" | "service";
}

/** Who executes for the actor: the authenticated client. */
export interface Agent {
  /** The OAuth client. */
  client_id: Name;
  /** The agent's identifier, from the token. */
  id: Name;
  /** Earlier actors, outermost first (RFC 8693 §4.1); left out when there are none. */
  prior?: PriorActor[];
  /** Kind of agent, `mcp_agent`. */
  type: Name;
}

/** What the actor may do in this call. */
export interface Authorization {
  /** The token's scopes, narrowed to what the call requires. */
  scopes: Scope[];
}

/** What the envelope is bound to. */
export interface CallBinding {
  /** `hmac-sha256:` and a keyed hash of the arguments. */
  arguments: Name;
  /** `sha256:` and the digest of the component that runs. */
  component: Name;
  /** Identifier of the call, unique. */
  id: Name;
  /** What is called. */
  kind: "tool" | "resource" | "prompt" | "completion";
  /** Its name, such as the tool's. */
  name: Name;
}

/** How services are reached in this call. `mode` is the one mode of all services, `service_identity` without services, and `per_service` if they differ. */
export interface Delegation {
  /** The modes in one word. */
  mode: "service_identity" | "on_behalf_of" | "restricted_user" | "per_service";
  /** The mode of each service that the call may reach. No other service can be reached. */
  modes: { [name: string]: DelegationMode };
}

/** On whose authority a service is called: the host's own identity; for the user, by token exchange that names the host as actor; as the user, with a re-issued token for one service. */
export type DelegationMode = "service_identity" | "on_behalf_of" | "restricted_user";

/** When and by whom the envelope was signed. */
export interface Meta {
  /** From when it is valid. */
  created_at: Seconds;
  /** Until when it is valid; at most 300 seconds later. */
  expires_at: Seconds;
  /** The signing key, published at the host's `/.well-known/jwks.json`. */
  kid: string;
  /** Ed25519 over `bailiwick-envelope-v1`, a zero byte and the RFC 8785 form without this member; base64url. */
  signature: string;
}

/** A text that is not empty and not long, and that no other text looks like. */
export type Name = string;

/** An earlier actor of a delegation chain. History, never authority. */
export interface PriorActor {
  /** Its issuer, if the token names it. */
  iss?: Name;
  /** The subject of the earlier actor. */
  sub: Name;
}

/** A scope token (RFC 6749 §3.3). */
export type Scope = string;

/** Seconds since 1970-01-01 UTC. */
export type Seconds = number;

/** What the call belongs to. For correlation only. */
export interface Session {
  /** Identifier of the session or authorization. */
  id: Name;
  /** Where `id` comes from: `sid`, `jti` or `token`. */
  source: Name;
  /** W3C trace id, 32 hexadecimal digits. */
  trace_id: Name;
}
