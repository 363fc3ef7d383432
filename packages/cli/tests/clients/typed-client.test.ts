/** Kubernetes' own client for JavaScript against a cluster of simulated pods: typed calls, watches, informers, apply, an operator. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import {
  ApiException,
  AppsV1Api,
  CoreV1Api,
  KubeConfig,
  KubernetesObjectApi,
  makeInformer,
  PatchStrategy,
  setHeaderOptions,
  type V1ConfigMap,
  type V1Deployment,
  VersionApi,
  Watch,
} from "@kubernetes/client-node";
import { Workbench } from "../story/workbench.ts";
import { ReplicaOperator } from "./replica-operator.ts";

let bench: Workbench;
let config: KubeConfig;
let core: CoreV1Api;
let apps: AppsV1Api;
const namespace = "default";

before(async () => {
  bench = await Workbench.create("typed-client");
  const up = await bench.skiff("up", "--runtime", "simulated");
  assert.equal(up.code, 0, up.stderr);
  config = new KubeConfig();
  config.loadFromString((await bench.skiff("kubeconfig")).stdout);
  core = config.makeApiClient(CoreV1Api);
  apps = config.makeApiClient(AppsV1Api);
});
after(() => bench[Symbol.asyncDispose]());

const deployment = (name: string, replicas: number): V1Deployment => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name, labels: { app: name } },
  spec: {
    replicas,
    selector: { matchLabels: { app: name } },
    template: {
      metadata: { labels: { app: name } },
      spec: { containers: [{ name: "web", image: "skiff/hello", resources: { requests: { cpu: "10m" } } }] },
    },
  },
});

const refusal = async (asked: Promise<unknown>): Promise<ApiException<string>> => {
  const error: unknown = await asked.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof ApiException, String(error));
  return error;
};

test("it is the version that it says to be", async () => {
  const { major, minor, gitVersion } = await config.makeApiClient(VersionApi).getCode();
  assert.deepEqual([major, minor], ["1", "36"]);
  assert.match(gitVersion, /^v1\.36\./);
});

test("objects are made, read, changed and deleted, with their types", async () => {
  const body: V1ConfigMap = { metadata: { name: "typed", labels: { app: "typed" } }, data: { key: "value" } };
  const made = await core.createNamespacedConfigMap({ namespace, body });
  assert.ok(made.metadata?.creationTimestamp instanceof Date);
  const again = await refusal(core.createNamespacedConfigMap({ namespace, body }));
  assert.equal(again.code, 409);
  const changed = await core.replaceNamespacedConfigMap({
    name: "typed",
    namespace,
    body: { ...made, data: { key: "other" } },
  });
  assert.equal(changed.data?.key, "other");
  const stale = await refusal(core.replaceNamespacedConfigMap({ name: "typed", namespace, body: made }));
  assert.equal(stale.code, 409);
  const { items } = await core.listNamespacedConfigMap({ namespace, labelSelector: "app=typed" });
  assert.deepEqual(
    items.map(({ metadata }) => metadata?.name),
    ["typed"],
  );
  const status = await core.deleteNamespacedConfigMap({ name: "typed", namespace });
  assert.equal(status.status, "Success");
  assert.equal((await refusal(core.readNamespacedConfigMap({ name: "typed", namespace }))).code, 404);
});

test("lists are read page by page", async () => {
  const names = Array.from({ length: 7 }, (_, index) => `page-${index}`);
  const labels = { app: "pages" };
  for (const name of names) await core.createNamespacedConfigMap({ namespace, body: { metadata: { name, labels } } });
  const seen: (string | undefined)[] = [];
  let _continue: string | undefined;
  do {
    const page = await core.listNamespacedConfigMap({
      namespace,
      labelSelector: "app=pages",
      limit: 3,
      ...(_continue === undefined ? {} : { _continue }),
    });
    assert.ok(page.items.length <= 3);
    seen.push(...page.items.map(({ metadata }) => metadata?.name));
    _continue = page.metadata?._continue;
  } while (_continue !== undefined && _continue !== "");
  assert.deepEqual(seen, names);
  const gone = await core.deleteCollectionNamespacedConfigMap({ namespace, labelSelector: "app=pages" });
  assert.ok(gone !== undefined);
  assert.equal((await core.listNamespacedConfigMap({ namespace, labelSelector: "app=pages" })).items.length, 0);
});

test("a configuration is applied, and conflicts are told", async () => {
  const apply = (manager: string, replicas: number, force = false) =>
    apps.patchNamespacedDeployment(
      { name: "applied", namespace, body: deployment("applied", replicas), fieldManager: manager, force },
      setHeaderOptions("Content-Type", PatchStrategy.ServerSideApply),
    );
  const made = await apply("one", 1);
  assert.equal(made.spec?.replicas, 1);
  const refused = await refusal(apply("two", 2));
  assert.equal(refused.code, 409);
  assert.match(refused.body, /conflict with \\"one\\": \.spec\.replicas/);
  assert.equal((await apply("two", 2, true)).spec?.replicas, 2);
  const scaled = await apps.patchNamespacedDeploymentScale(
    { name: "applied", namespace, body: { spec: { replicas: 3 } } },
    setHeaderOptions("Content-Type", PatchStrategy.MergePatch),
  );
  assert.equal(scaled.spec?.replicas, 3);
  await bench.eventually("the pods run", async () => {
    assert.equal((await apps.readNamespacedDeploymentStatus({ name: "applied", namespace })).status?.readyReplicas, 3);
  });
  await apps.deleteNamespacedDeployment({ name: "applied", namespace, propagationPolicy: "Foreground" });
});

test("a watch tells what happens, in order", async () => {
  const labelSelector = "app=watched";
  const { metadata } = await core.listNamespacedConfigMap({ namespace, labelSelector });
  const seen: string[] = [];
  const { promise: told, resolve } = Promise.withResolvers<void>();
  const watch = await new Watch(config).watch(
    `/api/v1/namespaces/${namespace}/configmaps`,
    { labelSelector, resourceVersion: metadata?.resourceVersion, allowWatchBookmarks: true },
    (phase: string, object: V1ConfigMap) => {
      seen.push(`${phase} ${object.data?.step}`);
      if (phase === "DELETED") resolve();
    },
    () => {},
  );
  const body = (step: string, app = "watched"): V1ConfigMap => ({
    metadata: { name: "watched", labels: { app } },
    data: { step },
  });
  await core.createNamespacedConfigMap({ namespace, body: body("1") });
  await core.replaceNamespacedConfigMap({ name: "watched", namespace, body: body("2") });
  // Leaving the selection is, to who watches it, to be deleted.
  await core.replaceNamespacedConfigMap({ name: "watched", namespace, body: body("3", "other") });
  await told;
  watch.abort();
  assert.deepEqual(seen, ["ADDED 1", "MODIFIED 2", "DELETED 2"]);
});

test("an informer keeps up", async () => {
  const labelSelector = "app=informed";
  const body = (name: string): V1ConfigMap => ({ metadata: { name, labels: { app: "informed" } } });
  await core.createNamespacedConfigMap({ namespace, body: body("informed-0") });
  const informer = makeInformer(
    config,
    `/api/v1/namespaces/${namespace}/configmaps`,
    () => core.listNamespacedConfigMap({ namespace, labelSelector }),
    labelSelector,
  );
  const added: (string | undefined)[] = [];
  informer.on("add", ({ metadata }) => added.push(metadata?.name));
  await informer.start();
  await core.createNamespacedConfigMap({ namespace, body: body("informed-1") });
  await core.deleteNamespacedConfigMap({ name: "informed-0", namespace });
  await bench.eventually("the cache has what is there", async () => {
    assert.equal(informer.get("informed-0", namespace), undefined);
    assert.equal(informer.get("informed-1", namespace)?.metadata?.name, "informed-1");
  });
  await informer.stop();
  assert.deepEqual(added, ["informed-0", "informed-1"]);
});

test("objects of any kind are found by discovery", async () => {
  const objects = KubernetesObjectApi.makeApiClient(config);
  const lease = {
    apiVersion: "coordination.k8s.io/v1",
    kind: "Lease",
    metadata: { name: "generic", namespace },
    spec: { holderIdentity: "me" },
  };
  const made = await objects.create(lease);
  assert.equal(made.kind, "Lease");
  const patched = await objects.patch(
    { ...lease, spec: { holderIdentity: "you" } },
    undefined,
    undefined,
    "tester",
    true,
    PatchStrategy.ServerSideApply,
  );
  assert.equal("spec" in patched && JSON.stringify(patched.spec), '{"holderIdentity":"you"}');
  await objects.delete(lease);
});

test("an operator brings about what its objects ask for", async () => {
  await using operator = await ReplicaOperator.start(config, namespace);
  const body = (replicas: string): V1ConfigMap => ({
    metadata: { name: "wish", labels: { [ReplicaOperator.label]: "true" } },
    data: { replicas },
  });
  await core.createNamespacedConfigMap({ namespace, body: body("2") });
  const ready = async (count: number) => {
    const { status } = await apps.readNamespacedDeployment({ name: "wish", namespace });
    assert.deepEqual([status?.readyReplicas, status?.replicas], [count, count]);
  };
  await bench.eventually("two pods run", () => ready(2));
  await core.replaceNamespacedConfigMap({ name: "wish", namespace, body: body("1") });
  await bench.eventually("one pod runs", () => ready(1));
  // Somebody meddles: the operator owns the field and takes it back.
  await apps.patchNamespacedDeployment(
    { name: "wish", namespace, body: { spec: { replicas: 5 } } },
    setHeaderOptions("Content-Type", PatchStrategy.MergePatch),
  );
  await bench.eventually("one pod runs again", () => ready(1));
  await core.deleteNamespacedConfigMap({ name: "wish", namespace });
  await bench.eventually("what belonged to it is collected", async () => {
    assert.equal((await refusal(apps.readNamespacedDeployment({ name: "wish", namespace }))).code, 404);
  });
  assert.deepEqual(operator.failures, []);
});
