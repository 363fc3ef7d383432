import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Pod } from "@skiff/api";
import { pod } from "./fixtures/objects.ts";
import { podFacts } from "./pod-facts.ts";

const infeasible = [{ type: "PodResizePending", status: "True", reason: "Infeasible" }];
const has = (cpu: string, promised = cpu) => ({
  name: "main",
  image: "x",
  imageID: "x",
  ready: true,
  restartCount: 0,
  resources: { requests: { cpu } },
  allocatedResources: { cpu: promised },
});

/** The milli-cores for which a pod on a node is counted that asks for some, and of which the node tells the rest. */
const counted = (cpu: string, status: Pod["status"], spec: Partial<Pod["spec"]> = { nodeName: "a" }) =>
  podFacts({ ...pod("p", spec, { requests: { cpu } }), status }).requests.get("cpu");

describe("a pod that is resized", () => {
  const table: readonly [string, string, Pod["status"], number][] = [
    ["what it asks for, of old nodes", "1", { containerStatuses: [{ ...has("2"), resources: undefined }] }, 1000],
    ["what it asks for, once it has it", "1", { containerStatuses: [has("1")] }, 1000],
    ["what it still has, while it shrinks", "1", { containerStatuses: [has("2", "1")] }, 2000],
    ["what it was promised", "1", { containerStatuses: [has("1", "2")] }, 2000],
    ["what it will have, while it grows", "3", { containerStatuses: [has("1500m")] }, 3000],
    ["what it has, if it can never grow", "90", { containerStatuses: [has("1")], conditions: infeasible }, 1000],
  ];
  for (const [what, asked, status, expected] of table) {
    it(`counts for ${what}`, () => assert.equal(counted(asked, status), expected));
  }

  it("counts sidecars so, and containers that have ended as they are", () => {
    const resources = { requests: { cpu: "1" } };
    const initContainers = [
      { name: "side", image: "x", restartPolicy: "Always", resources },
      { name: "once", image: "x", resources },
    ];
    const initContainerStatuses = ["side", "once"].map((name) => ({ ...has("2"), name }));
    assert.equal(counted("1", { initContainerStatuses }, { nodeName: "a", initContainers }), 3000);
  });

  it("counts as a whole where it asks as a whole", () => {
    const spec = { nodeName: "a", resources: { requests: { cpu: "4" } } };
    assert.equal(counted("1", { resources: { requests: { cpu: "5" } } }, spec), 5000);
    // Of resources that it does not ask for as a whole, what its containers have is told by their own statuses.
    const told = {
      ...pod("p", spec, { requests: { memory: "1Gi" } }),
      status: { resources: { requests: { memory: "2Gi" } } },
    };
    assert.equal(podFacts(told).requests.get("memory"), 2 ** 30);
  });
});
