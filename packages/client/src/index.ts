/** The way to the API: one typed client over two transports, caches that stay current, events, leader election. */
export * from "./client.ts";
export { createClient } from "./create-client.ts";
export { createEventRecorder, type EventRecorderOptions } from "./events/create-event-recorder.ts";
export * from "./events.ts";
export { type HttpsTransportOptions, httpsTransport } from "./https/https-transport.ts";
export * from "./informer.ts";
export { createInformers } from "./informers/create-informers.ts";
export { type LeaderElectionOptions, whileLeading } from "./leader-election.ts";
export { type ClusterAccess, KubeconfigError, loadKubeconfig } from "./load-kubeconfig.ts";
