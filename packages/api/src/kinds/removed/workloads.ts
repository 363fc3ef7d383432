import { deepCopy } from "@skiff/base";
import type { DynamicObject } from "../../object.ts";
import { objectIn } from "./members.ts";
import type { OldForm } from "./removed-version.ts";

/** Before `apps/v1`, whoever named no selector selected by the template's labels. */
function selectByTemplate(object: DynamicObject): void {
  const spec = objectIn(object, "spec");
  const labels = objectIn(objectIn(objectIn(spec, "template"), "metadata"), "labels");
  if (spec.selector === undefined && Object.keys(labels).length > 0) spec.selector = { matchLabels: deepCopy(labels) };
}

const withoutSpecField = (field: string) => (object: DynamicObject) => {
  delete objectIn(object, "spec")[field];
  return object;
};

const same = (object: DynamicObject) => object;

/** What a Deployment of `apps/v1beta1` and before had that today's has not: `rollbackTo`, an action that is `kubectl rollout undo` today. */
export const oldDeployment: OldForm = {
  schema: "extensions.v1beta1.Deployment",
  defaults(deployment) {
    selectByTemplate(deployment);
    const spec = objectIn(deployment, "spec");
    spec.revisionHistoryLimit ??= 2;
    const strategy = objectIn(spec, "strategy");
    if ((strategy.type ?? "RollingUpdate") !== "RollingUpdate") return;
    spec.strategy = {
      ...strategy,
      rollingUpdate: { maxUnavailable: 1, maxSurge: 1, ...objectIn(strategy, "rollingUpdate") },
    };
  },
  toToday: withoutSpecField("rollbackTo"),
  fromToday: same,
};

/** Its pods were replaced only when somebody deleted them, where nothing else was said. */
export const oldDaemonSet: OldForm = {
  schema: "extensions.v1beta1.DaemonSet",
  defaults(set) {
    selectByTemplate(set);
    const spec = objectIn(set, "spec");
    spec.updateStrategy ??= { type: "OnDelete" };
  },
  toToday: withoutSpecField("templateGeneration"),
  fromToday: same,
};

/** A form that differs only in that its selector may be left out. */
export const selectorByTemplate = (schema: string): OldForm => ({ schema, defaults: selectByTemplate });

/** `apps/v1beta1` StatefulSets waited for deletion, too. */
export const oldStatefulSet: OldForm = {
  schema: "apps.v1.StatefulSet",
  defaults(set) {
    selectByTemplate(set);
    const spec = objectIn(set, "spec");
    spec.updateStrategy ??= { type: "OnDelete" };
  },
};
