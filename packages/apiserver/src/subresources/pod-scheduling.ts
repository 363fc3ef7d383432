import { type Pod, Pods, refusals } from "@skiff/api";
import type { ResourceTable, SubresourceHandler } from "../contracts.ts";
import { refOf, resourceRequest } from "./object-handler.ts";

/** Tells why a pod is where it is, or has no node; `undefined`: nobody here knows. */
export type SchedulingSource = (pod: Pod) => object | undefined;

/**
 * `pods/scheduling`: the scheduler's last decision about a pod, node by node. Not one of Kubernetes' own subresources: it is in no
 * discovery document, and needs the right to `get` it.
 */
export const podScheduling = (table: ResourceTable, source: SchedulingSource): SubresourceHandler => ({
  unlisted: true,
  async handle(exchange, info) {
    const request = resourceRequest(info);
    const { namespace = "", name } = { namespace: request.namespace, ...refOf(request) };
    const value = source(await table.of(Pods).get({ namespace, name }));
    if (value === undefined) throw refusals.unavailable("the scheduler runs in another server, or has not started yet");
    exchange.respond({ status: 200, contentType: "application/json", body: JSON.stringify(value) });
  },
});
