import assert from "node:assert/strict";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { absoluteKubeletArg, parseKubeletArgs } from "./kubelet-args.ts";
import { readCredentialProviders, readNodeConfiguration } from "./node-configuration.ts";

const whole = { whole: true };

describe("options of the kubelet", () => {
  for (const [arg, expected] of [
    ["max-pods=200", { maxPods: 200 }],
    ["--max-pods=200", { maxPods: 200 }],
    [
      "allowed-unsafe-sysctls=net.core.somaxconn,kernel.msg*",
      { allowedUnsafeSysctls: ["net.core.somaxconn", "kernel.msg*"] },
    ],
    ["feature-gates=A=true,B=false", { featureGates: { A: true, B: false } }],
    ["eviction-hard=memory.available<1Gi", { evictionHard: { "memory.available": "1Gi" } }],
    ["system-reserved=cpu=100m,memory=1Gi", { systemReserved: { cpu: "100m", memory: "1Gi" } }],
    ["cpu-manager-policy=static", { cpuManagerPolicy: "static" }],
    [
      "cpu-manager-policy-options=full-pcpus-only=true,distribute-cpus-across-numa=true",
      { cpuManagerPolicyOptions: { "full-pcpus-only": "true", "distribute-cpus-across-numa": "true" } },
    ],
    ["resolv-conf=/run/systemd/resolve/resolv.conf", { resolvConf: "/run/systemd/resolve/resolv.conf" }],
    ["reserved-cpus=0-1,4", { reservedSystemCPUs: "0-1,4" }],
    [
      "reserved-memory=0:memory=1Gi,hugepages-2Mi=2Gi;1:memory=2Gi",
      {
        reservedMemory: [
          { numaNode: 0, limits: { memory: "1Gi", "hugepages-2Mi": "2Gi" } },
          { numaNode: 1, limits: { memory: "2Gi" } },
        ],
      },
    ],
    ["anonymous-auth=true", { authentication: { anonymous: { enabled: true } } }],
  ] as const)
    it(`understands ${arg}`, () => assert.deepEqual(parseKubeletArgs([arg], whole).configuration, expected));

  for (const [arg, why] of [
    ["max-pods", /NAME=VALUE/],
    ["max-pods=many", /no whole number/],
    ["feature-gates=A=yes", /true or false/],
    ["reserved-memory=memory=1Gi", /NUMA-NODE:TYPE=AMOUNT/],
    ["no-such-thing=1", /is not known here; known are allowed-unsafe-sysctls/],
    ["image-credential-provider-config=/x", /are needed both/],
  ] as const)
    it(`refuses ${arg}`, () => assert.throws(() => parseKubeletArgs([arg], whole), why));

  it("make paths absolute, for another process reads the files", () => {
    assert.equal(
      absoluteKubeletArg("image-credential-provider-config=a.yaml"),
      `image-credential-provider-config=${join(process.cwd(), "a.yaml")}`,
    );
    assert.equal(absoluteKubeletArg("--max-pods=1"), "max-pods=1");
  });

  it("count more than the file, gate by gate", async () => {
    const folder = await mkdtemp(join(tmpdir(), "skiff-args-"));
    const file = join(folder, "kubelet.yaml");
    const args = parseKubeletArgs(["max-pods=20", "feature-gates=B=false"], whole);
    assert.equal((await readNodeConfiguration(file, args)).maxPods, 20);
    const text = "apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n";
    await writeFile(file, `${text}maxPods: 10\npodPidsLimit: 7\nfeatureGates: {A: true, B: true}\n`);
    const { maxPods, podPidsLimit, featureGates } = await readNodeConfiguration(file, args);
    assert.deepEqual([maxPods, podPidsLimit, featureGates], [20, 7, { A: true, B: false }]);
    await rm(folder, { recursive: true });
  });

  it("name the programs that give logins", async () => {
    const folder = await mkdtemp(join(tmpdir(), "skiff-args-"));
    const provider =
      '{"name":"one","apiVersion":"credentialprovider.kubelet.k8s.io/v1","matchImages":["r.io"],"defaultCacheDuration":"1m"}';
    const head = "apiVersion: kubelet.config.k8s.io/v1\nkind: CredentialProviderConfig\n";
    await writeFile(join(folder, "a.yaml"), `${head}providers: [${provider}]\n`);
    const args = parseKubeletArgs(
      [`image-credential-provider-config=${folder}`, `image-credential-provider-bin-dir=${folder}`],
      whole,
    );
    await assert.rejects(readCredentialProviders(args), /plugin binary executable .*\/one did not exist/);
    await writeFile(join(folder, "one"), "#!/bin/sh\n");
    await chmod(join(folder, "one"), 0o755);
    assert.deepEqual(
      (await readCredentialProviders(args))?.providers.map(({ name }) => name),
      ["one"],
    );
    assert.equal(await readCredentialProviders(parseKubeletArgs([], whole)), undefined);
    await rm(folder, { recursive: true });
  });
});
