import { EndpointSlices, refusals, type Service, Services } from "@skiff/api";
import { type Random, randomInt } from "@skiff/base";
import type { ResourceTable } from "../contracts.ts";
import type { ProxyName } from "./proxy-path.ts";

/** Name of the Service's port that is meant; `undefined` where it has no such port. */
function portName({ spec }: Service, wanted: string): string | undefined {
  const ports = spec?.ports ?? [];
  if (wanted === "") return ports[0]?.name ?? "";
  const found = ports.find(({ name, port }) => name === wanted || String(port) === wanted);
  return found === undefined ? undefined : (found.name ?? "");
}

/** Address and port of one of a Service's endpoints that are ready. Throws 503 where there is none. */
export async function serviceEndpoint(
  wanted: ProxyName & { readonly namespace: string },
  table: ResourceTable,
  random: Random,
): Promise<{ readonly host: string; readonly port: number }> {
  const { namespace, name, port } = wanted;
  const service = await table.of(Services).get({ namespace, name });
  const portIs = portName(service, port);
  if (portIs === undefined) {
    throw refusals.unavailable(`no service port ${JSON.stringify(port)} found for service ${JSON.stringify(name)}`);
  }
  const places = table
    .of(EndpointSlices)
    .peekAll(namespace)
    .filter(({ metadata }) => metadata.labels?.["kubernetes.io/service-name"] === name)
    .flatMap(({ endpoints, ports }) => {
      const number = ports?.find((item) => (item.name ?? "") === portIs)?.port;
      const ready = (endpoints ?? []).filter(({ conditions }) => conditions?.ready !== false);
      if (number === undefined) return [];
      return ready.flatMap(({ addresses }) => addresses.slice(0, 1).map((host) => ({ host, port: number })));
    });
  const place = places[randomInt(random, places.length)];
  if (place === undefined) throw refusals.unavailable(`no endpoints available for service ${JSON.stringify(name)}`);
  return place;
}
