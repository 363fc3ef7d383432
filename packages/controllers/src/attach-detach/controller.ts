import {
  CSIDrivers,
  isAlreadyExists,
  isConflict,
  isNotFound,
  type Node,
  Nodes,
  type ObjectRef,
  type PersistentVolume,
  PersistentVolumeClaims,
  PersistentVolumes,
  type Pod,
  Pods,
  type VolumeAttachment,
  VolumeAttachments,
} from "@skiff/api";
import {
  againIn,
  type Caches,
  defineController,
  done,
  type Loop,
  type Outcome,
  type ReconcileContext,
  watching,
} from "@skiff/control-loop";
import { claimsOf } from "../storage-protection/plan.ts";
import {
  type AttachableVolume,
  attachableVolume,
  attachmentName,
  isAttachmentOf,
  isExclusive,
  namedVolume,
} from "./attachable-volume.ts";
import { type KnownAttachment, type Memory, planVolumes } from "./plan.ts";
import { type WantedVolume, wantedVolumes } from "./wanted-volumes.ts";

const managed = "volumes.kubernetes.io/controller-managed-attach-detach";
const podsByNode = "node name";
const podsByClaim = "claims of pods";
const attachmentsByNode = "node of attachment";
const attachmentsByVolume = "volume of attachment";

/**
 * Has the volumes of storage drivers attached to the nodes where pods need them, and detached where nobody does any more. It
 * asks for that by VolumeAttachments, which the driver's attacher carries out, and tells kubelets in their nodes' status.
 * https://kubernetes.io/docs/concepts/storage/volumes/#csi
 */
export function attachDetachController(): Loop {
  const state = new AttachState();
  return defineController<Node>({
    name: "attach-detach",
    component: "attachdetach-controller",
    for: Nodes,
    watches: [
      watching(Pods, (pod) => (pod.spec.nodeName && claimsOf(pod).length > 0 ? [{ name: pod.spec.nodeName }] : [])),
      watching(VolumeAttachments, ({ spec }, caches) => [
        { name: spec.nodeName },
        ...nodesOf(caches.cached(PersistentVolumes).get(spec.source.persistentVolumeName ?? ""), caches),
      ]),
      watching(PersistentVolumeClaims, ({ metadata }, caches) => nodesOfClaim(metadata, caches)),
      watching(PersistentVolumes, nodesOf),
      watching(
        CSIDrivers,
        (_, { cached }) =>
          cached(Nodes)
            .list()
            .map(({ metadata }) => metadata),
        (old, driver) => old.spec.attachRequired !== driver.spec.attachRequired,
      ),
    ],
    async reconcile(node, context) {
      if (node.metadata.annotations?.[managed] !== "true") return done;
      state.inUse.set(node.metadata.name, new Set(node.status?.volumesInUse));
      return await reconcileVolumes(node.metadata.name, { node, state }, context);
    },
    gone: ({ name }, context) => reconcileVolumes(name, { node: undefined, state }, context),
  });
}

/** What the controller keeps in mind. */
class AttachState {
  /** By node, then by the name of the attachment. */
  readonly memories = new Map<string, ReadonlyMap<string, Memory>>();
  /** What each node said last of the volumes that it uses. */
  readonly inUse = new Map<string, ReadonlySet<string>>();
  /** Who has asked for a volume a moment ago, so that the caches may not show it yet. */
  readonly #asked = new Map<string, string>();

