import { refusals, Services } from "@skiff/api";
import type { Random } from "@skiff/base";
import type { ResourceTable } from "../contracts.ts";
import { serviceEndpoint } from "../subresources/service-endpoint.ts";

/** A Service and one of its ports, by number. */
export interface ServiceTarget {
  readonly namespace: string;
  readonly name: string;
  readonly port: number;
}

/** How the API server reaches Services. */
export interface ServiceConnector {
  /** Address and port of one that answers for the Service. Throws `StatusError` where there is none. */
  locate(target: ServiceTarget): Promise<{ readonly host: string; readonly port: number }>;
}

/** Goes straight to a ready endpoint: the API server need not run where Service addresses lead anywhere. */
export function endpointConnector(table: ResourceTable, random: Random): ServiceConnector {
  return {
    async locate({ namespace, name, port }) {
      const service = table.of(Services).peek({ namespace, name });
      if (service === undefined) throw refusals.unavailable(`service ${JSON.stringify(name)} not found`);
      const { type, externalName } = service.spec ?? {};
      if (type === "ExternalName" && externalName) return { host: externalName, port };
      return await serviceEndpoint({ scheme: "https", namespace, name, port: String(port) }, table, random);
    },
  };
}
