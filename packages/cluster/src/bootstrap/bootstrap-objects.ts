import {
  ClusterRoleBindings,
  ClusterRoles,
  CSIDrivers,
  CustomResourceDefinitions,
  EndpointSlices,
  Endpoints,
  type KubeObject,
  Namespaces,
  type New,
  PriorityClasses,
  type ResourceDefinition,
  ServiceCIDRs,
  Services,
  StorageClasses,
} from "@skiff/api";
import type { Client } from "@skiff/client";
import { snapshotDefinitions } from "@skiff/controllers";
import { hostpathDriverName } from "@skiff/csi";
import { type ClusterSettings, clusterDnsIp, kubernetesServiceIp } from "../settings/settings.ts";
import { bootstrapRbac } from "./bootstrap-rbac.ts";
import { createIfMissing } from "./create-if-missing.ts";

/** Objects that a cluster must have before anybody uses it. */
interface BootstrapSet {
  readonly resource: ResourceDefinition;
  readonly objects: readonly New<KubeObject>[];
}

const set = <T extends KubeObject>(resource: ResourceDefinition<T>, objects: readonly New<T>[]): BootstrapSet => ({
  resource,
  objects,
});

const namespaces = ["default", "kube-system", "kube-public", "kube-node-lease"];

const systemClasses = [
  {
    name: "system-cluster-critical",
    value: 2_000_000_000,
    description:
      "Used for system critical pods that must run in the cluster, but can be moved to another node if necessary.",
  },
  {
    name: "system-node-critical",
    value: 2_000_001_000,
    description: "Used for system critical pods that must not be moved from their current node.",
  },
];

/** What the proxy and the DNS of a node read, beyond what a kubelet may. */
const nodeNetworkRole = "skiff:node-network";

function objectSets(settings: ClusterSettings): readonly BootstrapSet[] {
  // A machine without any network has no address that an endpoint may have.
  const reachable = !settings.nodeIp.startsWith("127.");
  return [
    set(
      Namespaces,
      namespaces.map((name) => ({ metadata: { name } })),
    ),
    set(ServiceCIDRs, [{ metadata: { name: "kubernetes" }, spec: { cidrs: [settings.serviceCidr] } }]),
    set(ClusterRoles, [
      {
        // As metrics-server brings it.
        metadata: {
          name: "system:aggregated-metrics-reader",
          labels: Object.fromEntries(
            ["admin", "edit", "view"].map((role) => [`rbac.authorization.k8s.io/aggregate-to-${role}`, "true"]),
          ),
        },
        rules: [{ apiGroups: ["metrics.k8s.io"], resources: ["pods", "nodes"], verbs: ["get", "list", "watch"] }],
      },
      {
        metadata: { name: "skiff:pod-scheduling", labels: { "rbac.authorization.k8s.io/aggregate-to-view": "true" } },
        rules: [{ apiGroups: [""], resources: ["pods/scheduling"], verbs: ["get"] }],
      },
      {
        metadata: { name: nodeNetworkRole },
        rules: [
          {
            apiGroups: [""],
            resources: ["services", "namespaces", "nodes", "endpoints"],
            verbs: ["get", "list", "watch"],
          },
          { apiGroups: ["discovery.k8s.io"], resources: ["endpointslices"], verbs: ["get", "list", "watch"] },
        ],
      },
    ]),
    set(ClusterRoleBindings, [
      {
        metadata: { name: nodeNetworkRole },
        roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: nodeNetworkRole },
        subjects: [{ kind: "Group", apiGroup: "rbac.authorization.k8s.io", name: "system:nodes" }],
      },
    ]),
    set(
      PriorityClasses,
      systemClasses.map(({ name, value, description }) => ({ metadata: { name }, value, description })),
    ),
    ...storageSets(settings),
    set(Services, [kubernetesService(settings), ...(settings.runtime === "containerd" ? [dnsService(settings)] : [])]),
    set(Endpoints, reachable ? [kubernetesEndpoints(settings)] : []),
    set(EndpointSlices, [...(reachable ? [kubernetesSlice(settings)] : [])]),
  ];
}

const shared =
  "Every pod of the node of the cluster's server sees the same files: by an NFS server of the node's own where the machine can have one, else as folders of the machine (skiff doctor says which).";

