import {
  CSIDrivers,
  CSINodes,
  CSIStorageCapacities,
  type CSIStorageCapacity,
  isNotFound,
  Nodes,
  type StorageClass,
  StorageClasses,
} from "@skiff/api";
import { describeError } from "@skiff/base";
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
import { isNodeReady } from "../node-lifecycle/plan.ts";
import type { Segments, StorageDriver } from "../storage-driver.ts";
import { watchingReturns } from "../volume-provisioner/node-returns.ts";
import { isAt } from "../volume-provisioner/places.ts";
import { sizeText } from "../volume-provisioner/plan.ts";
import { driverParameters } from "../volume-provisioner/secret-refs.ts";
import { capacitiesOf, isAbout, needsCapacity, newCapacity, segmentsOf } from "./plan.ts";

const pollMs = 60_000;
/** A node that was made known a moment ago may not answer yet. */
const silentMs = 5_000;
const granuleBytes = 1024 ** 2;

/**
 * Tells the scheduler how much storage is left where, for the driver whose object asks for that.
 * https://kubernetes.io/docs/concepts/storage/storage-capacity/
 */
export const volumeCapacity = (driver: StorageDriver): Loop => {
  const all = (_: unknown, { cached }: Caches) =>
    cached(StorageClasses)
      .list()
      .filter(({ provisioner }) => provisioner === driver.name)
      .map(({ metadata }) => metadata);
  return defineController<StorageClass>({
    name: `volume-capacity-${driver.name}`,
    component: driver.name,
    for: StorageClasses,
    watches: [
      watchingReturns(all),
      watching(CSIDrivers, all, (old, now) => old.spec.storageCapacity !== now.spec.storageCapacity),
      watching(CSINodes, all),
      // What is left changes all the time: objects that are written need no second look, those that others deleted do.
      watching(
        CSIStorageCapacities,
        ({ storageClassName }) => [{ name: storageClassName }],
        () => false,
      ),
    ],
    async reconcile(storageClass, context) {
      const { cached } = context;
      const object = cached(CSIDrivers).get(driver.name);
      const wanted = object?.spec.storageCapacity === true && needsCapacity(storageClass, driver.name);
      return wanted
        ? await publish(storageClass, driver, context)
        : await retract(storageClass.metadata.name, [], driver, context);
    },
    gone: ({ name }, context) => retract(name, [], driver, context),
  });
};

async function publish(storageClass: StorageClass, driver: StorageDriver, context: ReconcileContext): Promise<Outcome> {
  const { cached, client, logger, signal } = context;
  const { name } = storageClass.metadata;
  const known = capacitiesOf(cached(CSIStorageCapacities).list(), driver.name, name);
  const parameters = driverParameters(storageClass.parameters ?? {});
  const kept: CSIStorageCapacity[] = [];
  let recheckMs = pollMs;
  const capacityAt = async (segments: Segments): Promise<number | undefined> => {
    const nodes = cached(Nodes).list();
    if (!nodes.some((node) => isNodeReady(node) && isAt(node, segments))) return undefined;
    try {
      return await driver.capacity({ parameters, segments }, signal);
    } catch (error) {
      signal.throwIfAborted();
      logger.warn(`${driver.name} does not tell its capacity at ${JSON.stringify(segments)}: ${describeError(error)}`);
      recheckMs = silentMs;
      return undefined;
    }
  };
  const places = segmentsOf(driver.name, cached(CSINodes).list(), (node) => cached(Nodes).get(node));
  for (const segments of places) {
    const found = known.find((one) => isAbout(one, segments));
    const bytes = await capacityAt(segments);
    if (bytes === undefined) {
      // The last word of a node that does not answer stays; the others are not to wait for it.
      if (found !== undefined) kept.push(found);
      continue;
    }
    const capacity = sizeText(bytes - (bytes % granuleBytes));
    if (found === undefined) {
      // The cache may know it by the time the rest is retracted.
      const made = newCapacity(driver.name, name, { segments, capacity });
      kept.push(await client.create(CSIStorageCapacities, made, { signal }));
      continue;
    }
    kept.push(found);
    if (found.capacity !== capacity) await client.update(CSIStorageCapacities, { ...found, capacity }, { signal });
  }
  await retract(name, kept, driver, context);
  return againIn(recheckMs);
}

async function retract(
  storageClass: string,
  except: readonly CSIStorageCapacity[],
  driver: StorageDriver,
  { cached, client, signal }: ReconcileContext,
): Promise<Outcome> {
  for (const one of capacitiesOf(cached(CSIStorageCapacities).list(), driver.name, storageClass)) {
    if (except.some(({ metadata }) => metadata.uid === one.metadata.uid)) continue;
    await client.delete(CSIStorageCapacities, one.metadata, { signal }).catch((error: unknown) => {
      if (!isNotFound(error)) throw error;
    });
  }
  return done;
}
