/** The verbs as Kubernetes' documentation has them, asked for in process, in JSON and in protobuf: all are answered alike. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { StatusError, type TransportRequest } from "@skiff/api";
import { isJsonObject, type JsonObject, type JsonValue } from "@skiff/base";
import { threeWays, type Way } from "../fixtures/three-ways.ts";

const kinds: Readonly<Record<string, string>> = {
  configmaps: "ConfigMap",
  deployments: "Deployment",
  leases: "Lease",
  scales: "Scale",
};
const names = ["in process", "JSON", "protobuf"];

let three: Awaited<ReturnType<typeof threeWays>>;
before(async () => {
  three = await threeWays((plural) => kinds[plural] ?? "");
});
after(() => three[Symbol.asyncDispose]());

const maps = { group: "", version: "v1", plural: "configmaps", namespace: "default" };
const deployments = { group: "apps", version: "v1", plural: "deployments", namespace: "default" };

const at = (value: JsonValue | undefined, ...path: readonly string[]): JsonValue | undefined =>
  path.reduce<JsonValue | undefined>((inner, name) => (isJsonObject(inner) ? inner[name] : undefined), value);
const itemsOf = ({ items }: JsonObject): readonly JsonValue[] => (Array.isArray(items) ? items : []);
const namesOf = (list: JsonObject) => itemsOf(list).map((item) => at(item, "metadata", "name"));

const refusal = async (asked: Promise<unknown>): Promise<StatusError> => {
  const error: unknown = await asked.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof StatusError, String(error));
  return error;
};

/** What each test is told: how to ask, and a prefix that keeps the ways apart. */
interface Course {
  send: Way["send"];
  readonly own: string;
}

