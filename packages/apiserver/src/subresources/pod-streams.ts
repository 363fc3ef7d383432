import { Pods, refusals } from "@skiff/api";
import type { Exchange, ResourceTable, SubresourceHandler } from "../contracts.ts";
import { wantsUpgrade } from "./forwarded-headers.ts";
import type { NodeConnector } from "./node-connector.ts";
import { refOf, resourceRequest } from "./object-handler.ts";
import { passUpgrade } from "./pass-upgrade.ts";
import { containerOf, nodeOf } from "./pod-container.ts";

/** Parameters of the API and those of the kubelet's server, which says the same in other words. */
const streamParameters: readonly (readonly [api: string, kubelet: string])[] = [
  ["stdin", "input"],
  ["stdout", "output"],
  ["stderr", "error"],
  ["tty", "tty"],
];

const isTrue = (value: string | null): boolean => value === "true" || value === "1" || value === "";

/** The kubelet's query for an exec or attach. */
export function kubeletStreamQuery(query: URLSearchParams): URLSearchParams {
  const wanted = new URLSearchParams();
  for (const [api, kubelet] of streamParameters) if (isTrue(query.get(api))) wanted.set(kubelet, "1");
  for (const word of query.getAll("command")) wanted.append("command", word);
  return wanted;
}

const kubeletPortQuery = (query: URLSearchParams): URLSearchParams => {
  const wanted = new URLSearchParams();
  for (const ports of query.getAll("ports")) for (const port of ports.split(",")) wanted.append("port", port);
  return wanted;
};

function checkStreams({ query }: Exchange): void {
  const wants = (name: string) => isTrue(query.get(name));
  if (!wants("stdin") && !wants("stdout") && !wants("stderr")) {
    throw refusals.badRequest("you must specify at least one of stdin, stdout, stderr");
  }
  if (wants("tty") && wants("stderr")) throw refusals.badRequest("tty and stderr cannot both be true");
}

type Kind = "exec" | "attach" | "portForward";

/** `pods/exec`, `pods/attach`, `pods/portforward`: the client's connection is joined to one with the node. */
export function podStreams(table: ResourceTable, nodes: NodeConnector): ReadonlyMap<string, SubresourceHandler> {
  const handler = (kind: Kind): SubresourceHandler => ({
    async handle(exchange, info) {
      const request = resourceRequest(info);
      const { namespace = "", name } = { namespace: request.namespace, ...refOf(request) };
      const pod = await table.of(Pods).get({ namespace, name });
      if (kind === "exec" && exchange.query.getAll("command").length === 0) {
        throw refusals.badRequest("you must specify at least 1 command");
      }
      if (kind !== "portForward") checkStreams(exchange);
      const container = kind === "portForward" ? "" : `/${containerOf(pod, exchange.query.get("container"))}`;
      const query = kind === "portForward" ? kubeletPortQuery(exchange.query) : kubeletStreamQuery(exchange.query);
      const node = nodeOf(pod);
      if (!wantsUpgrade(exchange)) throw refusals.badRequest("Upgrade request required");
      const { host, port, tls } = await nodes.connect(node);
      const asked = query.size === 0 ? "" : `?${query}`;
      const path = `/${kind}/${namespace}/${name}${container}${asked}`;
      await passUpgrade(exchange, { host, port, tls, path });
    },
  });
  return new Map([
    ["pods/exec", handler("exec")],
    ["pods/attach", handler("attach")],
    ["pods/portforward", handler("portForward")],
  ]);
}
