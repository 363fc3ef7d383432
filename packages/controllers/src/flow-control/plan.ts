import type { Bootstrapped, FlowSchema, FlowSchemaCondition } from "@skiff/api";
import { jsonEqual, timestamp } from "@skiff/base";

/** Says whether a suggested object follows what this version of the server suggests. */
export const autoUpdateAnnotation = "apf.kubernetes.io/autoupdate-spec";

interface Kept<Spec> {
  readonly metadata: {
    readonly name: string;
    readonly generation?: number | undefined;
    readonly annotations?: Readonly<Record<string, string>> | undefined;
  };
  readonly spec: Spec;
}

/** The object as it is created. */
export const newObject = <Spec>({ name, spec }: Bootstrapped<Spec>) => ({
  metadata: { name, annotations: { [autoUpdateAnnotation]: "true" } },
  spec,
  status: {},
});

/**
 * The object with the spec that it shall have, or `undefined` where it has it already or somebody took it over. A suggested
 * object follows for as long as its annotation says so; without one, for as long as nobody has changed its spec.
 */
export function kept<Spec, T extends Kept<Spec>>(object: T, wanted: Bootstrapped<Spec>): T | undefined {
  const { metadata } = object;
  const annotation = metadata.annotations?.[autoUpdateAnnotation];
  const follows = wanted.mandatory || (annotation === undefined ? metadata.generation === 1 : annotation === "true");
  const annotated = annotation === "true" || (!wanted.mandatory && annotation !== undefined);
  const spec = follows && !jsonEqual(object.spec, wanted.spec) ? wanted.spec : undefined;
  if (spec === undefined && annotated) return undefined;
  const annotations = {
    ...metadata.annotations,
    [autoUpdateAnnotation]: String(wanted.mandatory || follows),
  };
  return { ...object, metadata: { ...metadata, annotations }, spec: spec ?? object.spec };
}

/** The status condition that tells whether a schema's level exists; `undefined` where the schema has it already. */
export function danglingConditions(
  { spec, status }: FlowSchema,
  levelExists: boolean,
  nowMs: number,
): FlowSchemaCondition[] | undefined {
  const name = JSON.stringify(spec.priorityLevelConfiguration.name);
  const start = `This FlowSchema references the PriorityLevelConfiguration object named ${name}`;
  const wanted = {
    type: "Dangling",
    status: levelExists ? "False" : "True",
    reason: levelExists ? "Found" : "NotFound",
    message: levelExists ? `${start} and it exists` : `${start} but there is no such object`,
  };
  const conditions = status?.conditions ?? [];
  const before = conditions.find(({ type }) => type === "Dangling");
  if (before?.status === wanted.status && before.message === wanted.message) return undefined;
  const lastTransitionTime = before?.status === wanted.status ? before.lastTransitionTime : timestamp(nowMs);
  return [...conditions.filter((item) => item !== before), { ...wanted, lastTransitionTime }];
}
