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
import type { StorageDriver } from "../storage-driver.ts";
import { sizeText } from "../volume-provisioner/plan.ts";
import { driverParameters } from "../volume-provisioner/secret-refs.ts";
import { capacitiesOf, isAbout, needsCapacity, newCapacity, segmentsOf } from "./plan.ts";

const pollMs = 60_000;
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
    reads: [Nodes],
    watches: [
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
  const { cached, client, signal } = context;
  const { name } = storageClass.metadata;
  const known = capacitiesOf(cached(CSIStorageCapacities).list(), driver.name, name);
  const parameters = driverParameters(storageClass.parameters ?? {});
  const kept: CSIStorageCapacity[] = [];
  const places = segmentsOf(driver.name, cached(CSINodes).list(), (node) => cached(Nodes).get(node));
  for (const segments of places) {
    const bytes = await driver.capacity({ parameters, segments }, signal);
    const capacity = sizeText(bytes - (bytes % granuleBytes));
    const found = known.find((one) => isAbout(one, segments));
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
  return againIn(pollMs);
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
