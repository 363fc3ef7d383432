import assert from "node:assert/strict";
import { test } from "node:test";
import { LimitRanges, PersistentVolumeClaims, type Pod, StatusError } from "@skiff/api";
import type { AdmissionRequest } from "../contracts.ts";
import { admissionRequest, firstRound } from "../fixtures/admission-request.ts";
import { fakeTable } from "../fixtures/fake-table.ts";
import { namespacedMeta } from "../fixtures/objects.ts";
import { limitRanger } from "./limit-ranger.ts";

const pod = (...resources: readonly NonNullable<Pod["spec"]>["containers"][number]["resources"][]): Pod => ({
  kind: "Pod",
  metadata: namespacedMeta("web"),
  spec: {
    containers: resources.map((item, index) => ({
      name: `c${index}`,
      ...(item === undefined ? {} : { resources: item }),
    })),
  },
  status: {},
});

const request = (object: Pod): AdmissionRequest => admissionRequest({ name: "web", object });

const ranger = (limits: readonly object[]) =>
  limitRanger(fakeTable([[LimitRanges, [{ metadata: namespacedMeta("limits"), spec: { limits } }]]]));

test("defaults", async () => {
  const plugin = ranger([{ type: "Container", default: { cpu: "1", memory: "1Gi" }, defaultRequest: { cpu: "100m" } }]);
  const made = pod({ limits: { cpu: "2" } });
  await plugin.admit?.(request(made), firstRound);
  assert.deepEqual(made.spec?.containers[0]?.resources, {
    limits: { cpu: "2", memory: "1Gi" },
    requests: { cpu: "100m" },
  });
  assert.equal(
    made.metadata.annotations?.["kubernetes.io/limit-ranger"],
    "LimitRanger plugin set: cpu request for container c0; memory limit for container c0",
  );
});

test("bounds", async () => {
  const cases: readonly (readonly [object, Pod, string])[] = [
    [
      { type: "Container", min: { cpu: "100m" } },
      pod({ requests: { cpu: "50m" } }),
      "minimum cpu usage per Container is 100m, but request is 50m",
    ],
    [{ type: "Container", max: { cpu: "1" } }, pod({}), "maximum cpu usage per Container is 1.  No limit is specified"],
    [
      { type: "Pod", max: { cpu: "1" } },
      pod({ limits: { cpu: "600m" } }, { limits: { cpu: "600m" } }),
      "maximum cpu usage per Pod is 1, but limit is 1200m",
    ],
    [
      { type: "Container", maxLimitRequestRatio: { cpu: "2" } },
      pod({ requests: { cpu: "1" }, limits: { cpu: "3" } }),
      "cpu max limit to request ratio per Container is 2, but provided ratio is 3.000000",
    ],
    [
      { type: "Container", min: { cpu: "1" }, max: { cpu: "2" } },
      pod({ requests: { cpu: "1" }, limits: { cpu: "2" } }),
      "",
    ],
  ];
  for (const [item, made, expected] of cases) {
    const message = await (async () => ranger([item]).validate?.(request(made)))().then(
      () => "",
      (error: unknown) => (error instanceof StatusError ? error.message : String(error)),
    );
    assert.equal(message, expected === "" ? "" : `pods "web" is forbidden: ${expected}`);
  }
});

test("claims are bounded by what they ask for", () => {
  const plugin = ranger([{ type: "PersistentVolumeClaim", min: { storage: "1Gi" }, max: { storage: "5Gi" } }]);
  const asked = (storage?: string, operation: "CREATE" | "UPDATE" = "CREATE"): string => {
    const spec = { resources: storage === undefined ? {} : { requests: { storage } } };
    const object = { metadata: namespacedMeta("c"), spec };
    const whole = admissionRequest({ resource: PersistentVolumeClaims, operation, name: "c", object });
    assert(plugin.handles(whole));
    try {
      plugin.validate?.(whole);
      return "";
    } catch (error) {
      assert(error instanceof StatusError);
      return error.message.replace(/^.* is forbidden: /, "");
    }
  };
  assert.equal(asked("2Gi"), "");
  assert.equal(asked("1Mi"), "minimum storage usage per PersistentVolumeClaim is 1Gi, but request is 1Mi");
  assert.equal(asked("6Gi", "UPDATE"), "maximum storage usage per PersistentVolumeClaim is 5Gi, but request is 6Gi");
});
