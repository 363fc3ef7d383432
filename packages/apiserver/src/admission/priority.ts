import { type Pod, Pods, PriorityClasses } from "@skiff/api";
import type { AdmissionPlugin, AdmissionRequest, ResourceTable } from "../contracts.ts";
import { objectOf, oldObjectOf, refused } from "./narrow.ts";

/** Turns `priorityClassName` into the number that scheduling and eviction compare. */
export function priorityAdmission(table: ResourceTable): AdmissionPlugin {
  return {
    name: "Priority",
    resources: [Pods, PriorityClasses],
    handles: ({ operation, subresource }) =>
      (operation === "CREATE" || operation === "UPDATE") && subresource === undefined,
    async admit(request) {
      const pod = objectOf(request, Pods);
      if (pod === undefined) return;
      const old = oldObjectOf(request, Pods);
      if (old === undefined) await resolve(request, pod, table);
      else keep(pod, old);
    },
    validate: (request) => checkOnlyDefault(request, table),
  };
}

/** Updates that leave the fields out do not change them. */
function keep(pod: Pod, old: Pod): void {
  const { priority, preemptionPolicy } = old.spec ?? {};
  if (pod.spec === undefined) return;
  if (pod.spec.priority === undefined && priority !== undefined) pod.spec.priority = priority;
  if (pod.spec.preemptionPolicy === undefined && preemptionPolicy !== undefined) {
    pod.spec.preemptionPolicy = preemptionPolicy;
  }
}

async function resolve(request: AdmissionRequest, { spec }: Pod, table: ResourceTable): Promise<void> {
  if (spec === undefined) return;
  const classes = table.of(PriorityClasses);
  const { priorityClassName: name } = spec;
  const found = name
    ? (classes.peek({ name }) ?? (await classes.get({ name }).catch(() => undefined)))
    : // Of several defaults, which only a race can make, the lowest counts.
      classes
        .peekAll()
        .filter(({ globalDefault }) => globalDefault === true)
        .sort((a, b) => (a.value ?? 0) - (b.value ?? 0))[0];
  if (name && found === undefined) throw refused(request, `no PriorityClass with name ${name} was found`);
  if (found !== undefined) spec.priorityClassName = found.metadata.name;
  const priority = found?.value ?? 0;
  const policy = found?.preemptionPolicy ?? "PreemptLowerPriority";
  const computed = (what: string, given: unknown, value: unknown) =>
    `the ${what} (${given}) must not be provided in pod spec; priority admission controller computed ${value} from the given PriorityClass name`;
  if (spec.priority !== undefined && spec.priority !== priority) {
    throw refused(request, computed("integer value of priority", spec.priority, priority));
  }
  if (spec.preemptionPolicy !== undefined && spec.preemptionPolicy !== policy) {
    throw refused(request, computed("string value of PreemptionPolicy", spec.preemptionPolicy, policy));
  }
  spec.priority = priority;
  spec.preemptionPolicy = policy;
}

function checkOnlyDefault(request: AdmissionRequest, table: ResourceTable): void {
  const made = objectOf(request, PriorityClasses);
  if (made?.globalDefault !== true) return;
  const other = table
    .of(PriorityClasses)
    .peekAll()
    .find(({ globalDefault, metadata }) => globalDefault === true && metadata.name !== made.metadata.name);
  if (other !== undefined) {
    throw refused(
      request,
      `PriorityClass ${other.metadata.name} is already marked as default. Only one default can exist`,
    );
  }
}
