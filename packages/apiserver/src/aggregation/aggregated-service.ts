import type { APIService } from "@skiff/api";
import type { NodeEndpoint } from "../subresources/node-connector.ts";
import type { FrontProxy } from "./front-proxy.ts";

/** A group and version that another server answers. */
export interface AggregatedService {
  readonly service: APIService;
  readonly group: string;
  readonly version: string;
  readonly namespace: string;
  readonly name: string;
  readonly port: number;
  /** Whether it answered when it was last looked at. */
  readonly available: boolean;
}

/** `undefined` for what this server answers itself. */
export function aggregatedService(service: APIService): AggregatedService | undefined {
  const { group = "", version = "", service: behind } = service.spec;
  if (!behind) return undefined;
  const { namespace = "", name = "", port = 443 } = behind;
  const condition = service.status?.conditions?.find(({ type }) => type === "Available");
  return { service, group, version, namespace, name, port, available: condition?.status === "True" };
}

/** How the server behind it is spoken to: whom it must be, and whom this server says that it is. */
export function trustOf(
  { service, namespace, name }: AggregatedService,
  proxy: FrontProxy | undefined,
): NodeEndpoint["tls"] {
  const { caBundle = "", insecureSkipTLSVerify = false } = service.spec;
  return {
    servername: `${name}.${namespace}.svc`,
    ...(proxy === undefined ? {} : { cert: proxy.certificate, key: proxy.key }),
    ...(caBundle === "" ? {} : { ca: Buffer.from(caBundle, "base64").toString("utf8") }),
    ...(insecureSkipTLSVerify ? { rejectUnauthorized: false } : {}),
  };
}
