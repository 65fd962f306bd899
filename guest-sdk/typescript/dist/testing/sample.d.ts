/** The caller of a test, unless it says otherwise. */
import type { Binding, Correlation, Executor, GrantedService, Login, Principal } from "../identity.js";
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
export declare function sampleIdentity(): SceneIdentity;
