import {
  bootstrapFlowSchemas,
  bootstrapPriorityLevels,
  FlowSchemas,
  isAlreadyExists,
  type KubeObject,
  type New,
  PriorityLevelConfigurations,
  type ResourceDefinition,
} from "@skiff/api";
import { defineController, done, type Loop, type ReconcileContext, watching } from "@skiff/control-loop";
import { danglingConditions, kept, newObject } from "./plan.ts";

async function create<T extends KubeObject>(
  resource: ResourceDefinition<T>,
  object: New<T> | undefined,
  { client, signal }: ReconcileContext,
): Promise<void> {
  if (object === undefined) return;
  await client.create(resource, object, { signal }).catch((error: unknown) => {
    if (!isAlreadyExists(error)) throw error;
  });
}

/** Keeps the priority levels that every cluster has. https://kubernetes.io/docs/concepts/cluster-administration/flow-control/ */
const priorityLevelController: Loop = defineController({
  name: "priority-level",
  component: "api-priority-and-fairness-config-producer-v1",
  for: PriorityLevelConfigurations,
  expected: bootstrapPriorityLevels.map(({ name }) => ({ name })),
  async reconcile(level, { client, signal }) {
    const wanted = bootstrapPriorityLevels.find(({ name }) => name === level.metadata.name);
    if (wanted === undefined || level.metadata.deletionTimestamp !== undefined) return done;
    // How much the exempt level lends is the administrator's to say.
    const spec = wanted.name === "exempt" ? { ...wanted.spec, exempt: level.spec.exempt } : wanted.spec;
    const changed = kept(level, { ...wanted, spec });
    if (changed !== undefined) await client.update(PriorityLevelConfigurations, changed, { signal });
    return done;
  },
  async gone({ name }, context) {
    const wanted = bootstrapPriorityLevels.find((level) => level.name === name);
    await create(PriorityLevelConfigurations, wanted && newObject(wanted), context);
    return done;
  },
});

/** Keeps the flow schemas that every cluster has, and says of each schema whether its level exists. */
const flowSchemaController: Loop = defineController({
  name: "flow-schema",
  component: "api-priority-and-fairness-config-consumer-v1",
  for: FlowSchemas,
  expected: bootstrapFlowSchemas.map(({ name }) => ({ name })),
  watches: [
    watching(PriorityLevelConfigurations, ({ metadata }, { cached }) =>
      cached(FlowSchemas)
        .list()
        .filter(({ spec }) => spec.priorityLevelConfiguration.name === metadata.name)
        .map((schema) => schema.metadata),
    ),
  ],
  async reconcile(schema, { client, cached, clock, signal }) {
    if (schema.metadata.deletionTimestamp !== undefined) return done;
    const wanted = bootstrapFlowSchemas.find(({ name }) => name === schema.metadata.name);
    const changed = wanted && kept(schema, wanted);
    if (changed !== undefined) {
      await client.update(FlowSchemas, changed, { signal });
      return done;
    }
    const level = cached(PriorityLevelConfigurations).get(schema.spec.priorityLevelConfiguration.name);
    const conditions = danglingConditions(schema, level !== undefined, clock.now());
    if (conditions !== undefined) {
      await client.updateStatus(FlowSchemas, { ...schema, status: { ...schema.status, conditions } }, { signal });
    }
    return done;
  },
  async gone({ name }, context) {
    const wanted = bootstrapFlowSchemas.find((schema) => schema.name === name);
    await create(FlowSchemas, wanted && newObject(wanted), context);
    return done;
  },
});

/** Both of them. */
export const flowControlControllers: readonly Loop[] = [priorityLevelController, flowSchemaController];
