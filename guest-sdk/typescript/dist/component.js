/** All that a component offers. */
/**
 * Makes a component. The entry module exports it as its default:
 * `export default component({ tools: [getOrderStatus] });`
 */
export function component(parts) {
    return {
        tools: (parts.tools ?? []),
        resources: (parts.resources ?? []),
        prompts: (parts.prompts ?? []),
    };
}