/**
 * The classes of the drivers for volumes on nodes' disks. Where there is one node, volumes are made at once. Where there are
 * several, a volume that was made before its pod has a node would decide on that node, whatever the pod asks for.
 */
const storageSets = ({ nodes }: ClusterSettings): readonly BootstrapSet[] => [
  set(CSIDrivers, [
    {
      metadata: { name: hostpathDriverName },
      spec: {
        attachRequired: false,
        podInfoOnMount: true,
        storageCapacity: true,
        fsGroupPolicy: "File",
        volumeLifecycleModes: ["Persistent", "Ephemeral"],
      },
    },
  ]),
  set(StorageClasses, [
    {
      metadata: { name: "standard", annotations: { "storageclass.kubernetes.io/is-default-class": "true" } },
      provisioner: hostpathDriverName,
      allowVolumeExpansion: true,
      volumeBindingMode: (nodes?.count ?? 1) > 1 ? "WaitForFirstConsumer" : "Immediate",
    },
    {
      metadata: { name: "nfs", annotations: { "kubernetes.io/description": shared } },
      provisioner: hostpathDriverName,
      parameters: { shared: "true" },
      allowVolumeExpansion: true,
    },
  ]),
];

/** The definitions of snapshots. Judging them takes a while: nothing waits for it. */
const snapshotSet = set(
  CustomResourceDefinitions,
  snapshotDefinitions.map(({ metadata: { name, annotations }, spec }) => ({ metadata: { name, annotations }, spec })),
);

const kubernetesService = (settings: ClusterSettings) => ({
  metadata: { name: "kubernetes", namespace: "default", labels: { component: "apiserver", provider: "kubernetes" } },
  spec: {
    clusterIP: kubernetesServiceIp(settings),
    ports: [{ name: "https", port: 443, protocol: "TCP", targetPort: settings.apiPort }],
  },
});

const kubernetesEndpoints = (settings: ClusterSettings) => ({
  metadata: { name: "kubernetes", namespace: "default", labels: { "endpointslice.kubernetes.io/skip-mirror": "true" } },
  subsets: [
    { addresses: [{ ip: settings.nodeIp }], ports: [{ name: "https", port: settings.apiPort, protocol: "TCP" }] },
  ],
});

const kubernetesSlice = (settings: ClusterSettings) => ({
  metadata: { name: "kubernetes", namespace: "default", labels: { "kubernetes.io/service-name": "kubernetes" } },
  addressType: "IPv4",
  endpoints: [{ addresses: [settings.nodeIp], conditions: { ready: true } }],
  ports: [{ name: "https", port: settings.apiPort, protocol: "TCP" }],
});

const dnsPorts = [
  { name: "dns", port: 53, protocol: "UDP" },
  { name: "dns-tcp", port: 53, protocol: "TCP" },
];

const dnsService = (settings: ClusterSettings) => ({
  metadata: {
    name: "kube-dns",
    namespace: "kube-system",
    labels: { "k8s-app": "kube-dns", "kubernetes.io/cluster-service": "true", "kubernetes.io/name": "CoreDNS" },
  },
  spec: {
    clusterIP: clusterDnsIp(settings),
    // Each node answers for itself, on its own end of its pods' network.
    trafficDistribution: "PreferSameNode",
    ports: dnsPorts.map((port) => ({ ...port, targetPort: port.port })),
  },
});

/** Creates what is missing. What is there stays as it is: an administrator may have changed it. */
export async function createBootstrapObjects(
  client: Client,
  settings: ClusterSettings,
  signal: AbortSignal,
): Promise<void> {
  const [namespaced, ...others] = objectSets(settings);
  const create = ({ resource, objects }: BootstrapSet) =>
    Promise.all(objects.map((object) => createIfMissing(client, resource, object, signal)));
  if (namespaced !== undefined) await create(namespaced);
  await bootstrapRbac(client, signal);
  for (const set of others) await create(set);
}

/** Creates the definitions of snapshots where they are missing. */
export async function defineSnapshots(client: Client, signal: AbortSignal): Promise<void> {
  for (const object of snapshotSet.objects) await createIfMissing(client, snapshotSet.resource, object, signal);
}
