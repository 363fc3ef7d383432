import type { APIService, APIServiceCondition, EndpointSlice, New, Service } from "@skiff/api";
import { timestamp } from "@skiff/base";
import type { LocalService } from "./priorities.ts";

/** Marks APIServices that the server made for what it serves itself: `onstart` for built-in ones, `true` for custom ones. */
export const managedLabel = "kube-aggregator.kubernetes.io/automanaged";

/** The APIService of a group and version that this server answers itself. */
export const localService = (service: LocalService, managed: "onstart" | "true"): New<APIService> => {
  const { group, version, groupPriorityMinimum, versionPriority } = service;
  return {
    metadata: { name: `${version}.${group}`, labels: { [managedLabel]: managed } },
    spec: { ...(group === "" ? {} : { group }), version, groupPriorityMinimum, versionPriority },
    status: {},
  };
};

/** What is found out about an APIService. */
export interface Availability {
  readonly status: "True" | "False";
  readonly reason: string;
  readonly message: string;
}

export const localAvailability: Availability = {
  status: "True",
  reason: "Local",
  message: "Local APIServices are always available",
};

export const passed: Availability = { status: "True", reason: "Passed", message: "all checks passed" };

const no = (reason: string, message: string): Availability => ({ status: "False", reason, message });

/** The discovery of the service could not be read. */
export const failedDiscovery = (message: string): Availability => no("FailedDiscoveryCheck", message);

/** What is wrong with the Service behind an APIService, as far as the API tells; `undefined` where nothing is. */
export function serviceProblem(
  reference: NonNullable<APIService["spec"]["service"]>,
  service: Service | undefined,
  slices: readonly EndpointSlice[],
): Availability | undefined {
  const { namespace = "", name = "", port = 443 } = reference;
  const place = `service/${name} in ${JSON.stringify(namespace)}`;
  if (service === undefined) return no("ServiceNotFound", `${place} is not present`);
  if ((service.spec?.type ?? "ClusterIP") !== "ClusterIP") return undefined;
  const found = service.spec?.ports?.find((item) => item.port === port);
  if (found === undefined) return no("ServicePortError", `${place} is not listening on port ${port}`);
  if (slices.length === 0) return no("EndpointsNotFound", `cannot find endpointslices for ${place}`);
  const portName = found.name ?? "";
  const ready = slices.some(
    ({ endpoints, ports }) =>
      (endpoints ?? []).some(({ conditions }) => conditions?.ready !== false) &&
      (ports ?? []).some((item) => (item.name ?? "") === portName && item.port !== undefined),
  );
  if (ready) return undefined;
  return no(
    "MissingEndpoints",
    `endpointslices for ${place} have no addresses with port name ${JSON.stringify(portName)}`,
  );
}

/** The conditions with the finding among them, or `undefined` where it is there already. */
export function availableConditions(
  { status }: APIService,
  finding: Availability,
  nowMs: number,
): APIServiceCondition[] | undefined {
  const conditions = status?.conditions ?? [];
  const before = conditions.find(({ type }) => type === "Available");
  if (before?.status === finding.status && before.reason === finding.reason && before.message === finding.message) {
    return undefined;
  }
  const lastTransitionTime = before?.status === finding.status ? before.lastTransitionTime : timestamp(nowMs);
  const changed = { type: "Available", ...finding, lastTransitionTime };
  return before === undefined ? [...conditions, changed] : conditions.map((item) => (item === before ? changed : item));
}
