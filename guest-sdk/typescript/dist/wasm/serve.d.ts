/** The exports of a component. The build writes an entry that calls {@link serve}. */
import type { Component } from "../component.js";
import type { Described } from "../describe.js";
import type { completion, types } from "../wit.js";
/** Returns what each interface exports; the entry exports those that the component has. */
export declare function serve(component: Component, definitions: Described, wide: (size: number) => unknown): {
    tools: {
        describe: () => import("../wit.js").tools.Definition[];
        call: (name: string, context: types.Context) => import("../wit.js").tools.Outcome;
    };
    resources: {
        describe: () => import("../wit.js").resources.Definition[];
        read: (uri: string, context: types.Context) => import("../wit.js").resources.Outcome;
        members: (family: string, context: types.Context) => {
            items: {
                uri: string;
                name: string;
                title?: string | null | undefined;
                description?: string | null | undefined;
                meta?: string | null | undefined;
                size: unknown;
            }[];
            next: string | null | undefined;
        };
    };
    prompts: {
        describe: () => import("../wit.js").prompts.Definition[];
        get: (name: string, context: types.Context) => import("../wit.js").prompts.Outcome;
    };
    completion: {
        complete: (reference: completion.Reference, argument: string, value: string, context: types.Context) => {
            values: string[];
            more: boolean;
            total: unknown;
        };
    };
    facets: {
        describe: () => [import("../wit.js").facets.Subject, [string, string][]][];
    };
};
