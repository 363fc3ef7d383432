import { homedir } from "node:os";
import { join } from "node:path";

/** Where everything of one cluster lies: all of it below one folder, so that deleting the folder deletes the cluster. */
export interface ClusterPaths {
  /** The folder of all clusters. */
  readonly home: string;
  /** The folder of this one. */
  readonly root: string;
  readonly settings: string;
  /** What is written to the audit log; there is none while this file is not there. */
  readonly auditPolicy: string;
  /** A KubeletConfiguration; the node has Kubernetes' defaults while this file is not there. */
  readonly kubeletConfiguration: string;
  /** A KubeSchedulerConfiguration; pods are scheduled as Kubernetes does it while this file is not there. */
  readonly schedulerConfiguration: string;
  /** `HOST/hosts.toml` as containerd has them: where images of a registry are got. */
  readonly registryHosts: string;
  readonly pki: string;
  readonly store: string;
  readonly logs: string;
  /** Process records, sockets, the lock: nothing here outlives a reboot. */
  readonly run: string;
  readonly lock: string;
  readonly containerd: string;
  readonly kubelet: string;
  /** The range of addresses that the node's pods have. */
  readonly podRange: string;
  /** Other servers of the cluster that a node has joined, for when the one that it knows is gone. */
  readonly servers: string;
  readonly podLogs: string;
  /** Pods that the node runs by itself (static pods), one a file. */
  readonly manifests: string;
  /** The homes of further nodes of this machine, by their numbers. */
  readonly nodes: string;
  /** Data of volumes and snapshots that were made on this node's disk. */
  readonly volumes: string;
  readonly images: string;
  /** The administrator's kubeconfig, whole, whatever the user's own file holds. */
  readonly kubeconfig: string;
}

/** The paths of cluster `name` below `home`. */
export function clusterPaths(home: string, name: string): ClusterPaths {
  const root = join(home, name);
  return {
    home,
    root,
    settings: join(root, "cluster.json"),
    auditPolicy: join(root, "audit-policy.yaml"),
    kubeletConfiguration: join(root, "kubelet.yaml"),
    schedulerConfiguration: join(root, "scheduler.yaml"),
    registryHosts: join(root, "certs.d"),
    pki: join(root, "pki"),
    store: join(root, "store"),
    logs: join(root, "logs"),
    run: join(root, "run"),
    lock: join(root, "run", "lock"),
    containerd: join(root, "containerd"),
    kubelet: join(root, "kubelet"),
    podRange: join(root, "pod-range"),
    servers: join(root, "servers.json"),
    podLogs: join(root, "pod-logs"),
    manifests: join(root, "manifests"),
    nodes: join(root, "nodes"),
    volumes: join(root, "volumes"),
    images: join(root, "images"),
    kubeconfig: join(root, "admin.kubeconfig"),
  };
}

/** `SKIFF_HOME`, or the place of system services for root, or a folder in the user's home. */
export function defaultHome(environment: Readonly<Record<string, string | undefined>>, isRoot: boolean): string {
  if (environment.SKIFF_HOME) return environment.SKIFF_HOME;
  return isRoot ? "/var/lib/skiff" : join(homedir(), ".skiff");
}
