/** Imports of what does nothing without a network, which would fail only when a tool is called. */

import type { Plugin } from "esbuild";

/** What to do without a network. */
export const NO_NETWORK =
  "a component has no network: list the service in `services`, and ask `services.NAME`";

/** The modules of Node for it. */
export const OF_NODE = /^(?:node:)?(?:https?|http2|net|tls|dgram|dns)(?:\/|$)/;

/** Packages for it that authors reach for. */
const CLIENTS = new RegExp(
  `^(?:${[
    ...["axios", "cross-fetch", "got", "graphql-request", "isomorphic-fetch", "ky", "needle"],
    ...["node-fetch", "ofetch", "request", "socket\\.io-client", "superagent", "undici", "ws"],
  ].join("|")})(?:/|$)`,
);

/** Refuses such an import in the author's own files; packages often have another use without it. */
export const withoutNetwork: Plugin = {
  name: "without-network",
  setup(build) {
    for (const filter of [OF_NODE, CLIENTS]) {
      build.onResolve({ filter }, ({ path, importer }) =>
        /node_modules/.test(importer)
          ? undefined
          : { errors: [{ text: `${JSON.stringify(path)}: ${NO_NETWORK}` }] },
      );
    }
  },
};
