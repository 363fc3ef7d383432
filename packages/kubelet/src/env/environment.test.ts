import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { ConfigMap, Container, Secret, Service } from "@skiff/api";
import { containerOf, podOf } from "../fixtures/objects.ts";
import { environment } from "./environment.ts";
import { expand } from "./expand.ts";
import { resourceField } from "./resource-field.ts";
import { serviceEnvironment } from "./service-env.ts";

describe("expand", () => {
  const table: readonly (readonly [string, string])[] = [
    ["$(A)", "1"],
    ["x$(A)y$(B)", "x1y$(B)"],
    ["$$(A)", "$(A)"],
    ["$$$(A)", "$1"],
    ["$A $", "$A $"],
    ["$(A", "$(A"],
    ["", ""],
  ];
  for (const [text, expected] of table)
    it(text, () =>
      assert.equal(
        expand(text, (name) => (name === "A" ? "1" : undefined)),
        expected,
      ),
    );
});

const metadata = { name: "c", namespace: "default", uid: "u", resourceVersion: "1", creationTimestamp: "" };
const configMap: ConfigMap = { metadata, data: { a: "1", b: "2" } };
const secret: Secret = { metadata, data: { p: "cHc=" } };

const envOf = async (container: Partial<Container>) => {
  const one = containerOf("main", container);
  return Object.fromEntries(
    await environment({
      pod: podOf({ containers: [one] }, { labels: { app: "x" } }),
      container: one,
      facts: { podIps: ["10.0.0.1"], hostIps: ["192.0.2.1"] },
      allocatable: { cpu: "4", memory: "8Gi" },
      services: { WEB_SERVICE_HOST: "10.43.0.1" },
      sources: {
        configMap: async (name) => (name === "c" ? configMap : undefined),
        secret: async (name) => (name === "c" ? secret : undefined),
        file: async (volume, path) =>
          volume === "v" && path === "a.env" ? "# no\nA='x'\n\nB='two\nlines' # so\n" : undefined,
      },
    }),
  );
};

describe("environment", () => {
  it("takes values from everywhere, later ones over earlier ones", async () => {
    const result = await envOf({
      envFrom: [{ prefix: "P_", configMapRef: { name: "c" } }, { secretRef: { name: "no", optional: true } }],
      env: [
        { name: "P_a", value: "own" },
        { name: "B", value: "$(P_a)/$(WEB_SERVICE_HOST)" },
        { name: "S", valueFrom: { secretKeyRef: { name: "c", key: "p" } } },
        { name: "O", valueFrom: { configMapKeyRef: { name: "c", key: "none", optional: true } } },
        { name: "L", valueFrom: { fieldRef: { fieldPath: "metadata.labels['app']" } } },
        { name: "C", valueFrom: { resourceFieldRef: { resource: "limits.cpu" } } },
        { name: "F", valueFrom: { fileKeyRef: { volumeName: "v", path: "a.env", key: "B" } } },
        { name: "G", valueFrom: { fileKeyRef: { volumeName: "v", path: "no", key: "B", optional: true } } },
      ],
    });
    assert.deepEqual(result, {
      P_a: "own",
      P_b: "2",
      B: "own/10.43.0.1",
      S: "pw",
      L: "x",
      C: "4",
      F: "two\nlines",
      WEB_SERVICE_HOST: "10.43.0.1",
    });
  });

  const missing: readonly (readonly [Partial<Container>, string])[] = [
    [{ envFrom: [{ secretRef: { name: "no" } }] }, 'secret "no" not found'],
    [
      { env: [{ name: "A", valueFrom: { fileKeyRef: { volumeName: "v", path: "a.env", key: "Z" } } }] },
      'environment variable key "Z" not found in file "a.env"',
    ],
    [{ env: [{ name: "A", valueFrom: { configMapKeyRef: { name: "no", key: "k" } } }] }, 'configmap "no" not found'],
    [
      { env: [{ name: "A", valueFrom: { configMapKeyRef: { name: "c", key: "k" } } }] },
      "couldn't find key k in ConfigMap default/c",
    ],
    [
      { env: [{ name: "A", valueFrom: { secretKeyRef: { name: "c", key: "k" } } }] },
      "couldn't find key k in Secret default/c",
    ],
  ];
  for (const [container, message] of missing)
    it(message, () => assert.rejects(envOf(container), { name: "ContainerConfigError", message }));

  it("rounds resources up to the divisor", () => {
    const resources = { limits: { cpu: "1500m", memory: "65Mi" } };
    const pod = podOf({ containers: [containerOf("main", { resources })] });
    const of = (resource: string, divisor?: string) =>
      resourceField({ resource, divisor }, { pod, container: "main", allocatable: {} });
    assert.deepEqual(
      [of("limits.cpu"), of("limits.cpu", "1m"), of("limits.memory", "1Mi"), of("requests.memory")],
      ["2", "1500", "65", "0"],
    );
  });

  it("takes limits that a container does not have from its pod, and then from the node", () => {
    const allocatable = { cpu: "4", memory: "8Gi", "ephemeral-storage": "10Gi" };
    const containers = [containerOf("main", { resources: { limits: { cpu: "0" } } })];
    const of = (resource: string, limits: Record<string, string>) =>
      resourceField(
        { resource },
        { pod: podOf({ containers, resources: { limits } }), container: "main", allocatable },
      );
    assert.equal(of("limits.cpu", { cpu: "1250m" }), "2");
    assert.equal(of("limits.memory", { memory: "64Mi" }), "67108864");
    assert.equal(of("limits.memory", { cpu: "1250m" }), String(8 * 1024 ** 3));
    assert.equal(of("limits.cpu", {}), "4");
    assert.equal(of("limits.ephemeral-storage", { cpu: "1" }), String(10 * 1024 ** 3));
  });

  it("announces Services of the namespace, and always the API", () => {
    const service = (name: string, namespace: string, clusterIP: string): Service => ({
      metadata: { ...metadata, name, namespace },
      spec: { clusterIP, ports: [{ name: "http-x", port: 80, protocol: "TCP" }] },
      status: {},
    });
    const all = [
      service("kubernetes", "default", "10.43.0.1"),
      service("my-db", "shop", "10.43.0.2"),
      service("headless", "shop", "None"),
    ];
    const of = (enableServiceLinks: boolean) => serviceEnvironment(all, { namespace: "shop", enableServiceLinks });
    assert.equal(of(false).KUBERNETES_SERVICE_HOST, "10.43.0.1");
    assert.equal(of(false).MY_DB_SERVICE_HOST, undefined);
    assert.equal(of(true).MY_DB_SERVICE_PORT_HTTP_X, "80");
    assert.equal(of(true).MY_DB_PORT_80_TCP, "tcp://10.43.0.2:80");
    assert.equal(of(true).HEADLESS_SERVICE_HOST, undefined);
  });
});
