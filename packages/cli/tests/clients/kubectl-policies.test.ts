/** The newest kubectl of this machine makes admission policies and meets them, on a cluster of simulated pods. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { kubectls, Workbench } from "../story/workbench.ts";

const rule = (group: string, resources: string, operations: string): string => `
    resourceRules:
    - {apiGroups: ["${group}"], apiVersions: ["v1"], operations: [${operations}], resources: ["${resources}"]}`;

const inTest = `
  matchResources: {namespaceSelector: {matchLabels: {environment: test}}}`;

const policies = `apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: replicas.example.com}
spec:
  matchConstraints:${rule("apps", "deployments", "CREATE, UPDATE")}
  variables:
  - {name: most, expression: "5"}
  validations:
  - expression: object.spec.replicas <= variables.most
    messageExpression: "'at most ' + string(variables.most) + ' replicas, not ' + string(object.spec.replicas)"
  - {expression: "object.spec.template.spec.containers.all(c, c.image.contains(':'))", message: images need tags}
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {name: replicas.example.com}
spec:
  policyName: replicas.example.com
  validationActions: [Deny]${inTest}
---
apiVersion: admissionregistration.k8s.io/v1
kind: MutatingAdmissionPolicy
metadata: {name: sidecar.example.com}
spec:
  reinvocationPolicy: IfNeeded
  matchConstraints:${rule("", "pods", "CREATE")}
  matchConditions:
  - {name: without, expression: '!object.spec.?initContainers.orValue([]).exists(c, c.name == "proxy")'}
  mutations:
  - patchType: ApplyConfiguration
    applyConfiguration:
      expression: >-
        Object{spec: Object.spec{initContainers: [
          Object.spec.initContainers{name: "proxy", image: "proxy:1", restartPolicy: "Always"}]}}
---
apiVersion: admissionregistration.k8s.io/v1
kind: MutatingAdmissionPolicyBinding
metadata: {name: sidecar.example.com}
spec:
  policyName: sidecar.example.com${inTest}
`;

const wrong = `apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: wrong.example.com}
spec:
  matchConstraints:${rule("apps", "deployments", "CREATE")}
  validations: [{expression: "object.spec.replicas <="}]
`;

const newest = kubectls().at(-1);

if (newest !== undefined) {
  test("kubectl meets admission policies", async () => {
    await using bench = await Workbench.create("kubectl-policies");
    const up = await bench.skiff("up", "--runtime", "simulated");
    assert.equal(up.code, 0, up.stderr);
    const kubectl = async (line: string, input?: string): Promise<{ ok: boolean; text: string }> => {
      const { code, stdout, stderr } = await bench.run(newest, line.split(" "), input);
      return { ok: code === 0, text: `${stderr}${stdout}` };
    };
    const done = async (line: string, shows: RegExp, input?: string): Promise<void> => {
      const { ok, text } = await kubectl(line, input);
      assert(ok, `kubectl ${line}\n${text}`);
      assert.match(text, shows, `kubectl ${line}`);
    };
    const refused = async (line: string, shows: RegExp, input?: string): Promise<void> => {
      const { ok, text } = await kubectl(line, input);
      assert(!ok, `kubectl ${line}\n${text}`);
      assert.match(text, shows, `kubectl ${line}`);
    };
    await done("apply -f -", /replicas\.example\.com created[\s\S]*sidecar\.example\.com created/, policies);
    await done("apply -f -", /replicas\.example\.com unchanged[\s\S]*sidecar\.example\.com unchanged/, policies);
    await refused(
      "apply -f -",
      /spec\.validations\[0\]\.expression: Invalid value: "object\.spec\.replicas <=": compilation failed: ERROR: <input>:1:24: Syntax error: mismatched input '<EOF>' expecting /,
      wrong,
    );
    await done("create namespace checked", /created/);
    await done("label namespace checked environment=test", /labeled/);
    await refused(
      "-n checked create deployment large --image=web:1 --replicas=6",
      /deployments\.apps "large" is forbidden: ValidatingAdmissionPolicy 'replicas\.example\.com' with binding 'replicas\.example\.com' denied request: at most 5 replicas, not 6/,
    );
    await refused("-n checked create deployment web --image=web", /denied request: images need tags/);
    await done("create deployment free --image=web --replicas=6", /created/);
    await done("-n checked run web --image=web:1", /pod\/web created/);
    await done(
      "-n checked get pod web -o jsonpath={.spec.initContainers[*].name}/{.spec.initContainers[0].imagePullPolicy}",
      /^proxy\/IfNotPresent$/,
    );
    await done(
      "get validatingadmissionpolicies",
      /NAME +VALIDATIONS +PARAMKIND +AGE\nreplicas\.example\.com +2 +<unset> /,
    );
    await done(
      "get mutatingadmissionpolicybindings",
      /NAME +POLICYNAME +PARAMREF +AGE\nsidecar\.example\.com +sidecar\.example\.com +<unset> /,
    );
    await done("delete -f -", /deleted/, policies);
    await done("-n checked create deployment large --image=web --replicas=6", /created/);
  });
}
