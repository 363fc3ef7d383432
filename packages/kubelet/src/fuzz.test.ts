import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Container, Pod } from "@skiff/api";
import { type Random, seededRandom } from "@skiff/base";
import type { NodeFixture } from "./fixtures/node-fixture.ts";
import { startSimulatedNode } from "./fixtures/simulated-node.ts";

/** Values that a server would seldom let through, but that may be stored all the same. */
function pod(random: Random, image: string): Partial<Pod["spec"]> {
  const pick = <T>(...items: readonly T[]): T | undefined => items[Math.floor(random.next() * items.length)];
  const some = <T>(make: () => T): T[] => Array.from({ length: Math.floor(random.next() * 3) }, make);
  let count = 0;
  const port = () => pick<number | string>(0, 80, "web", "", 99_999) ?? 80;
  const handler = () =>
    pick<object>(
      { exec: { command: pick<string[]>(["true"], ["false"], [], ["nonsense", "\0"]) } },
      { exec: {} },
      { httpGet: { port: port(), path: pick("/", "", "x y", "%zz"), host: pick("127.0.0.1", "::1", "not a host") } },
      { tcpSocket: { port: port(), host: "127.0.0.1" } },
      { grpc: { port: 1 } },
      { sleep: { seconds: pick(0, 1, -1) } },
      {},
    );
  const container = (): Container => ({
    name: pick("main", `c${count++}`, "", "a/../b") ?? "main",
    image: pick(image, "", "Not A Name", "nosuch:1", `${image}@sha256:1`),
    command: pick<string[] | undefined>(undefined, ["sh", "-c", "exit 3"], ["sleep", "5"], ["true"], []),
    env: some(() => ({
      name: pick("A", "", "B=C", "1") ?? "",
      value: pick("$(A)", "$(", "$$", "x"),
      valueFrom: pick<object | undefined>(
        undefined,
        { fieldRef: { fieldPath: pick("status.podIP", "nothing", "metadata.labels['a']") } },
        { resourceFieldRef: { resource: pick("limits.cpu", "none", ""), divisor: pick("1", "0", "1Mi") } },
        { configMapKeyRef: { name: "none", key: "k", optional: pick(true, false) } },
        { fileKeyRef: { volumeName: pick("v", "none"), path: pick("../../etc/passwd", "f"), key: "k" } },
        {},
      ),
    })),
    volumeMounts: some(() => ({
      name: pick("v", "none") ?? "v",
      mountPath: pick("/v", "", "relative", "/etc/hosts") ?? "/v",
      subPath: pick("..", "a/../..", "/abs", "ok", undefined),
    })),
    lifecycle: pick<object | undefined>(undefined, { postStart: handler() }, { preStop: handler() }),
    livenessProbe: pick<object | undefined>(undefined, { ...handler(), periodSeconds: pick(0, 1, 10) }),
    startupProbe: pick<object | undefined>(undefined, { ...handler(), failureThreshold: pick(0, 1) }),
    restartPolicy: pick(undefined, "Always", "Never", "OnFailure", "Sometimes"),
    restartPolicyRules: some(() => ({
      action: pick("Restart", "RestartAllContainers", "Dance") ?? "",
      exitCodes: pick(undefined, { operator: "In", values: [3] }),
    })),
    resources: pick<object | undefined>(undefined, {
      requests: { cpu: pick("1m", "0") },
      limits: { memory: pick("1Mi", "0") },
    }),
    securityContext: pick<object | undefined>(undefined, { runAsNonRoot: true }, { runAsUser: -1 }, { procMount: "?" }),
    terminationMessagePath: pick(undefined, "", "relative"),
  });
  const list = () => [container(), ...some(container)];
  return {
    containers: list(),
    initContainers: pick<Container[] | undefined>(undefined, list()),
    volumes: pick<Pod["spec"]["volumes"]>(
      undefined,
      [{ name: "v", emptyDir: {} }],
      [{ name: "v" }],
      [{ name: "v", configMap: { name: "none" } }],
    ),
    restartPolicy: pick("Always", "Never", "OnFailure", "Sometimes"),
    terminationGracePeriodSeconds: pick(0, 1, -5),
    activeDeadlineSeconds: pick(undefined, 1, 0),
    hostNetwork: pick(undefined, true),
    hostname: pick(undefined, "h", "x".repeat(80)),
    subdomain: pick(undefined, "s"),
    setHostnameAsFQDN: pick(undefined, true),
    dnsPolicy: pick(undefined, "None", "Default", "Odd"),
    runtimeClassName: pick(undefined, "none"),
    securityContext: pick<object | undefined>(undefined, { sysctls: [{ name: "", value: "" }] }, { fsGroup: -1 }),
  };
}

/** Marks of a program that was taken by surprise, in texts that people read. */
const surprise = /undefined|\[object |TypeError|RangeError|Cannot read|is not (a function|iterable)|NaN|\n\s+at /;

/** Whoever looks at a pod that does not run finds out why, in words. */
function judge(node: NodeFixture, name: string, what: string): void {
  const { status } = node.pod(name) ?? {};
  const events = node.events.filter((one) => one.name === name);
  const said = [status?.message, ...events.map((one) => one.message)];
  for (const { state, lastState } of [...(status?.containerStatuses ?? []), ...(status?.initContainerStatuses ?? [])])
    said.push(state?.waiting?.message, state?.terminated?.message, lastState?.terminated?.message);
  for (const text of said) assert.doesNotMatch(text ?? "", surprise, what);
  if (status?.phase === "Pending")
    assert.ok(
      events.some((one) => one.type === "Warning" && one.message !== ""),
      `${what} is pending, and nobody says why: ${JSON.stringify(node.pod(name))}`,
    );
  if (status?.phase === "Failed" && (status.containerStatuses ?? []).length === 0)
    assert.ok(status.reason !== undefined && (status.message ?? "") !== "", `${what} failed, and nobody says why`);
}

describe("a kubelet that is given pods of any content", () => {
  it("goes on, ends them all when they are deleted, and leaves nothing behind", async () => {
    const seed = Number(process.env.SKIFF_SEED ?? 1);
    const random = seededRandom(seed);
    await using test = await startSimulatedNode();
    for (let round = 0; round < 8; round++) {
      const names = Array.from({ length: 12 }, (_, index) => `p${round}-${index}`);
      for (const name of names) test.node.create(name, pod(random, "skiff/hello:1"));
      await test.pass(15_000);
      for (const name of names) judge(test.node, name, `seed ${seed}: ${name}`);
      await Promise.all(names.map((name) => test.node.delete(name, 1)));
      const left = () => names.filter((name) => test.node.pod(name) !== undefined);
      await test.until(() => left().length === 0, `seed ${seed}: all of ${names[0]}… go`, 120_000);
    }
    assert.deepEqual(await test.runtime.listPodSandboxes(), []);
    test.node.create("after", {});
    await test.until(() => test.node.pod("after")?.status?.phase === "Running", `seed ${seed}: a plain pod runs`);
  });
});
