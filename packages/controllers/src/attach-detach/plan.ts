import type { AttachedVolume, Node, Pod, VolumeAttachment } from "@skiff/api";
import { isNodeReady } from "../node-lifecycle/plan.ts";
import { type AttachableVolume, attachmentName, isExclusive, namedVolume } from "./attachable-volume.ts";
import type { WantedVolume } from "./wanted-volumes.ts";

/** How long a node that does not answer may hold on to a volume. */
export const unmountLimitMs = 6 * 60_000;
/** After so long without a word from the driver its silence is told. */
export const attachLimitMs = 2 * 60_000;
const outOfService = "node.kubernetes.io/out-of-service";

/** An attachment with the volume that it was made for. */
export interface KnownAttachment {
  readonly volume: AttachableVolume;
  readonly attachment: VolumeAttachment;
}

/** What is remembered of a volume on a node, by the name of its attachment. Times are monotonic. */
export interface Memory {
  readonly unwantedSinceMs?: number;
  readonly waitingSinceMs?: number;
  /** The last failure that the pods were told of. */
  readonly told?: string;
}

export interface NodeSituation {
  readonly name: string;
  /** Absent when the node is gone. */
  readonly node: Node | undefined;
  readonly wanted: readonly WantedVolume[];
  readonly attachments: readonly KnownAttachment[];
  /** Attachments of a volume to other nodes. */
  elsewhere(volume: WantedVolume): readonly VolumeAttachment[];
  /** Pods on other nodes that use a volume. */
  users(volume: WantedVolume): readonly Pod[];
  readonly inUse: (volumeName: string) => boolean;
  readonly memories: ReadonlyMap<string, Memory>;
  readonly nowMs: number;
}

export interface PodEvent {
  readonly pod: Pod;
  readonly type: "Normal" | "Warning";
  readonly reason: string;
  readonly message: string;
}

export interface AttachDetachPlan {
  readonly attach: readonly WantedVolume[];
  /** `force`: without the node's consent. */
  readonly detach: readonly (KnownAttachment & { readonly force: boolean })[];
  /** What the node's status shall list, where it does not yet. */
  readonly report: readonly AttachedVolume[] | undefined;
  readonly events: readonly PodEvent[];
  readonly memories: ReadonlyMap<string, Memory>;
  readonly recheckMs: number | undefined;
}

/** What of a node's volumes to attach, to detach and to tell. */
export function planVolumes(situation: NodeSituation): AttachDetachPlan {
  const { name, node, wanted, attachments, memories, nowMs } = situation;
  const present = new Map(attachments.map((known) => [known.attachment.metadata.name, known]));
  const kept = new Map<string, Memory>();
  const recheckMs: number[] = [];
  const attach: WantedVolume[] = [];
  const events: PodEvent[] = [];
  const reported = new Set((node?.status?.volumesAttached ?? []).map((one) => one.name));
  const wantedIds = new Set<string>();
  for (const volume of wanted) {
    const id = attachmentName(volume, name);
    wantedIds.add(id);
    const attachment = present.get(id)?.attachment;
    if (attachment?.metadata.deletionTimestamp !== undefined) continue;
    if (attachment?.status.attached === true) {
      if (!reported.has(volume.name)) events.push(...attachedEvents(volume));
      continue;
    }
    const memory = memories.get(id) ?? {};
    if (attachment === undefined) {
      const obstacle = node === undefined ? "wait" : obstacleTo(volume, situation);
      if (obstacle === "none") attach.push(volume);
      if (obstacle !== "blocked") continue;
      if (memory.told !== "multi-attach") events.push(...multiAttachEvents(volume, situation));
      kept.set(id, { told: "multi-attach" });
      continue;
    }
    const waiting = whileWaiting(volume, attachment, { memory, nowMs });
    if (waiting.recheckMs !== undefined) recheckMs.push(waiting.recheckMs);
    events.push(...waiting.events);
    kept.set(id, waiting.memory);
  }
  const detach: (KnownAttachment & { readonly force: boolean })[] = [];
  for (const known of attachments) {
    const { metadata } = known.attachment;
    if (wantedIds.has(metadata.name) || metadata.deletionTimestamp !== undefined) continue;
    const sinceMs = memories.get(metadata.name)?.unwantedSinceMs ?? nowMs;
    kept.set(metadata.name, { unwantedSinceMs: sinceMs });
    const consent = consentOf(known.volume, situation, nowMs - sinceMs);
    if (consent === "given" || consent === "forced") detach.push({ ...known, force: consent === "forced" });
    else if (consent !== "denied") recheckMs.push(consent.afterMs);
  }
  return {
    attach,
    detach,
    report: node === undefined ? undefined : reportFor(node, attachments, detach),
    events,
    memories: kept,
    recheckMs: recheckMs.length === 0 ? undefined : Math.min(...recheckMs),
  };
}

