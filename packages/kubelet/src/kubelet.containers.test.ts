import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { Pod } from "@skiff/api";
import { systemClock } from "@skiff/base";
import { podBehaviours } from "./fixtures/behaviours/pod-behaviours.ts";
import { type ContainerdNode, startContainerdNode } from "./fixtures/containerd-node.ts";

const { signal } = new AbortController();
let machine: ContainerdNode;
before(async () => {
  machine = await startContainerdNode();
});
after(async () => {
  await machine[Symbol.asyncDispose]();
});

async function until(condition: () => boolean, what: string, limitMs = 60_000): Promise<void> {
  const endMs = systemClock.monotonic() + limitMs;
  while (!condition()) {
    if (systemClock.monotonic() > endMs) {
      const pods = JSON.stringify(machine.node.api.list("pods"));
      assert.fail(
        `${what}: not in time\n${pods}\n${JSON.stringify(machine.node.events.slice(-10))}\n${machine.warnings.join("\n")}`,
      );
    }
    await systemClock.sleep(5, signal);
  }
}

const status = (name: string) => machine.node.pod(name)?.status;
const ready = (name: string) => status(name)?.conditions?.some((one) => one.type === "Ready" && one.status === "True");
const shell = (script: string): Pod["spec"]["containers"][number] => ({
  name: "main",
  image: "skiff/hello:1",
  command: ["sh", "-c", script],
});

async function gone(name: string, graceSeconds?: number): Promise<void> {
  await machine.node.delete(name, graceSeconds);
  await until(() => machine.node.pod(name) === undefined, `${name} goes`);
}

/** Runs a script to its end; gives its termination message and exit code. */
async function run(name: string, script: string, spec: Partial<Pod["spec"]> = {}) {
  const [container] = spec.containers ?? [];
  machine.node.create(name, {
    restartPolicy: "Never",
    ...spec,
    containers: [{ ...shell(`{ ${script}\n} >/dev/termination-log 2>&1`), ...container }],
  });
  await until(() => ["Succeeded", "Failed"].includes(status(name)?.phase ?? ""), `${name} ends`);
  const ended = status(name)?.containerStatuses?.[0]?.state?.terminated;
  await gone(name, 1);
  return { exitCode: ended?.exitCode, message: ended?.message?.trimEnd(), reason: ended?.reason };
}

