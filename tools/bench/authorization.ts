/** Measures what a decision costs where there are many bindings. */
import { ClusterRoleBindings, ClusterRoles, RoleBindings } from "@skiff/api";
import { RbacAuthorizer } from "../../packages/apiserver/src/authorization/rbac-authorizer.ts";
import { adminUser, testServer } from "../../packages/apiserver/src/fixtures/test-server.ts";
import { type BenchRow, median, spread } from "./row.ts";

const bindings = 1000;
const batches = 20;
const perBatch = 20_000;
/** A read of a pod takes so long at the 12,000 a second that the server promises. */
const readMicroseconds = 1e6 / 12_000;

const group = "rbac.authorization.k8s.io";

/** Share of a read that RBAC takes with 1,000 cluster role bindings and as many in the namespace. */
export async function benchAuthorization(): Promise<BenchRow[]> {
  process.stderr.write(`authorization: ${bindings} bindings\n`);
  await using server = await testServer();
  const transport = server.transport(adminUser);
  const { signal } = new AbortController();
  const create = ({ version, plural }: { version: string; plural: string }, body: object, namespace?: string) =>
    transport.send({ verb: "create", group, version, plural, namespace, body: { ...body } }, signal);
  const namespaces = { verb: "create", group: "", version: "v1", plural: "namespaces" } as const;
  await transport.send({ ...namespaces, body: { metadata: { name: "default" } } }, signal);
  const rules = [{ verbs: ["get"], apiGroups: [""], resources: ["pods"] }];
  await create(ClusterRoles, { metadata: { name: "reader" }, rules });
  const roleRef = { apiGroup: group, kind: "ClusterRole", name: "reader" };
  for (let index = 0; index < bindings; index++) {
    const subjects = [{ kind: "User", apiGroup: group, name: `user-${index}` }];
    const body = { metadata: { name: `binding-${index}` }, roleRef, subjects };
    await create(ClusterRoleBindings, body);
    await create(RoleBindings, body, "default");
  }
  const rbac = new RbacAuthorizer(server.table);
  const request = {
    kind: "resource",
    verb: "get",
    group: "",
    version: "v1",
    plural: "pods",
    namespace: "default",
    name: "web",
  } as const;
  const times: number[] = [];
  for (let batch = 0; batch < batches + 2; batch++) {
    const user = { name: `user-${batch}`, groups: ["system:authenticated"] };
    const startMs = performance.now();
    for (let count = 0; count < perBatch; count++) {
      if (rbac.authorize({ user, request }).kind !== "allowed") throw new Error("the user may not read");
    }
    if (batch >= 2) times.push(((performance.now() - startMs) * 1000) / perBatch);
  }
  const shares = times.map((microseconds) => (100 * microseconds) / readMicroseconds);
  return [
    {
      what: `RBAC with ${bindings} bindings: share of a GET`,
      value: median(shares),
      unit: "%",
      floor: undefined,
      ceiling: 5,
      detail: `${median(times).toFixed(2)} µs a decision; ${spread(shares, 2)}`,
    },
  ];
}
