import assert from "node:assert/strict";
import { test } from "node:test";
import { bootstrapFlowSchemas, bootstrapPriorityLevels, FlowSchemas, PriorityLevelConfigurations } from "@skiff/api";
import { TestCluster } from "@skiff/testing";
import { autoUpdateAnnotation, kept } from "./plan.ts";

test("every cluster has its priority levels and flow schemas, and gets them back", async () => {
  await using cluster = await TestCluster.start();
  const { client, signal } = cluster;
  const all = async () => {
    const schemas = await client.list(FlowSchemas, { signal });
    const levels = await client.list(PriorityLevelConfigurations, { signal });
    assert.equal(schemas.items.length, bootstrapFlowSchemas.length);
    assert.equal(levels.items.length, bootstrapPriorityLevels.length);
    for (const { metadata, status } of schemas.items) {
      assert.deepEqual(
        status.conditions?.map(({ type, status }) => [type, status]),
        [["Dangling", "False"]],
        metadata.name,
      );
    }
  };
  await cluster.eventually(all);
  await client.delete(FlowSchemas, { name: "catch-all" }, { signal });
  await client.delete(PriorityLevelConfigurations, { name: "workload-low" }, { signal });
  await cluster.eventually(all);
});

test("a schema says whether its level exists", async () => {
  await using cluster = await TestCluster.start();
  const { client, signal } = cluster;
  const spec = { priorityLevelConfiguration: { name: "mine" } };
  await client.create(FlowSchemas, { metadata: { name: "mine" }, spec, status: {} }, { signal });
  const condition = async () => {
    const { status } = await client.get(FlowSchemas, { name: "mine" }, { signal });
    return status.conditions?.map(({ status, reason, message }) => `${status} ${reason}: ${message}`);
  };
  const start = 'This FlowSchema references the PriorityLevelConfiguration object named "mine"';
  await cluster.eventually(async () =>
    assert.deepEqual(await condition(), [`True NotFound: ${start} but there is no such object`]),
  );
  const level = { type: "Limited", limited: { limitResponse: { type: "Reject" } } };
  await client.create(PriorityLevelConfigurations, { metadata: { name: "mine" }, spec: level, status: {} }, { signal });
  await cluster.eventually(async () => assert.deepEqual(await condition(), [`False Found: ${start} and it exists`]));
});

const wanted = { name: "a", mandatory: false, spec: { shares: 1 } };
const cases: readonly {
  readonly is: string;
  readonly annotation?: string;
  readonly generation?: number;
  readonly shares: number;
  readonly mandatory?: boolean;
  readonly expected: readonly [shares: number, annotation: string] | undefined;
}[] = [
  { is: "as it was made", annotation: "true", shares: 1, expected: undefined },
  { is: "older than this server", annotation: "true", shares: 2, expected: [1, "true"] },
  { is: "taken over", annotation: "false", shares: 2, expected: undefined },
  { is: "changed before anybody asked", generation: 2, shares: 2, expected: [2, "false"] },
  { is: "untouched and without annotation", generation: 1, shares: 2, expected: [1, "true"] },
  { is: "mandatory", mandatory: true, annotation: "false", shares: 2, expected: [1, "true"] },
];

for (const { is, annotation, generation = 1, shares, mandatory = false, expected } of cases) {
  test(`an object that is ${is}`, () => {
    const annotations = annotation === undefined ? {} : { [autoUpdateAnnotation]: annotation };
    const changed = kept(
      { metadata: { name: "a", generation, annotations }, spec: { shares } },
      { ...wanted, mandatory },
    );
    const found = changed && [changed.spec.shares, changed.metadata.annotations?.[autoUpdateAnnotation]];
    assert.deepEqual(found, expected);
  });
}
