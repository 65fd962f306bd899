/** The caller of a test, unless it says otherwise. */
/** Returns a user `user_1` of tenant `acme`. */
export function sampleIdentity() {
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
