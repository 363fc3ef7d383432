/** The way to the API: one typed client over two transports, caches that stay current, events, leader election. */
export * from "./client.ts";
export * from "./events.ts";
export * from "./informer.ts";
