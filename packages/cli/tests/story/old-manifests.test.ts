/** Manifests of courses and charts of years ago, with every kubectl found: accepted, converted, warned of. Pods are simulated. */
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { after, before, describe, test } from "node:test";
import { kubectls, type Outcome, Workbench } from "./workbench.ts";

const manifests = `
apiVersion: extensions/v1beta1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: nginx}]}
---
apiVersion: networking.k8s.io/v1beta1
kind: Ingress
metadata:
  name: web
  annotations: {nginx.ingress.kubernetes.io/rewrite-target: /}
spec:
  rules:
  - host: web.test
    http:
      paths:
      - {path: /, backend: {serviceName: web, servicePort: 80}}
---
apiVersion: batch/v1beta1
kind: CronJob
metadata: {name: tick}
spec:
  schedule: "*/5 * * * *"
  jobTemplate:
    spec:
      template:
        spec: {restartPolicy: OnFailure, containers: [{name: tick, image: busybox}]}
---
apiVersion: policy/v1beta1
kind: PodDisruptionBudget
metadata: {name: web}
spec: {minAvailable: 1, selector: {matchLabels: {app: web}}}
---
apiVersion: autoscaling/v2beta1
kind: HorizontalPodAutoscaler
metadata: {name: web}
spec:
  maxReplicas: 5
  scaleTargetRef: {apiVersion: extensions/v1beta1, kind: Deployment, name: web}
  metrics: [{type: Resource, resource: {name: cpu, targetAverageUtilization: 50}}]
---
apiVersion: rbac.authorization.k8s.io/v1beta1
kind: ClusterRole
metadata: {name: old-reader}
rules: [{apiGroups: [""], resources: [pods], verbs: [get]}]
`;

const warnings = [
  /extensions\/v1beta1 Deployment is deprecated in v1\.8\+, unavailable in v1\.16\+; use apps\/v1 Deployment/,
  /networking\.k8s\.io\/v1beta1 Ingress is deprecated in v1\.19\+, unavailable in v1\.22\+; use networking\.k8s\.io\/v1 Ingress/,
  /batch\/v1beta1 CronJob is deprecated/,
  /policy\/v1beta1 PodDisruptionBudget is deprecated/,
  /autoscaling\/v2beta1 HorizontalPodAutoscaler is deprecated/,
  /rbac\.authorization\.k8s\.io\/v1beta1 ClusterRole is deprecated/,
];

/** Whether nothing but writes of others stood in the way. */
const isOvertaken = ({ code, stderr }: Outcome): boolean =>
  code !== 0 &&
  stderr
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("Warning: "))
    .every((line) => line.includes("the object has been modified; please apply your changes to the latest version"));

const programs = kubectls();

if (programs.length > 0) {
  describe("manifests of removed versions", () => {
    let bench: Workbench;
    let file: string;

    before(async () => {
      bench = await Workbench.create("old");
      const up = await bench.skiff("up", "--runtime", "simulated");
      assert.equal(up.code, 0, up.stderr);
      file = join(bench.folder, "old.yaml");
      await writeFile(file, manifests);
    });
    after(() => bench[Symbol.asyncDispose]());

    for (const program of programs) {
      test(basename(program), async () => {
        bench.kubectlProgram = program;
        for (const verb of ["create", "apply", "replace"] as const) {
          let outcome = await bench.run(program, [verb, "-f", file]);
          // Replacing reads and then writes: where a controller wrote a status in between, kubectl is refused and says so.
          while (verb === "replace" && isOvertaken(outcome)) outcome = await bench.run(program, [verb, "-f", file]);
          assert.equal(outcome.code, 0, `${verb}: ${outcome.stdout}${outcome.stderr}`);
          for (const warning of warnings) assert.match(outcome.stderr, warning, verb);
        }
        const k = (...words: readonly string[]) => bench.kubectl(...words);
        assert.match(await k("get", "deploy", "web", "-o", "jsonpath={.apiVersion}"), /^apps\/v1$/);
        assert.match(await k("rollout", "status", "deployment/web", "--timeout=240s"), /successfully rolled out/);
        const backend = await k(
          "get",
          "ingress",
          "web",
          "-o",
          "jsonpath={.spec.rules[0].http.paths[0].backend.service}",
        );
        assert.deepEqual(JSON.parse(backend), { name: "web", port: { number: 80 } });
        const old = await k("get", "ingresses.v1beta1.networking.k8s.io", "web", "-o", "yaml");
        assert.match(old, /serviceName: web\n +servicePort: 80/);
        assert.match(await k("get", "hpa", "web"), /50%/);
        assert.match(await k("get", "cronjob", "tick"), /\*\/5 \* \* \* \*/);
        await k("delete", "-f", file);
        assert.equal(await k("get", "deploy,ingress,cronjob,pdb,hpa", "-o", "name"), "");
      });
    }
  });
}
