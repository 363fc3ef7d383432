import { text } from "node:stream/consumers";
import type { Clock } from "@skiff/base";
import type { NodeConnector } from "../subresources/node-connector.ts";
import { send } from "../subresources/pass-request.ts";
import { parseUsage } from "./parse-usage.ts";
import type { UsageSource } from "./usage.ts";

/** What kubelets tell at `/metrics/resource`. */
export const kubeletUsage = (nodes: NodeConnector, clock: Clock): UsageSource => ({
  async usage(nodeName, signal) {
    const place = await nodes.connect(nodeName);
    const target = { ...place, path: "/metrics/resource" };
    const { status, message } = await send(target, { method: "GET", headers: {}, body: undefined, signal });
    const body = await text(message);
    if (status !== 200) throw new Error(`the kubelet of ${nodeName} answered with ${status}`);
    return parseUsage(body, clock.now());
  },
});
