import type { Transport } from "../../packages/api/src/index.ts";
import { adminUser, testServer } from "../../packages/apiserver/src/fixtures/test-server.ts";
import { celFromJson, compile, types } from "../../packages/cel/src/index.ts";
import { type BenchRow, median, spread } from "./row.ts";

const expression =
  "object.spec.containers.all(c, c.image.startsWith('registry.example.com/') && !has(c.securityContext))";
const containers = Array.from({ length: 3 }, (_, index) => ({
  name: `c${index}`,
  image: "registry.example.com/web:1",
}));
const pod = { metadata: { name: "web" }, spec: { containers } };
const runs = 9;
const writesEach = 1500;
const signal = new AbortController().signal;

/** How fast expressions are compiled and evaluated, and what policies cost the writes that they are not for. */
export async function benchExpressions(): Promise<BenchRow[]> {
  process.stderr.write("expressions: compiling and evaluating\n");
  const rows = [...engineRows()];
  process.stderr.write("expressions: writes with policies for other kinds\n");
  return [...rows, await policyRow()];
}

function engineRows(): BenchRow[] {
  const compiled = compile(expression, { variables: { object: types.dyn } });
  if (compiled.kind === "failed") throw new Error(compiled.message);
  const perSecond = (count: number, run: () => void): number[] =>
    Array.from({ length: runs }, () => {
      const startedMs = performance.now();
      for (let index = 0; index < count; index++) run();
      return (count / (performance.now() - startedMs)) * 1000;
    });
  const compiles = perSecond(500, () => compile(expression, { variables: { object: types.dyn } }));
  const evaluations = perSecond(20_000, () => compiled.program.evaluate({ object: () => celFromJson(pod) }));
  const row = (what: string, values: number[], floor: number): BenchRow => ({
    what,
    value: Math.round(median(values)),
    unit: "1/s",
    floor,
    detail: spread(values, 0),
  });
  return [
    row("CEL: a rule over three containers compiled", compiles, 2000),
    row("CEL: the same evaluated", evaluations, 100_000),
  ];
}

/** Processor time of creations, with and without ten policies for another kind. */
async function policyRow(): Promise<BenchRow> {
  await using server = await testServer();
  const transport = server.transport(adminUser);
  const core = { group: "", version: "v1", verb: "create" } as const;
  const create = (plural: string, body: object) =>
    transport.send({ ...core, plural, ...(plural === "namespaces" ? {} : { namespace: "default" }), body }, signal);
  await create("namespaces", { metadata: { name: "default" } });
  let made = 0;
  const microsEach = async (): Promise<number> => {
    const before = process.cpuUsage();
    for (let begun = 0; begun < writesEach; begun += 50) {
      const names = Array.from({ length: 50 }, () => `map-${made++}`);
      await Promise.all(names.map((name) => create("configmaps", { metadata: { name }, data: { a: "b" } })));
    }
    const { user, system } = process.cpuUsage(before);
    return (user + system) / writesEach;
  };
  const measure = async (): Promise<number[]> => {
    const values: number[] = [];
    for (let run = 0; run < runs; run++) values.push(await microsEach());
    return values;
  };
  await measure();
  const without = await measure();
  for (let index = 0; index < 10; index++) await addPolicy(transport, `policy-${index}`);
  const withPolicies = await measure();
  return {
    what: "creations with ten policies for another kind, processor time against none",
    value: (median(withPolicies) / median(without) - 1) * 100,
    unit: "%",
    floor: undefined,
    ceiling: 5,
    detail: `µs each: ${spread(without, 0)}; with policies ${spread(withPolicies, 0)}`,
  };
}

async function addPolicy(transport: Transport, name: string): Promise<void> {
  const place = { group: "admissionregistration.k8s.io", version: "v1", verb: "create" } as const;
  const rule = { apiGroups: ["apps"], apiVersions: ["v1"], operations: ["*"], resources: ["deployments"] };
  const spec = {
    matchConstraints: { resourceRules: [rule] },
    validations: [{ expression: "object.spec.replicas < 5" }],
  };
  const policies = { ...place, plural: "validatingadmissionpolicies" };
  await transport.send({ ...policies, body: { metadata: { name }, spec } }, signal);
  const bindings = { ...place, plural: "validatingadmissionpolicybindings" };
  const binding = { policyName: name, validationActions: ["Deny"] };
  await transport.send({ ...bindings, body: { metadata: { name }, spec: binding } }, signal);
}