/** Whether another node has a volume that only one may have. While that one attaches or detaches it, nobody is told. */
function obstacleTo(volume: WantedVolume, { elsewhere }: NodeSituation): "none" | "wait" | "blocked" {
  if (!isExclusive(volume.persistentVolume)) return "none";
  const others = elsewhere(volume);
  if (others.length === 0) return "none";
  const settled = others.every(
    ({ metadata, status }) => metadata.deletionTimestamp === undefined && (status.attached || status.attachError),
  );
  return settled ? "blocked" : "wait";
}

function attachedEvents({ persistentVolume, pods }: WantedVolume): PodEvent[] {
  const message = `AttachVolume.Attach succeeded for volume ${JSON.stringify(persistentVolume.metadata.name)} `;
  return pods.map((pod) => ({ pod, type: "Normal", reason: "SuccessfulAttachVolume", message }));
}

const failure = (pod: Pod, message: string): PodEvent => ({
  pod,
  type: "Warning",
  reason: "FailedAttachVolume",
  message,
});

/** Who may see a pod's events may not know of pods in other namespaces: they are only counted. */
function multiAttachEvents(volume: WantedVolume, { users }: NodeSituation): PodEvent[] {
  const prefix = `Multi-Attach error for volume ${JSON.stringify(volume.persistentVolume.metadata.name)}`;
  const holders = users(volume);
  return volume.pods.map((pod) => {
    const near = holders.filter(({ metadata }) => metadata.namespace === pod.metadata.namespace);
    const far = holders.length - near.length;
    if (holders.length === 0) {
      return failure(
        pod,
        `${prefix} Volume is already exclusively attached to one node and can't be attached to another`,
      );
    }
    const names = near.map(({ metadata }) => metadata.name).join(", ");
    const others = `${far} pod(s) in different namespaces`;
    if (near.length === 0) return failure(pod, `${prefix} Volume is already used by ${others}`);
    return failure(pod, `${prefix} Volume is already used by pod(s) ${names}${far > 0 ? ` and ${others}` : ""}`);
  });
}

function whileWaiting(
  volume: WantedVolume,
  { status }: VolumeAttachment,
  { memory, nowMs }: { readonly memory: Memory; readonly nowMs: number },
): { readonly events: readonly PodEvent[]; readonly memory: Memory; readonly recheckMs?: number } {
  const { attachError } = status;
  const told = (text: string): readonly PodEvent[] => {
    const name = JSON.stringify(volume.persistentVolume.metadata.name);
    return volume.pods.map((pod) => failure(pod, `AttachVolume.Attach failed for volume ${name} : ${text}`));
  };
  if (attachError !== undefined) {
    const mark = `${attachError.time} ${attachError.message}`;
    const events = memory.told === mark ? [] : told(attachError.message ?? "");
    return { events, memory: { told: mark } };
  }
  const waitingSinceMs = memory.waitingSinceMs ?? nowMs;
  const leftMs = waitingSinceMs + attachLimitMs - nowMs;
  if (leftMs > 0) return { events: [], memory: { waitingSinceMs }, recheckMs: leftMs };
  const { driver, handle } = volume;
  const text = `timed out waiting for external-attacher of ${driver} CSI driver to attach volume ${handle}`;
  return { events: told(text), memory: { waitingSinceMs: nowMs }, recheckMs: attachLimitMs };
}

/** A volume that is mounted stays, unless its node has not been heard of for long or is known to be switched off. */
function consentOf(
  volume: AttachableVolume,
  { node, inUse }: NodeSituation,
  unwantedMs: number,
): "given" | "forced" | "denied" | { readonly afterMs: number } {
  if (node?.spec.taints?.some(({ key }) => key === outOfService)) return "forced";
  if (!inUse(volume.name)) return "given";
  if (node !== undefined && isNodeReady(node)) return "denied";
  return unwantedMs >= unmountLimitMs ? "forced" : { afterMs: unmountLimitMs - unwantedMs };
}

/** A volume is off the list before it is detached: the kubelet mounts nothing that is not on it. */
function reportFor(
  { status }: Node,
  attachments: readonly KnownAttachment[],
  detached: readonly KnownAttachment[],
): readonly AttachedVolume[] | undefined {
  const before = status?.volumesAttached ?? [];
  const leaving = new Set(detached.map(({ volume }) => volume.name));
  const names = attachments
    .filter(({ attachment: { metadata, status } }) => status.attached && metadata.deletionTimestamp === undefined)
    .map(({ volume }) => volume.name)
    .filter((name) => !leaving.has(name));
  const staying = before.filter(({ name }) => namedVolume(name) === undefined || names.includes(name));
  const coming = names.filter((name) => !before.some((one) => one.name === name));
  if (staying.length === before.length && coming.length === 0) return undefined;
  return [...staying, ...coming.map((name) => ({ name, devicePath: "" }))];
}
