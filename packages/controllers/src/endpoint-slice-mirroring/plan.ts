import { type EndpointSlice, type EndpointSubset, Endpoints, type New, ownerReference } from "@skiff/api";
import { type EndpointSlicesPlan, type Group, identityOf, packGroups } from "../endpoint-slice/packing.ts";
import { managedByLabel, serviceNameLabel } from "../endpoint-slice/plan.ts";

export const mirroredBy = "endpointslicemirroring-controller.k8s.io";
const skipLabel = "endpointslice.kubernetes.io/skip-mirror";
const leaderAnnotation = "control-plane.alpha.kubernetes.io/leader";
/** No subset is mirrored beyond this. */
const addressLimit = 1000;

/** True for Endpoints that somebody keeps by hand and wants to be reached by. */
export const isMirrored = ({ metadata }: Endpoints): boolean =>
  metadata.labels?.[skipLabel] !== "true" && metadata.annotations?.[leaderAnnotation] === undefined;

/** The slices that show the same as the Endpoints: one group for each subset and address family. */
export const planMirror = (endpoints: Endpoints, slices: readonly EndpointSlice[]): EndpointSlicesPlan =>
  packGroups((endpoints.subsets ?? []).flatMap(groupsOf), slices, head(endpoints));

function groupsOf({ addresses = [], notReadyAddresses = [], ports = [] }: EndpointSubset): Group[] {
  const all = [
    ...addresses.map((address) => ({ address, ready: true })),
    ...notReadyAddresses.map((address) => ({ address, ready: false })),
  ].slice(0, addressLimit);
  const slicePorts = ports.map(({ name = "", port, protocol = "TCP", appProtocol }) => ({
    name,
    port,
    protocol,
    ...(appProtocol === undefined ? {} : { appProtocol }),
  }));
  return ["IPv4", "IPv6"].flatMap((addressType) => {
    const endpoints = all
      .filter(({ address }) => address.ip.includes(":") === (addressType === "IPv6"))
      .map(({ address: { ip, hostname, nodeName, targetRef }, ready }) => ({
        addresses: [ip],
        conditions: { ready },
        ...(hostname === undefined ? {} : { hostname }),
        ...(nodeName === undefined ? {} : { nodeName }),
        ...(targetRef === undefined ? {} : { targetRef }),
      }));
    if (endpoints.length === 0) return [];
    return [{ addressType, ports: slicePorts, endpoints: new Map(endpoints.map((one) => [identityOf(one), one])) }];
  });
}

const head = ({ metadata }: Endpoints): Pick<New<EndpointSlice>, "metadata"> => ({
  metadata: {
    generateName: `${metadata.name}-`,
    namespace: metadata.namespace,
    labels: { ...metadata.labels, [serviceNameLabel]: metadata.name, [managedByLabel]: mirroredBy },
    ownerReferences: [ownerReference(Endpoints, { metadata })],
  },
});