  /** True when the volume is this node's: no other has asked for it in this moment. */
  take(volume: WantedVolume, nodeName: string): boolean {
    if (!isExclusive(volume.persistentVolume)) return true;
    if ((this.#asked.get(volume.name) ?? nodeName) !== nodeName) return false;
    this.#asked.set(volume.name, nodeName);
    return true;
  }

  /** The caches show what this node has asked for. */
  settle(nodeName: string): void {
    for (const [volume, asker] of this.#asked) if (asker === nodeName) this.#asked.delete(volume);
  }
}

async function reconcileVolumes(
  name: string,
  { node, state }: { readonly node: Node | undefined; readonly state: AttachState },
  context: ReconcileContext,
): Promise<Outcome> {
  const { client, recorder, clock, signal } = context;
  // A node is looked at again only when the caches show what was written for it.
  state.settle(name);
  const inUse = state.inUse.get(name);
  const wanted = wantedOn(name, node, context);
  const plan = planVolumes({
    name,
    node,
    wanted,
    attachments: attachmentsOn(name, node, context),
    elsewhere: (volume) => elsewhere(volume, name, context),
    users: (volume) => usersElsewhere(volume, name, context),
    // A node that said nothing may use anything.
    inUse: (volume) => inUse?.has(volume) ?? true,
    memories: state.memories.get(name) ?? new Map(),
    nowMs: clock.monotonic(),
  });
  for (const { pod, type, reason, message } of plan.events) recorder.record(Pods, pod, { type, reason, message });
  if (plan.report !== undefined) {
    const volumesAttached = plan.report.length === 0 ? null : plan.report;
    const patch = { status: { volumesAttached } };
    await client.patch(Nodes, { name }, patch, { type: "merge", subresource: "status", signal });
  }
  for (const { volume, attachment, force } of plan.detach) {
    if (force || (await isFree(name, volume, context))) await detach(attachment, context);
  }
  for (const volume of plan.attach) await attach(volume, name, state, context);
  if (plan.memories.size > 0) state.memories.set(name, plan.memories);
  else state.memories.delete(name);
  if (node === undefined && plan.memories.size === 0 && wanted.length === 0) state.inUse.delete(name);
  return plan.recheckMs === undefined ? done : againIn(plan.recheckMs);
}

async function attach(
  volume: WantedVolume,
  nodeName: string,
  state: AttachState,
  { client, signal }: ReconcileContext,
): Promise<void> {
  if (!state.take(volume, nodeName)) throw new Error(`volume ${volume.name} is being attached to another node`);
  const attachment = {
    metadata: { name: attachmentName(volume, nodeName) },
    spec: {
      attacher: volume.driver,
      nodeName,
      source: { persistentVolumeName: volume.persistentVolume.metadata.name },
    },
  };
  await client.create(VolumeAttachments, attachment, { signal }).catch((error: unknown) => {
    if (!isAlreadyExists(error)) throw error;
  });
}

async function detach({ metadata }: VolumeAttachment, { client, signal }: ReconcileContext): Promise<void> {
  const { name, uid } = metadata;
  await client.delete(VolumeAttachments, { name }, { preconditions: { uid }, signal }).catch((error: unknown) => {
    if (!isNotFound(error) && !isConflict(error)) throw error;
  });
}

/** Asks anew, now that the kubelet may not begin to use the volume any more: it may have begun a moment ago. */
async function isFree(name: string, volume: AttachableVolume, { client, signal }: ReconcileContext): Promise<boolean> {
  try {
    const { status } = await client.get(Nodes, { name }, { signal });
    return !status?.volumesInUse?.includes(volume.name);
  } catch (error) {
    if (isNotFound(error)) return true;
    throw error;
  }
}

function wantedOn(name: string, node: Node | undefined, { cached }: Caches): readonly WantedVolume[] {
  const pods = cached(Pods);
  pods.addIndex(podsByNode, ({ spec }) => (spec.nodeName ? [spec.nodeName] : []));
  return wantedVolumes(node, pods.byIndex(podsByNode, name), {
    claim: (namespace, claim) => cached(PersistentVolumeClaims).get(claim, namespace),
    volume: (volume) => cached(PersistentVolumes).get(volume),
    needsAttaching: (driver) => cached(CSIDrivers).get(driver)?.spec.attachRequired !== false,
  });
}

/** Attachments to a node that were made for volumes: those that there are, and those that its status tells of. */
function attachmentsOn(name: string, node: Node | undefined, { cached }: Caches): readonly KnownAttachment[] {
  const attachments = cached(VolumeAttachments);
  attachments.addIndex(attachmentsByNode, ({ spec }) => [spec.nodeName]);
  const told = (node?.status?.volumesAttached ?? []).flatMap((one) => namedVolume(one.name) ?? []);
  return attachments.byIndex(attachmentsByNode, name).flatMap((attachment) => {
    const persistent = cached(PersistentVolumes).get(attachment.spec.source.persistentVolumeName ?? "");
    const own = persistent === undefined ? undefined : attachableVolume(persistent);
    const volume = [...(own === undefined ? [] : [own]), ...told].find((one) => isAttachmentOf(attachment, one));
    return volume === undefined ? [] : [{ volume, attachment }];
  });
}

function elsewhere(volume: WantedVolume, nodeName: string, { cached }: Caches): readonly VolumeAttachment[] {
  const attachments = cached(VolumeAttachments);
  attachments.addIndex(attachmentsByVolume, ({ spec: { source } }) =>
    source.persistentVolumeName === undefined ? [] : [source.persistentVolumeName],
  );
  return attachments
    .byIndex(attachmentsByVolume, volume.persistentVolume.metadata.name)
    .filter((attachment) => attachment.spec.nodeName !== nodeName && isAttachmentOf(attachment, volume));
}

function usersElsewhere(volume: WantedVolume, nodeName: string, caches: Caches): readonly Pod[] {
  const holders = new Set(elsewhere(volume, nodeName, caches).map(({ spec }) => spec.nodeName));
  return podsOfClaim(volume.persistentVolume.spec.claimRef ?? {}, caches).filter(({ spec }) =>
    holders.has(spec.nodeName ?? ""),
  );
}

function podsOfClaim(
  { namespace, name }: { readonly namespace?: string | undefined; readonly name?: string | undefined },
  { cached }: Caches,
): readonly Pod[] {
  const pods = cached(Pods);
  pods.addIndex(podsByClaim, (pod) => claimsOf(pod).map((claim) => `${pod.metadata.namespace}/${claim}`));
  return pods.byIndex(podsByClaim, `${namespace}/${name}`);
}

const nodesOfClaim = (
  ref: { readonly namespace?: string | undefined; readonly name?: string | undefined },
  caches: Caches,
): readonly ObjectRef[] =>
  podsOfClaim(ref, caches).flatMap(({ spec }) => (spec.nodeName ? [{ name: spec.nodeName }] : []));

const nodesOf = (volume: PersistentVolume | undefined, caches: Caches): readonly ObjectRef[] =>
  volume?.spec.claimRef === undefined ? [] : nodesOfClaim(volume.spec.claimRef, caches);
