import {
  defaultStorageClass,
  isPodTerminal,
  type PersistentVolume,
  type PersistentVolumeClaim,
  PersistentVolumeClaims,
  PersistentVolumes,
  Pods,
  StorageClasses,
} from "@skiff/api";
import {
  type Caches,
  defineController,
  done,
  type Loop,
  type Outcome,
  type ReconcileContext,
  watching,
} from "@skiff/control-loop";
import { claimsOf } from "../storage-protection/plan.ts";
import { bind, setClaimStatus, unboundStatus } from "./bind.ts";
import { type ClaimPlan, type ClaimSurroundings, planClaim } from "./claim-plan.ts";
import { NewestVolumes } from "./newest-volumes.ts";
import { claimKey, storageProvisioner, storageProvisionerBeta } from "./words.ts";

const waitingIndex = "claims that wait for a volume";
const podIndex = "claims in use";

/** References of the claims that have no volume yet. */
function waitingClaims({ cached }: Caches): readonly { namespace: string; name: string }[] {
  const claims = cached(PersistentVolumeClaims);
  claims.addIndex(waitingIndex, ({ status }) => (status?.phase === "Bound" ? [] : ["waiting"]));
  return claims.byIndex(waitingIndex, "waiting").map(({ metadata }) => metadata);
}

/** A volume concerns the claim that it names, and while it is free, all that wait for one. */
function concerned(volume: PersistentVolume, caches: Caches): readonly { namespace: string; name: string }[] {
  const { namespace, name } = volume.spec.claimRef ?? {};
  if (namespace && name) return [{ namespace, name }];
  return volume.status?.phase === "Available" ? waitingClaims(caches) : [];
}

/**
 * Finds volumes for claims and keeps them together.
 * https://kubernetes.io/docs/concepts/storage/persistent-volumes/#lifecycle-of-a-volume-and-claim
 */
export function claimBinder(): Loop {
  const newest = new NewestVolumes();
  return defineController<PersistentVolumeClaim>({
    name: "persistent-volume-claim-binder",
    component: "persistentvolume-controller",
    for: PersistentVolumeClaims,
    // Claims compete for volumes: one after the other they do not get in each other's way.
    workers: 1,
    watches: [
      watching(PersistentVolumes, concerned),
      watching(StorageClasses, (_class, caches) => waitingClaims(caches)),
      watching(
        Pods,
        (pod) => claimsOf(pod).map((name) => ({ namespace: pod.metadata.namespace, name })),
        (old, pod) => old.spec.nodeName !== pod.spec.nodeName,
      ),
    ],
    reconcile: (claim, context) =>
      perform(claim, planClaim(claim, surroundings(claim, newest, context)), { ...context, newest }),
  });
}

/** A context that remembers the volumes it writes. */
interface BindingContext extends ReconcileContext {
  readonly newest: NewestVolumes;
}

function surroundings(
  claim: PersistentVolumeClaim,
  newest: NewestVolumes,
  { cached }: ReconcileContext,
): ClaimSurroundings {
  const volumes = cached(PersistentVolumes);
  const classes = cached(StorageClasses);
  return {
    volume(name) {
      const volume = volumes.get(name);
      if (volume === undefined) newest.forget(name);
      return volume === undefined ? undefined : newest.of(volume);
    },
    volumes: () => volumes.list().map((volume) => newest.of(volume)),
    storageClass: (name) => classes.get(name),
    defaultClass: () => defaultStorageClass(classes.list())?.metadata.name,
    waitingPods() {
      const pods = cached(Pods);
      pods.addIndex(podIndex, (pod) =>
        claimsOf(pod).map((name) => claimKey({ namespace: pod.metadata.namespace, name })),
      );
      return pods
        .byIndex(podIndex, claimKey(claim.metadata))
        .filter((pod) => !pod.spec.nodeName && !isPodTerminal(pod))
        .map((pod) => pod.metadata.name);
    },
  };
}

async function perform(claim: PersistentVolumeClaim, plan: ClaimPlan, context: BindingContext): Promise<Outcome> {
  const { client, recorder, signal } = context;
  switch (plan.kind) {
    case "bind":
      await bind(claim, plan.volume, (volume) => context.newest.remember(volume), context);
      break;
    case "pending":
      if (plan.event !== undefined) recorder.record(PersistentVolumeClaims, claim, plan.event);
      await setClaimStatus(claim, unboundStatus(claim, "Pending"), context);
      break;
    case "lost":
      if (claim.status?.phase === "Lost") break;
      await setClaimStatus(claim, unboundStatus(claim, "Lost"), context);
      recorder.record(PersistentVolumeClaims, claim, plan.event);
      break;
    case "take class":
      await client.update(
        PersistentVolumeClaims,
        { ...claim, spec: { ...claim.spec, storageClassName: plan.name } },
        { signal },
      );
      break;
    case "provision":
      recorder.record(PersistentVolumeClaims, claim, plan.event);
      await askFor(plan.provisioner, claim, context);
      break;
  }
  return done;
}

/** Says on the claim who shall make its volume. */
async function askFor(
  provisioner: string,
  claim: PersistentVolumeClaim,
  context: ReconcileContext,
): Promise<PersistentVolumeClaim> {
  const said = claim.metadata.annotations;
  const pending = (written: PersistentVolumeClaim) =>
    setClaimStatus(written, unboundStatus(written, "Pending"), context);
  if (said?.[storageProvisioner] === provisioner && said[storageProvisionerBeta] === provisioner) return pending(claim);
  const annotations = { ...said, [storageProvisionerBeta]: provisioner, [storageProvisioner]: provisioner };
  const { client, signal } = context;
  return pending(
    await client.update(PersistentVolumeClaims, { ...claim, metadata: { ...claim.metadata, annotations } }, { signal }),
  );
}
