import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Container, PodSpec } from "../generated/types/core-v1.ts";
import { featuresToChange, featuresToRun } from "./declared-features.ts";

const rule = (action: string) => [{ action, exitCodes: { operator: "In", values: [1] } }];
const spec = (more: Partial<PodSpec> = {}): PodSpec => ({ containers: [{ name: "main" }], ...more });
const first = (cpu: string, more: Partial<Container> = {}) =>
  spec({ initContainers: [{ name: "first", resources: { requests: { cpu } }, ...more }] });

describe("features of nodes", () => {
  for (const [what, of, expected] of [
    ["nothing that is new", spec(), []],
    [
      "a container that is started anew alone",
      spec({ containers: [{ name: "a", restartPolicyRules: rule("Restart") }] }),
      [],
    ],
    [
      "containers that are all started anew",
      spec({ containers: [{ name: "a", restartPolicyRules: rule("RestartAllContainers") }] }),
      ["RestartAllContainersOnContainerExits"],
    ],
    [
      "the same for one that runs first",
      first("1", { restartPolicyRules: rule("RestartAllContainers") }),
      ["RestartAllContainersOnContainerExits"],
    ],
    ["the node's network", spec({ hostNetwork: true }), []],
    [
      "the node's network, and users of its own",
      spec({ hostNetwork: true, hostUsers: false }),
      ["UserNamespacesHostNetworkSupport"],
    ],
  ] as const)
    it(`are needed to run ${what}`, () => assert.deepEqual(featuresToRun(of), expected));

  for (const [what, old, now, expected] of [
    ["nothing", first("1"), first("1"), []],
    ["a container", spec(), spec({ containers: [{ name: "main", resources: { requests: { cpu: "1" } } }] }), []],
    ["a sidecar", first("1", { restartPolicy: "Always" }), first("2", { restartPolicy: "Always" }), []],
    ["what runs first", first("1"), first("2"), ["InPlacePodVerticalScalingInitContainers"]],
    [
      "the whole pod",
      spec({ resources: { requests: { cpu: "1" } } }),
      spec({ resources: { requests: { cpu: "2" } } }),
      ["InPlacePodLevelResourcesVerticalScaling"],
    ],
    ["the whole pod in name only", spec(), spec({ resources: {} }), []],
  ] as const)
    it(`are needed to change ${what}`, () => assert.deepEqual(featuresToChange(old, now), expected));
});
