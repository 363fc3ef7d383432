/** What administrators see of the API server with kubectl: API services, flow control, health, metrics, the audit log, deletion. */
import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { kubectls, Workbench } from "../story/workbench.ts";

/** Words of a command, and what it writes; `fails` where it must not succeed. */
interface Step {
  readonly run: readonly string[];
  readonly shows: RegExp;
  readonly fails?: true;
}

const policy = `apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- {level: Request, resources: [{group: "", resources: [configmaps]}]}
- {level: None}
`;

const apiService = `apiVersion: apiregistration.k8s.io/v1
kind: APIService
metadata: {name: v1.wardle.example.com}
spec:
  group: wardle.example.com
  version: v1
  groupPriorityMinimum: 2000
  versionPriority: 200
  insecureSkipTLSVerify: true
  service: {namespace: default, name: wardle}
`;

const steps: readonly Step[] = [
  { run: ["get", "apiservices"], shows: /^NAME +SERVICE +AVAILABLE +AGE\nv1\. +Local +True +\S+\n/ },
  { run: ["apply", "-f", "SERVICE"], shows: /v1\.wardle\.example\.com created/ },
  {
    run: ["wait", "apiservice/v1.wardle.example.com", "--for=condition=Available=False", "--timeout=240s"],
    shows: /condition met/,
  },
  { run: ["get", "apiservice", "v1.wardle.example.com"], shows: /default\/wardle +False \(ServiceNotFound\)/ },
  { run: ["get", "--raw", "/apis/wardle.example.com/v1"], fails: true, shows: /ServiceUnavailable/ },
  { run: ["delete", "-f", "SERVICE"], shows: /deleted/ },
  { run: ["get", "flowschemas"], shows: /^exempt +exempt +1 +<none> +\S+ +False$/m },
  { run: ["get", "prioritylevelconfigurations"], shows: /^workload-low +Limited +100 +128 +6 +50 +\S+$/m },
  {
    run: ["patch", "flowschema", "catch-all", "--type=merge", "-p", '{"spec":{"matchingPrecedence":9}}'],
    fails: true,
    shows: /spec of 'catch-all' must equal the fixed value/,
  },
  {
    run: ["get", "--raw", "/debug/api_priority_and_fairness/dump_priority_levels"],
    shows: /^exempt, +<none>, +<none>, +<none>, +<none>, +<none>$/m,
  },
  {
    run: ["get", "--raw", "/readyz?verbose&exclude=etcd"],
    shows: /^\[\+\]etcd excluded: ok$[\s\S]*^readyz check passed$/m,
  },
  { run: ["get", "--raw", "/livez/ping"], shows: /^ok$/ },
  { run: ["get", "--raw", "/metrics"], shows: /^apiserver_request_total\{code="200"/m },
  { run: ["get", "--raw", "/metrics/slis"], shows: /^kubernetes_healthcheck\{name="ping",type="livez"\} 1$/m },
  {
    run: ["-n", "kube-system", "get", "cm", "extension-apiserver-authentication", "-o", "jsonpath={.data}"],
    shows: /"requestheader-allowed-names":"\[\\"front-proxy-client\\"\]"/,
  },
  { run: ["create", "configmap", "watched", "--from-literal=a=b"], shows: /created/ },
  { run: ["create", "deployment", "web", "--image=web", "--replicas=2"], shows: /created/ },
  { run: ["wait", "deploy/web", "--for=condition=Available", "--timeout=240s"], shows: /condition met/ },
  { run: ["delete", "deploy", "web", "--cascade=orphan"], shows: /deleted/ },
  { run: ["get", "pods", "-l", "app=web", "--no-headers"], shows: /^web-.*\nweb-.*\n$/ },
  { run: ["delete", "rs", "-l", "app=web", "--cascade=foreground", "--timeout=240s"], shows: /deleted/ },
  { run: ["get", "pods", "-l", "app=web", "--no-headers"], shows: /^$/ },
];

const [program] = kubectls();

if (program !== undefined) {
  describe("kubectl for administrators", () => {
    let bench: Workbench;

    before(async () => {
      bench = await Workbench.create("kubectl-operation");
      const files = { policy: join(bench.folder, "policy.yaml"), log: join(bench.folder, "audit.log") };
      await writeFile(files.policy, policy);
      await writeFile(join(bench.folder, "service.yaml"), apiService);
      const options = [`--audit-policy-file=${files.policy}`, `--audit-log-path=${files.log}`];
      const up = await bench.skiff("up", "--runtime", "simulated", ...options);
      assert.equal(up.code, 0, up.stderr);
    });
    after(() => bench[Symbol.asyncDispose]());

    test("shows how the API server is doing", async () => {
      // Controllers tell of what the server serves itself, soon after its start.
      await bench.eventually("the server's own groups are told of", async () =>
        assert.match((await bench.run(program, ["get", "apiservice", "v1."])).stdout, / True /),
      );
      for (const { run, shows, fails } of steps) {
        const words = run.map((word) => (word === "SERVICE" ? join(bench.folder, "service.yaml") : word));
        const { code, stdout, stderr } = await bench.run(program, words);
        const written = `${stderr}${stdout}`.replaceAll(/No resources found.*\n/g, "");
        assert.equal(code !== 0, fails === true, `kubectl ${run.join(" ")}\n${written}`);
        assert.match(written, shows, `kubectl ${run.join(" ")}`);
      }
    });

    test("is in the audit log", async () => {
      await bench.eventually("the creation is in the log", async () => {
        const lines = (await readFile(join(bench.folder, "audit.log"), "utf8")).trim().split("\n");
        const events = lines.map((line) => JSON.parse(line));
        const created = events.find(({ verb, objectRef }) => verb === "create" && objectRef.name === "watched");
        assert.deepEqual(created?.requestObject?.data, { a: "b" });
        assert.equal(created.user.username, "kubernetes-admin");
        assert.deepEqual([...new Set(events.map(({ objectRef }) => objectRef.resource))], ["configmaps"]);
      });
    });
  });
}
