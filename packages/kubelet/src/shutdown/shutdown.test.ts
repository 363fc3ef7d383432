import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { ShutdownNotices, ShutdownWatch } from "@skiff/host";
import { SimulatedRuntime } from "@skiff/runtime";
import { defaultConfiguration, parseKubeletConfiguration } from "../config/kubelet-configuration.ts";
import { podOf } from "../fixtures/objects.ts";
import { startSimulatedNode } from "../fixtures/simulated-node.ts";
import { groupPods, shutdownGroups, shutdownMs } from "./shutdown-groups.ts";

const critical = 2_000_000_000;
const head = { apiVersion: "kubelet.config.k8s.io/v1beta1", kind: "KubeletConfiguration" };
const configuration = parseKubeletConfiguration({
  ...head,
  shutdownGracePeriod: "30s",
  shutdownGracePeriodCriticalPods: "10s",
});

describe("the time that pods have when the machine shuts down", () => {
  it("is none by default", () => assert.deepEqual(shutdownGroups(defaultConfiguration), []));

  it("is split between critical pods, who end last, and all others", () => {
    const groups = shutdownGroups(configuration);
    assert.deepEqual(groups, [
      { priority: 0, graceSeconds: 20 },
      { priority: critical, graceSeconds: 10 },
    ]);
    assert.equal(shutdownMs(groups), 30_000);
  });

  it("may be said by priority", () => {
    const { shutdownGracePeriodByPodPriority } = parseKubeletConfiguration({
      ...head,
      shutdownGracePeriodByPodPriority: [
        { priority: 1000, shutdownGracePeriodSeconds: 5 },
        { priority: 10, shutdownGracePeriodSeconds: 7 },
      ],
    });
    const groups = shutdownGroups({ ...defaultConfiguration, shutdownGracePeriodByPodPriority });
    const pods = [-5, 0, 10, 999, 1000, critical].map((priority) => podOf({ priority }));
    assert.deepEqual(
      groupPods(groups, pods).map((one) => [one.group.graceSeconds, one.pods.map(({ spec }) => spec.priority)]),
      [
        [7, [-5, 0, 10, 999]],
        [5, [1000, critical]],
      ],
    );
  });

  for (const [what, more, message] of [
    [
      "more for critical pods than for all",
      { shutdownGracePeriodCriticalPods: "5s" },
      /must be <= shutdownGracePeriod/,
    ],
    ["less than a second", { shutdownGracePeriod: "10ms" }, />= 1 sec/],
    [
      "both ways to say it",
      {
        shutdownGracePeriod: "5s",
        shutdownGracePeriodByPodPriority: [{ priority: 0, shutdownGracePeriodSeconds: 5 }],
      },
      /cannot be specified together/,
    ],
  ] as const)
    it(`cannot be ${what}`, () => assert.throws(() => parseKubeletConfiguration({ ...head, ...more }), message));
});

class Told implements ShutdownNotices {
  #watch: ShutdownWatch | undefined;
  released = 0;

  async watch(watch: ShutdownWatch, signal: AbortSignal): Promise<void> {
    this.#watch = watch;
    await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
  }

  release(): void {
    this.released++;
  }

  tell(shuttingDown: boolean): void {
    this.#watch?.onNotice(shuttingDown);
  }

  get delayMs(): number | undefined {
    return this.#watch?.delayMs;
  }
}

describe("a node whose machine shuts down", () => {
  it("ends its pods, critical ones last, takes no others, and says so", async () => {
    const notices = new Told();
    const host = { mounts: undefined, cgroups: undefined, shutdownNotices: notices };
    await using test = await startSimulatedNode((options) => new SimulatedRuntime(options), { host, configuration });
    const { node } = test;
    const phase = (name: string) => node.pod(name)?.status?.phase;
    const ready = () => {
      const conditions = JSON.stringify(node.api.get("nodes", "", "node-1"));
      return /"type":"Ready","status":"(\w+)"[^}]*"message":"([^"]*)"/.exec(conditions)?.slice(1).join(": ");
    };
    node.create("web", {});
    node.create("done", { restartPolicy: "Never" }, { annotations: { "skiff.dev/simulated-exit-code": "0" } });
    node.create("dns", { priority: critical });
    await test.until(() => phase("web") === "Running" && phase("dns") === "Running" && phase("done") === "Succeeded");
    assert.equal(notices.delayMs, 30_000);
    notices.tell(true);
    await test.until(() => phase("web") === "Failed");
    assert.equal(phase("dns"), "Running");
    await test.until(() => phase("dns") === "Failed" && notices.released === 1);
    for (const name of ["web", "dns"]) {
      const { reason, message, conditions } = node.pod(name)?.status ?? {};
      assert.deepEqual([reason, message], ["Terminated", "Pod was terminated in response to imminent node shutdown."]);
      const target = conditions?.find((one) => one.type === "DisruptionTarget");
      assert.deepEqual([target?.reason, target?.message], ["TerminationByKubelet", message]);
    }
    assert.equal(phase("done"), "Succeeded");
    await test.until(() => ready() === "False: node is shutting down");
    node.create("late", {});
    await test.until(() => phase("late") === "Failed");
    const late = node.pod("late")?.status;
    assert.deepEqual(
      [late?.reason, late?.message],
      ["NodeShutdown", "Pod was rejected: Pod was rejected as the node is shutting down."],
    );
    notices.tell(false);
    await test.until(() => ready() === "True: kubelet is posting ready status");
    node.create("again", {});
    await test.until(() => phase("again") === "Running");
    const told = node.events.filter((one) => one.reason === "NodeShutdown" && one.name === "node-1");
    assert.deepEqual(
      told.map((one) => one.message),
      ["Shutdown manager detected shutdown event", "Shutdown manager detected shutdown cancellation"],
    );
  });
});

describe("a pod that the cluster cannot do without", () => {
  it("comes to a full node all the same", async () => {
    await using test = await startSimulatedNode();
    const { node } = test;
    const phase = (name: string) => node.pod(name)?.status?.phase;
    const asks = (cpu: string) => [{ name: "main", image: "skiff/hello:1", resources: { requests: { cpu } } }];
    node.create("large", { containers: asks("3") });
    node.create("small", { containers: asks("500m") });
    await test.until(() => phase("large") === "Running" && phase("small") === "Running");
    node.create("vital", { priority: critical, containers: asks("2") });
    await test.until(() => phase("vital") === "Running");
    const { reason, message, conditions } = node.pod("large")?.status ?? {};
    assert.deepEqual(
      [phase("large"), reason, message],
      ["Failed", "Preempting", "Preempted in order to admit critical pod"],
    );
    assert.equal(
      conditions?.find((one) => one.type === "DisruptionTarget")?.message,
      "Pod was preempted by Kubelet to accommodate a critical pod.",
    );
    assert.equal(phase("small"), "Running");
    assert.ok(node.reasons("large").includes("Preempting"));
  });
});
