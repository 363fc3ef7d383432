import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Deployment, ReplicaSet } from "@skiff/api";
import { deploymentOf, setNamed } from "../fixtures/objects.ts";
import { planRollback } from "./rollback.ts";

const wishKey = "deprecated.deployment.rollback.to";
const revisionKey = "deployment.kubernetes.io/revision";
const causeKey = "kubernetes.io/change-cause";

const wishing = (to: string | undefined): Deployment => {
  const deployment = deploymentOf({});
  const wish = to === undefined ? {} : { [wishKey]: to };
  const annotations = { [revisionKey]: "3", [causeKey]: "edit", ...wish };
  return { ...deployment, metadata: { ...deployment.metadata, annotations } };
};

function set(name: string, revision: number, image: string): ReplicaSet {
  const plain = setNamed(name, { replicas: 0, image });
  const annotations = { [revisionKey]: String(revision), [causeKey]: `made ${name}` };
  const template = { ...plain.spec.template, metadata: { labels: { app: "web", "pod-template-hash": name } } };
  return { ...plain, metadata: { ...plain.metadata, annotations }, spec: { ...plain.spec, template } };
}

const sets = [set("first", 1, "first"), set("second", 2, "second"), set("third", 3, "new")];

describe("going back to a revision by annotation", () => {
  for (const [what, to, of, image, told] of [
    ["the one before", "0", sets, "second", 'Normal DeploymentRollback Rolled back deployment "web" to revision 2'],
    ["one by its number", "1", sets, "first", 'Normal DeploymentRollback Rolled back deployment "web" to revision 1'],
    [
      "the present one",
      "3",
      sets,
      "new",
      'Warning DeploymentRollbackTemplateUnchanged The rollback revision contains the same template as current deployment "web"',
    ],
    [
      "one that is not there",
      "7",
      sets,
      "new",
      "Warning DeploymentRollbackRevisionNotFound Unable to find the revision to rollback to.",
    ],
    [
      "the one before the first",
      "0",
      sets.slice(2),
      "new",
      "Warning DeploymentRollbackRevisionNotFound Unable to find last revision.",
    ],
  ] as const)
    it(`to ${what}`, () => {
      const { deployment, event } = planRollback(wishing(to), of) ?? {};
      assert.equal(`${event?.type} ${event?.reason} ${event?.message}`, told);
      assert.equal(deployment?.spec.template.spec?.containers[0]?.image, image);
      assert.equal(deployment?.metadata.annotations?.[wishKey], undefined);
    });

  it("brings back what the Deployment was annotated with, and no label that tells sets apart", () => {
    const { deployment } = planRollback(wishing("1"), sets) ?? {};
    assert.deepEqual(deployment?.metadata.annotations, { [revisionKey]: "3", [causeKey]: "made first" });
    assert.deepEqual(deployment?.spec.template.metadata?.labels, { app: "web" });
  });

  for (const [what, to, of] of [
    ["nobody wishes it", undefined, sets],
    ["the wish is no number", "back", sets],
    ["the present template has no set yet", "0", sets.slice(0, 2)],
    ["the present set is not counted as the newest yet", "0", [set("third", 1, "new"), set("second", 2, "second")]],
  ] as const)
    it(`waits while ${what}`, () => assert.equal(planRollback(wishing(to), of), undefined));
});
