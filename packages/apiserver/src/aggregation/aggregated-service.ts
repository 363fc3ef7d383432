import type { APIService, DescribedResource } from "@skiff/api";
import type { JsonObject } from "@skiff/base";
import type { Exchange, RequestInfo } from "../contracts.ts";
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
  /** Where this server is that server. */
  readonly builtIn?: BuiltInService;
}

/**
 * A group and version that this server answers as an aggregated server would: its objects are stored nowhere, and an
 * APIService may name another server for it.
 */
export interface BuiltInService {
  readonly group: string;
  readonly version: string;
  /** As the published documents tell of them. */
  readonly resources: readonly DescribedResource[];
  /** Answers a request, authorized. */
  serve(exchange: Exchange, info: RequestInfo): Promise<void>;
  /** What it answers to a GET of a path with its query. Throws `StatusError`. */
  read(url: string): JsonObject;
}

/** A built-in service among the aggregated ones. */
export function builtInAmong(builtIn: BuiltInService): AggregatedService {
  const { group, version } = builtIn;
  const spec = { group, version, groupPriorityMinimum: 100, versionPriority: 100 };
  const metadata = { name: `${version}.${group}`, uid: "", resourceVersion: "", creationTimestamp: "" };
  return {
    service: { metadata, spec, status: {} },
    group,
    version,
    namespace: "",
    name: "",
    port: 0,
    available: true,
    builtIn,
  };
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