describe("the kubelet on containerd", () => {
  it("starts pods one after the other", async (test) => {
    const times: number[] = [];
    for (let round = 0; round < 5; round++) {
      const startMs = systemClock.monotonic();
      machine.node.create(`quick-${round}`, {});
      await until(() => status(`quick-${round}`)?.phase === "Running", "runs");
      times.push(systemClock.monotonic() - startMs);
    }
    times.sort((a, b) => a - b);
    test.diagnostic(`pod start: ${times.map((ms) => Math.round(ms)).join(" ")} ms`);
    await Promise.all(times.map((_, round) => gone(`quick-${round}`, 1)));
  });

  it("gives a container its environment, hosts file, resolver and identity", async () => {
    const script = `echo "$A $B $IP" ; hostname; grep -c "$IP.*env" /etc/hosts; cat /etc/resolv.conf; id -u`;
    const result = await run("env", script, {
      containers: [
        {
          name: "main",
          image: "skiff/hello:1",
          securityContext: { runAsUser: 1234 },
          env: [
            { name: "A", value: "x" },
            { name: "B", value: "$(A)-$$(A)" },
            { name: "IP", valueFrom: { fieldRef: { fieldPath: "status.podIP" } } },
          ],
        },
      ],
    });
    assert.match(
      result.message ?? "",
      /^x x-\$\(A\) 10\.221\.\d+\.\d+\nenv\n1\nsearch default\.svc\.cluster\.local svc\.cluster\.local cluster\.local.*\nnameserver 10\.43\.0\.10\noptions ndots:5\n1234$/s,
    );
  });

  it("mounts volumes", async () => {
    machine.node.api.put("configmaps", { metadata: { name: "c", namespace: "default" }, data: { k: "v" } });
    machine.node.api.put("secrets", { metadata: { name: "s", namespace: "default" }, data: { p: "aHVzaA==" } });
    const mounts = [
      { name: "c", mountPath: "/c" },
      { name: "s", mountPath: "/s" },
      { name: "e", mountPath: "/e" },
      { name: "m", mountPath: "/m" },
      { name: "c", mountPath: "/etc/k.conf", subPath: "k" },
      { name: "t", mountPath: "/t" },
    ];
    const script = `cat /c/k /s/p /etc/k.conf; echo; stat -c %a /e; grep -c " /m tmpfs" /proc/mounts; cat /t/token; touch /c/x 2>/dev/null || echo ro`;
    const result = await run("volumes", script, {
      containers: [{ name: "main", image: "skiff/hello:1", volumeMounts: mounts }],
      volumes: [
        { name: "c", configMap: { name: "c" } },
        { name: "s", secret: { secretName: "s" } },
        { name: "e", emptyDir: {} },
        { name: "m", emptyDir: { medium: "Memory", sizeLimit: "1Mi" } },
        { name: "t", projected: { sources: [{ serviceAccountToken: { path: "token" } }] } },
      ],
    });
    assert.equal(result.message, "vhushv\n777\n1\ntoken-1ro");
  });

  it("limits memory and says what killed a container", async () => {
    const resources = { limits: { memory: "16Mi" } };
    const result = await run("oom", "head -c 100000000 /dev/zero | tail", {
      containers: [{ name: "main", image: "skiff/hello:1", resources, command: ["sh", "-c", "tail /dev/zero"] }],
    });
    assert.deepEqual([result.reason, result.exitCode], ["OOMKilled", 137]);
  });

  it("restarts a container that ends, and remembers how it ended", async () => {
    machine.node.create("again", { containers: [shell("sleep 0.3; exit 7")] });
    await until(() => (status("again")?.containerStatuses?.[0]?.restartCount ?? 0) === 1, "restarts");
    assert.equal(status("again")?.containerStatuses?.[0]?.lastState?.terminated?.exitCode, 7);
    await until(
      () => status("again")?.containerStatuses?.[0]?.state?.waiting?.reason === "CrashLoopBackOff",
      "backs off",
    );
    await gone("again", 1);
  });

  it("probes by exec, http and tcp", async () => {
    const probe = { periodSeconds: 1, failureThreshold: 1 };
    machine.node.create("probed", {
      containers: [
        {
          name: "main",
          image: "skiff/hello:1",
          readinessProbe: { ...probe, httpGet: { port: 80, path: "/" } },
          startupProbe: { ...probe, failureThreshold: 30, tcpSocket: { port: 80 } },
          livenessProbe: { ...probe, exec: { command: ["sh", "-c", "test ! -e /tmp/dead"] } },
        },
      ],
    });
    await until(() => ready("probed") === true, "ready");
    await gone("probed", 1);
    machine.node.create("unwell", {
      terminationGracePeriodSeconds: 1,
      containers: [
        {
          ...shell("trap 'exit 0' TERM; sleep 1000 & wait"),
          livenessProbe: { ...probe, exec: { command: ["false"] } },
        },
      ],
    });
    await until(() => (status("unwell")?.containerStatuses?.[0]?.restartCount ?? 0) > 0, "restarts");
    assert.ok(
      machine.node.events.some((one) => one.message === "Container main failed liveness probe, will be restarted"),
    );
    await gone("unwell", 1);
  });

  it("ends containers in order, preStop first, and at once when forced", async () => {
    machine.node.create("graceful", {
      terminationGracePeriodSeconds: 20,
      containers: [
        {
          ...shell("trap 'echo term >>/dev/termination-log; exit 0' TERM; sleep 1000 & wait"),
          lifecycle: { preStop: { exec: { command: ["sh", "-c", "echo hook >>/dev/termination-log"] } } },
        },
      ],
    });
    await until(() => ready("graceful") === true, "ready");
    let message: string | undefined;
    await machine.node.delete("graceful");
    await until(() => {
      message = status("graceful")?.containerStatuses?.[0]?.state?.terminated?.message ?? message;
      return machine.node.pod("graceful") === undefined;
    }, "goes");
    assert.equal(message, "hook\nterm\n");
    machine.node.create("stubborn", {
      terminationGracePeriodSeconds: 600,
      containers: [shell("trap '' TERM; while true; do sleep 1; done")],
    });
    await until(() => ready("stubborn") === true, "ready");
    await machine.node.delete("stubborn");
    await systemClock.sleep(300, signal);
    // Of its own it would have ten minutes.
    await gone("stubborn", 1);
  });

  it("starts ten pods at once", async (test) => {
    const names = Array.from({ length: 10 }, (_, index) => `many-${index}`);
    const startMs = systemClock.monotonic();
    for (const name of names) machine.node.create(name, {});
    await until(() => names.every((name) => ready(name)), "all run");
    test.diagnostic(`ten pods: ${Math.round(systemClock.monotonic() - startMs)} ms`);
    await Promise.all(names.map((name) => gone(name, 1)));
  });

  it("refuses paths that lead out of a volume, and expands subPathExpr", async () => {
    const result = await run("sub", "pwd; ls /v", {
      containers: [
        {
          name: "main",
          image: "skiff/hello:1",
          env: [{ name: "POD", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } }],
          volumeMounts: [{ name: "e", mountPath: "/v", subPathExpr: "logs/$(POD)" }],
        },
      ],
      volumes: [{ name: "e", emptyDir: {} }],
    });
    assert.equal(result.exitCode, 0);
    machine.node.create("escape", {
      containers: [
        { name: "main", image: "skiff/hello:1", volumeMounts: [{ name: "e", mountPath: "/v", subPath: "../../.." }] },
      ],
      volumes: [{ name: "e", emptyDir: {} }],
    });
    const waiting = () => status("escape")?.containerStatuses?.[0]?.state?.waiting;
    await until(() => waiting()?.reason === "CreateContainerConfigError", "refused");
    await gone("escape", 1);
  });

  it("applies securityContext", async () => {
    const result = await run(
      "locked",
      "id -u; id -G; touch /x 2>/dev/null || echo ro; grep NoNewPrivs /proc/self/status; grep CapEff /proc/self/status",
      {
        securityContext: { fsGroup: 77, runAsUser: 5, runAsNonRoot: true },
        containers: [
          {
            name: "main",
            image: "skiff/hello:1",
            securityContext: {
              readOnlyRootFilesystem: true,
              allowPrivilegeEscalation: false,
              capabilities: { drop: ["ALL"] },
              seccompProfile: { type: "RuntimeDefault" },
            },
          },
        ],
      },
    );
    assert.match(result.message ?? "", /^5\n(0 )?77( 0)?\nro\nNoNewPrivs:\t1\nCapEff:\t0+$/);
  });

  it("keeps containers over a restart of the agent, and removes every trace of a pod that goes", async () => {
    machine.node.create("kept", {});
    await until(() => ready("kept") === true, "ready");
    const before = status("kept")?.containerStatuses?.[0]?.containerID;
    await machine.node.stopAgent();
    await machine.node.startAgent();
    await systemClock.sleep(500, signal);
    assert.equal(status("kept")?.containerStatuses?.[0]?.containerID, before);
    assert.equal(ready("kept"), true);
    await gone("kept", 1);
    assert.deepEqual(await machine.cgroups.children(`${machine.cgroupRoot}/besteffort`), []);
  });
});

describe("pods on containerd", () => {
  const pass = (durationMs: number) => systemClock.sleep(durationMs, signal);
  podBehaviours(() => ({ node: machine.node, until, pass }), {
    image: "skiff/hello:1",
    missingImage: "localhost:1/nosuch:1",
  });
});
