/** What an operator lets a tool ask of services, in the words of the configuration. */
import { pathOf, textOf } from "./sent.js";
/** Returns true if a template, such as `GET /orders/{}?status={}`, allows a request. */
export function allows(template, request) {
    const parts = /^(GET|HEAD|POST|PUT|PATCH|DELETE) (\/[^?]*)(?:\?(.*))?$/.exec(template);
    if (parts === null) {
        throw new Error(`${JSON.stringify(template)}: expected a template, such as GET /orders/{}`);
    }
    const [, method, path = "", query] = parts;
    return (request.method === method &&
        pattern(path).test(pathOf(request)) &&
        allowsQuery(query === undefined ? [] : query.split("&"), request));
}
/** A fixed value is there once; another may be left out; no other key is there. */
function allowsQuery(templates, { query }) {
    const known = templates.map((each) => /^([^=]*)=?(.*)$/.exec(each)?.slice(1) ?? []);
    const fits = known.every(([key, value = ""]) => {
        const given = query.filter(([name]) => name === key).map(([, part]) => textOf(part));
        const count = value === "{}" ? given.length <= 1 : given.length === 1;
        return count && given.every((text) => pattern(value, "*").test(text));
    });
    return fits && query.every(([name]) => known.some(([key]) => key === name));
}
/** No text of a tool has a brace: it is percent-encoded. So it cannot pass for the actor's. */
function pattern(template, chosen = "+") {
    const source = template.split(/(\{[^}]*\})/).map((piece) => {
        if (piece === "{}")
            return `[^/{}]${chosen}`;
        if (piece === "{actor.iss}")
            return "\\{actor\\.issuer\\}";
        if (piece === "{**}")
            return "[^/{}]+(?:/[^/{}]+)*";
        return piece.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
    });
    return new RegExp(`^${source.join("")}$`);
}
