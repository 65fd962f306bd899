/** The caller of a test, unless it says otherwise. */

import type {
  Binding,
  Correlation,
  Executor,
  GrantedService,
  Login,
  Principal,
} from "../identity.js";

/** The host's answers about the call's identity. */
export interface SceneIdentity {
  actor: Principal;
  login: Login;
  agent: Executor;
  session: Correlation;
  scopes: readonly string[];
  services: readonly GrantedService[];
  binding: Binding;
}

/** Returns a user `user_1` of tenant `acme`. */
export function sampleIdentity(): SceneIdentity {
  return {
    actor: { kind: "user", sub: "user_1", iss: "https://idp.example", tenant: "acme" },
    login: {},
    agent: { kind: "mcp_agent", id: "agent_1", clientId: "agent_1", priorActors: [] },
    session: { id: "session_1", source: "sid", traceId: "0".repeat(32) },
    scopes: [],
    services: [],
    binding: {
      id: "call_1",
      kind: "tool",
      name: "test",
      component: `sha256:${"0".repeat(64)}`,
      arguments: `hmac-sha256:${"0".repeat(64)}`,
    },
  };
}
