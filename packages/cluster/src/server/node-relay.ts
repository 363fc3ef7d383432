import { request } from "node:https";
import { buffer } from "node:stream/consumers";
import { type Node, Nodes } from "@skiff/api";
import type { NodeConnector } from "@skiff/apiserver";
import { isAbort } from "@skiff/base";
import type { Informers } from "@skiff/client";
import { callRelay, type RelayAnswer } from "@skiff/csi";
import { GrpcStatus } from "@skiff/grpc";
import type { ControllerCalls } from "./csi-storage-driver.ts";

/** Longer than the node waits for its driver. */
const silenceMs = 130_000;

const isReady = ({ status }: Node): boolean =>
  status?.conditions?.some(({ type, status: is }) => type === "Ready" && is === "True") ?? false;

/**
 * The driver for volumes on the disk of another node, spoken to through that node's own server: it takes the API server's
 * certificate, so that nodes need no rights on claims, volumes and secrets of the cluster, and no port more.
 */
export function nodeRelay(
  nodeName: string,
  { nodes, informers }: { readonly nodes: NodeConnector; readonly informers: Informers },
): ControllerCalls {
  const post = async (path: string, message: Buffer, signal: AbortSignal): Promise<RelayAnswer> => {
    const node = informers.for(Nodes).get(nodeName);
    if (node === undefined) throw new GrpcStatus("UNAVAILABLE", `node ${nodeName} is gone, and with it its volumes`);
    // One that is down would be waited for long.
    if (!isReady(node)) throw new GrpcStatus("UNAVAILABLE", `node ${nodeName} is not ready`);
    const { host, port, tls } = await nodes.connect(nodeName);
    const { promise, resolve, reject } = Promise.withResolvers<RelayAnswer>();
    const headers = { "Content-Type": "application/protobuf", "Content-Length": message.length };
    const place = { host, port, path, method: "POST", headers, ...tls, agent: false };
    const sent = request({ ...place, signal, timeout: silenceMs }, (response) => {
      buffer(response).then((body) => {
        const type = response.headers["content-type"] ?? "";
        resolve({ code: response.statusCode ?? 502, type, body });
      }, reject);
    });
    sent.on("timeout", () => sent.destroy(new Error("it does not answer")));
    sent.on("error", reject);
    sent.end(message);
    return await promise.catch((error: unknown) => {
      if (isAbort(error, signal)) throw error;
      throw new GrpcStatus("UNAVAILABLE", `node ${nodeName} cannot be asked: ${String(error)}`, { cause: error });
    });
  };
  return {
    call: (method, message, signal) => callRelay(method, message, (path, bytes) => post(path, bytes, signal)),
  };
}