const courses: Readonly<Record<string, (course: Course) => Promise<void>>> = {
  async "an object is made, read, replaced and deleted"({ send, own }) {
    const name = `${own}-life`;
    const made = await send({ ...maps, verb: "create", body: { metadata: { name }, data: { a: "1" } } });
    assert.deepEqual([made.kind, made.apiVersion, at(made, "data", "a")], ["ConfigMap", "v1", "1"]);
    assert.deepEqual(await send({ ...maps, verb: "get", name }), made);
    const body = { metadata: { ...(isJsonObject(made.metadata) ? made.metadata : {}) }, data: { a: "2" } };
    const changed = await send({ ...maps, verb: "update", name, body });
    assert.notEqual(at(changed, "metadata", "resourceVersion"), at(made, "metadata", "resourceVersion"));
    assert.equal((await refusal(send({ ...maps, verb: "update", name, body }))).reason, "Conflict");
    const gone = await send({ ...maps, verb: "delete", name });
    assert.deepEqual(
      [gone.kind, gone.status, at(gone, "details", "uid")],
      ["Status", "Success", at(made, "metadata", "uid")],
    );
    const { status } = await refusal(send({ ...maps, verb: "get", name }));
    assert.deepEqual(
      [status.code, status.reason, status.message, status.details],
      [404, "NotFound", `configmaps "${name}" not found`, { name, kind: "configmaps" }],
    );
  },

  async "names are made up where only their beginning is given"({ send, own }) {
    const made = await send({ ...maps, verb: "create", body: { metadata: { generateName: `${own}-made-` } } });
    assert.match(String(at(made, "metadata", "name")), new RegExp(`^${own}-made-[a-z0-9]{5}$`));
  },

  async "a dry run answers as if, and keeps nothing"({ send, own }) {
    const name = `${own}-dry`;
    const query = { dryRun: "All" };
    const made = await send({ ...maps, verb: "create", query, body: { metadata: { name } } });
    assert.ok(at(made, "metadata", "uid"));
    assert.equal((await refusal(send({ ...maps, verb: "get", name }))).code, 404);
  },

  async "deletions ask for what they mean to delete"({ send, own }) {
    const name = `${own}-guarded`;
    const made = await send({ ...maps, verb: "create", body: { metadata: { name } } });
    const remove = (preconditions: JsonObject) => send({ ...maps, verb: "delete", name, body: { preconditions } });
    assert.equal((await refusal(remove({ uid: "another" }))).reason, "Conflict");
    assert.equal((await refusal(remove({ resourceVersion: "1" }))).reason, "Conflict");
    assert.equal((await remove({ uid: at(made, "metadata", "uid") })).status, "Success");
  },

  async "pages show one moment"({ send, own }) {
    const labels = { course: `${own}-pages` };
    const labelSelector = `course=${own}-pages`;
    const wanted = ["a", "b", "c", "d", "e"].map((letter) => `${own}-page-${letter}`);
    for (const name of wanted) await send({ ...maps, verb: "create", body: { metadata: { name, labels } } });
    const first = await send({ ...maps, verb: "list", query: { labelSelector, limit: "2" } });
    assert.equal(at(first, "metadata", "remainingItemCount"), undefined);
    await send({ ...maps, verb: "delete", name: `${own}-page-d` });
    await send({ ...maps, verb: "create", body: { metadata: { name: `${own}-page-f`, labels } } });
    const seen = [...namesOf(first)];
    let token = at(first, "metadata", "continue");
    while (typeof token === "string" && token !== "") {
      const page = await send({ ...maps, verb: "list", query: { labelSelector, limit: "2", continue: token } });
      assert.equal(at(page, "metadata", "resourceVersion"), at(first, "metadata", "resourceVersion"));
      seen.push(...namesOf(page));
      token = at(page, "metadata", "continue");
    }
    assert.deepEqual(seen, wanted);
    const exact = { labelSelector, resourceVersionMatch: "Exact" };
    const before = String(at(first, "metadata", "resourceVersion"));
    assert.deepEqual(
      namesOf(await send({ ...maps, verb: "list", query: { ...exact, resourceVersion: before } })),
      wanted,
    );
    const removed = await send({ ...maps, verb: "deletecollection", query: { labelSelector } });
    assert.equal(itemsOf(removed).length, 5);
    assert.deepEqual(namesOf(await send({ ...maps, verb: "list", query: { labelSelector } })), []);
  },

  async "options that contradict each other are refused"({ send }) {
    const cases: readonly (readonly [Record<string, string>, number, string])[] = [
      [
        { resourceVersionMatch: "Exact" },
        422,
        'ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided',
      ],
      [
        { resourceVersionMatch: "Exact", resourceVersion: "0" },
        422,
        'ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: Forbidden: resourceVersionMatch "exact" is forbidden for resourceVersion "0"',
      ],
      [{ limit: "x" }, 400, 'strconv.ParseInt: parsing "x": invalid syntax'],
      [{ labelSelector: "a in (" }, 400, "unable to parse requirement: found '', expected: ',' or ')'"],
    ];
    for (const [query, code, message] of cases) {
      const error = await refusal(send({ ...maps, verb: "list", query }));
      assert.deepEqual([error.code, error.message], [code, message]);
    }
  },

  async "patches of every type"({ send, own }) {
    const name = `${own}-patched`;
    const labels = { app: name };
    const containers = [{ name: "c", image: "i" }];
    const template = { metadata: { labels }, spec: { containers } };
    const spec = { replicas: 1, selector: { matchLabels: labels }, template };
    await send({ ...deployments, verb: "create", body: { metadata: { name }, spec } });
    const patch = (patchType: TransportRequest["patchType"], body: JsonValue, query: Record<string, string> = {}) =>
      send({ ...deployments, verb: "patch", name, body, query, ...(patchType === undefined ? {} : { patchType }) });
    const merged = await patch("merge", { spec: { replicas: 2 }, metadata: { labels: { x: "y" } } });
    assert.deepEqual([at(merged, "spec", "replicas"), at(merged, "metadata", "labels")], [2, { x: "y" }]);
    const operated = await patch("json", [{ op: "replace", path: "/spec/replicas", value: 3 }]);
    assert.equal(at(operated, "spec", "replicas"), 3);
    const added = { spec: { template: { spec: { containers: [{ name: "d", image: "j" }] } } } };
    const strategic = at(await patch("strategic", added), "spec", "template", "spec", "containers");
    assert.deepEqual(Array.isArray(strategic) ? strategic.map((one) => at(one, "name")) : strategic, ["d", "c"]);
    const config = { apiVersion: "apps/v1", kind: "Deployment", metadata: { name }, spec: { replicas: 4 } };
    const refused = await refusal(patch("apply", config, { fieldManager: "one" }));
    assert.deepEqual([refused.code, refused.reason], [409, "Conflict"]);
    const applied = await patch("apply", config, { fieldManager: "one", force: "true" });
    assert.equal(at(applied, "spec", "replicas"), 4);
    const failed = await refusal(patch("json", [{ op: "test", path: "/spec/replicas", value: 9 }]));
    assert.equal(failed.code, 422);
  },

  async "status and scale are written apart"({ send, own }) {
    const name = `${own}-parts`;
    const labels = { app: name };
    const template = { metadata: { labels }, spec: { containers: [{ name: "c", image: "i" }] } };
    const spec = { replicas: 1, selector: { matchLabels: labels }, template };
    const made = await send({
      ...deployments,
      verb: "create",
      body: { metadata: { name }, spec, status: { replicas: 7 } },
    });
    assert.equal(at(made, "status", "replicas"), undefined);
    const body = { metadata: { name }, spec: { ...spec, replicas: 5 }, status: { replicas: 7 } };
    const told = await send({ ...deployments, verb: "update", name, subresource: "status", body });
    assert.deepEqual([at(told, "spec", "replicas"), at(told, "status", "replicas")], [1, 7]);
    const scale = await send({
      ...deployments,
      verb: "update",
      name,
      subresource: "scale",
      body: { kind: "Scale", apiVersion: "autoscaling/v1", metadata: { name }, spec: { replicas: 3 } },
    });
    assert.deepEqual(
      [scale.kind, at(scale, "spec", "replicas"), at(scale, "status", "selector")],
      ["Scale", 3, `app=${name}`],
    );
    const after = await send({ ...deployments, verb: "get", name });
    assert.deepEqual([at(after, "spec", "replicas"), at(after, "metadata", "generation")], [3, 2]);
  },
};

for (const [index, name] of names.entries()) {
  describe(name, () => {
    for (const [title, course] of Object.entries(courses)) {
      test(title, async () => {
        const way = three.ways[index];
        assert.ok(way !== undefined && way.name === name);
        await course({ send: (asked) => way.send(asked), own: `way${index}` });
      });
    }
  });
}
