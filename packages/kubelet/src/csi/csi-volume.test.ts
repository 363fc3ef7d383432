import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { CSIDriver } from "@skiff/api";
import { accessMode, nodeFeature } from "@skiff/csi";
import { type CsiVolume, capabilityOf, fsGroupUse, lifecycleRefusal } from "./csi-volume.ts";
import { failedStatus, grownStatus } from "./resized-claim.ts";

const volume: CsiVolume = {
  driver: "d.example.com",
  handle: "h",
  attributes: {},
  fsType: "ext4",
  readonly: false,
  inline: false,
  accessModes: ["ReadWriteOnce"],
  mountOptions: ["noatime"],
  stageSecret: undefined,
  publishSecret: undefined,
  expandSecret: undefined,
};
const objectOf = (spec: CSIDriver["spec"]): CSIDriver => ({
  metadata: { name: volume.driver, uid: "u", resourceVersion: "1", creationTimestamp: "2026-01-01T00:00:00Z" },
  spec,
});

describe("volumes of storage drivers", () => {
  it("are asked for by the first of their access modes, in words that the driver knows", () => {
    const modes = [
      [["ReadWriteOnce"], accessMode.singleNodeWriter, accessMode.singleNodeMultiWriter],
      [["ReadWriteOncePod"], accessMode.singleNodeWriter, accessMode.singleNodeSingleWriter],
      [["ReadOnlyMany"], accessMode.multiNodeReaderOnly, accessMode.multiNodeReaderOnly],
      [["ReadWriteMany", "ReadWriteOnce"], accessMode.multiNodeMultiWriter, accessMode.multiNodeMultiWriter],
      [["ReadWriteOnce", "ReadWriteMany"], accessMode.singleNodeWriter, accessMode.singleNodeMultiWriter],
      [[], accessMode.singleNodeWriter, accessMode.singleNodeMultiWriter],
    ] as const;
    for (const [accessModes, plain, knowing] of modes) {
      const of = (...features: number[]) =>
        capabilityOf({ ...volume, accessModes }, "Filesystem", { features: new Set(features) }).accessMode?.mode;
      assert.deepEqual([of(), of(nodeFeature.singleNodeMultiWriter)], [plain, knowing], String(accessModes));
    }
  });

  it("get the pod's group told where the driver gives it the files itself", () => {
    const of = (...features: number[]) =>
      capabilityOf(volume, "Filesystem", { features: new Set(features), group: 7 }).mount?.volumeMountGroup;
    assert.deepEqual([of(), of(nodeFeature.volumeMountGroup)], ["", "7"]);
  });

  it("are given to the pod's group as the driver's policy says", () => {
    const use = (policy: string | undefined, more: Partial<CsiVolume> = {}) =>
      fsGroupUse({ ...volume, ...more }, policy === undefined ? undefined : objectOf({ fsGroupPolicy: policy }));
    assert.equal(use(undefined), "byPolicy");
    assert.equal(use("None"), "never");
    assert.equal(use("File", { fsType: "", accessModes: ["ReadWriteMany"] }), "byPolicy");
    assert.equal(use("File", { readonly: true }), "never");
    assert.equal(use("ReadWriteOnceWithFSType", { fsType: "" }), "never");
    assert.equal(use("ReadWriteOnceWithFSType", { accessModes: ["ReadWriteMany"] }), "never");
    assert.equal(use("ReadWriteOnceWithFSType", { accessModes: ["ReadWriteOncePod"] }), "byPolicy");
  });

  it("are refused where the driver offers no such ones", () => {
    const both = objectOf({ volumeLifecycleModes: ["Persistent", "Ephemeral"] });
    const inline = { ...volume, inline: true };
    assert.equal(lifecycleRefusal(volume, undefined), undefined);
    assert.equal(lifecycleRefusal(inline, both), undefined);
    assert.match(lifecycleRefusal(inline, undefined) ?? "", /"Ephemeral" not supported .* \(no CSIDriver object\)$/);
    const refused = lifecycleRefusal(volume, objectOf({ volumeLifecycleModes: ["Ephemeral"] }));
    assert.equal(
      refused,
      'volume mode "Persistent" not supported by driver d.example.com (only supports ["Ephemeral"])',
    );
  });
});

describe("a claim that grows", () => {
  const status = {
    phase: "Bound",
    capacity: { storage: "1Gi" },
    allocatedResources: { storage: "2Gi" },
    allocatedResourceStatuses: { storage: "NodeResizePending" },
    conditions: [{ type: "FileSystemResizePending", status: "True" }],
  };

  it("has its size once the node is done, and nothing to say any more", () => {
    const failed = failedStatus(status, { why: "w", infeasible: false, now: "2026-01-01T00:00:00Z" });
    const { allocatedResourceStatuses, conditions, capacity } = grownStatus(failed, "2Gi");
    assert.deepEqual([allocatedResourceStatuses, conditions, capacity], [undefined, undefined, { storage: "2Gi" }]);
  });

  it("says once what is wrong", () => {
    const now = "2026-01-01T00:00:00Z";
    const once = failedStatus(status, { why: "in use", infeasible: false, now });
    assert.deepEqual(once.conditions?.at(-1), {
      type: "NodeResizeError",
      status: "True",
      lastTransitionTime: now,
      message: "failed to expand pvc with in use",
    });
    assert.deepEqual(failedStatus(once, { why: "in use", infeasible: false, now: "2026-01-02T00:00:00Z" }), once);
    const never = failedStatus(once, { why: "too large", infeasible: true, now });
    assert.deepEqual(never.allocatedResourceStatuses, { storage: "NodeResizeInfeasible" });
    assert.equal(never.conditions?.filter(({ type }) => type === "NodeResizeError").length, 1);
  });
});
