/**
 * The host as a call reaches it. `wasm/host.ts` implements it for a component, `testing.ts` for
 * tests.
 *
 * Invariant: nothing here takes a user, a tenant, a token or an address.
 */
export {};
