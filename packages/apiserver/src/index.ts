/**
 * The API server: every verb of the API over HTTP/1.1 and HTTP/2, and without either for components in the same process.
 * A request is a straight line: authenticate, authorize, route, decode, default, admit, validate, commit, encode.
 */
export * from "./contracts.ts";
export type { Listener, ListenOptions } from "./http/listener.ts";
export { type ApiServer, type ApiServerOptions, createApiServer } from "./server.ts";
export * from "./standard-parts.ts";
export type { StorageHooks } from "./storage/storage-hooks.ts";
export type { StorageTable } from "./storage/storage-table.ts";
