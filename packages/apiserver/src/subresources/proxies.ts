import { Pods, refusals } from "@skiff/api";
import type { Random } from "@skiff/base";
import type { Exchange, ResourceTable, SubresourceHandler } from "../contracts.ts";
import { forwardedHeaders, wantsUpgrade } from "./forwarded-headers.ts";
import type { NodeConnector, NodeEndpoint } from "./node-connector.ts";
import { refOf, resourceRequest } from "./object-handler.ts";
import { passRequest } from "./pass-request.ts";
import { passUpgrade } from "./pass-upgrade.ts";
import { type ProxyName, parseProxyName, proxiedPath, rawQuery } from "./proxy-path.ts";
import { serviceEndpoint } from "./service-endpoint.ts";

interface Place {
  readonly host: string;
  readonly port: number;
  readonly tls: NodeEndpoint["tls"] | undefined;
}

/** Pods and Services show whatever certificate they like: who uses the proxy trusts the cluster's network. */
const anyCertificate: NodeEndpoint["tls"] = { rejectUnauthorized: false };

type Locate = (name: ProxyName & { readonly namespace: string }) => Promise<Place>;

function proxy(what: string, namespaced: boolean, locate: Locate): SubresourceHandler {
  return {
    async handle(exchange, info) {
      const request = resourceRequest(info);
      const { namespace = "" } = request;
      const { name: text } = refOf(request);
      const name = parseProxyName(text);
      if (name === undefined) throw refusals.badRequest(`invalid ${what} request ${JSON.stringify(text)}`);
      const path = proxiedPath(exchange.url, namespaced);
      const upgrades = wantsUpgrade(exchange);
      if (path === "" && !upgrades && (exchange.method === "GET" || exchange.method === "HEAD")) {
        return toFolder(exchange);
      }
      const place = await locate({ ...name, namespace });
      const target = { ...place, path: `${path === "" ? "/" : path}${rawQuery(exchange.url)}` };
      if (upgrades) return await passUpgrade(exchange, target);
      const [whole = ""] = exchange.url.split("?", 1);
      const hosts = new Set([
        `${place.host}:${place.port}`,
        exchange.headers.host ?? exchange.headers[":authority"] ?? "",
      ]);
      const prefix = whole.slice(0, whole.length - path.length);
      await passRequest(exchange, target, forwardedHeaders(exchange), { hosts, prefix });
    },
  };
}

/** Relative links of a page at the root hold only where its path ends in a slash. */
function toFolder(exchange: Exchange): void {
  const [path = ""] = exchange.url.split("?", 1);
  exchange.setHeader("location", `${path}/${rawQuery(exchange.url)}`);
  exchange.respond({ status: 301, contentType: "text/html; charset=utf-8", body: "" });
}

/** `pods/proxy`, `services/proxy`, `nodes/proxy`: HTTP through the API server, every method, upgrades too. */
export function proxies(
  table: ResourceTable,
  nodes: NodeConnector,
  random: Random,
): ReadonlyMap<string, SubresourceHandler> {
  const pod: Locate = async ({ scheme, namespace, name, port }) => {
    const found = await table.of(Pods).get({ namespace, name });
    const host = found.status?.podIP;
    if (!host) throw refusals.badRequest("address not allowed");
    const ports = (found.spec?.containers ?? []).flatMap((container) => container.ports ?? []);
    const wanted = port === "" ? ports[0] : ports.find((item) => item.name === port);
    const number = wanted?.containerPort ?? (port === "" ? (scheme === "https" ? 443 : 80) : Number(port));
    if (!Number.isInteger(number) || number < 1 || number > 65535) {
      throw refusals.badRequest(`invalid pod request ${JSON.stringify(`${name}:${port}`)}`);
    }
    return { host, port: number, tls: scheme === "https" ? anyCertificate : undefined };
  };
  const service: Locate = async (wanted) => ({
    ...(await serviceEndpoint(wanted, table, random)),
    tls: wanted.scheme === "https" ? anyCertificate : undefined,
  });
  const node: Locate = async ({ name, port }) => {
    const endpoint = await nodes.connect(name);
    const number = port === "" ? endpoint.port : Number(port);
    if (!Number.isInteger(number))
      throw refusals.badRequest(`invalid node request ${JSON.stringify(`${name}:${port}`)}`);
    // Only the kubelet itself is shown the API server's certificate.
    return { ...endpoint, port: number, tls: number === endpoint.port ? endpoint.tls : undefined };
  };
  return new Map([
    ["pods/proxy", proxy("pod", true, pod)],
    ["services/proxy", proxy("service", true, service)],
    ["nodes/proxy", proxy("node", false, node)],
  ]);
}
