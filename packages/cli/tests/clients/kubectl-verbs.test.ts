/** Every kubectl of this machine does all that it can do to objects, on a cluster of simulated pods. */
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { after, before, describe, test } from "node:test";
import { kubectls, Workbench } from "../story/workbench.ts";

/** Words of a command, and what it writes; `fails` where it must not succeed. */
interface Step {
  readonly run: string;
  readonly shows?: RegExp;
  readonly fails?: true;
  readonly input?: string;
}

const manifest = (replicas: number, image: string): string => `apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {app: web}}
spec:
  replicas: ${replicas}
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - {name: c, image: "${image}", ports: [{containerPort: 80}], resources: {limits: {cpu: 10m, memory: 16Mi}}}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80}]}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: cm}
data: {a: "1"}
`;

const wrong = '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"wrong"},"dat":{}}';

/** In order: each builds on those before. FIRST and SECOND are files with the manifest. */
const steps: readonly Step[] = [
  { run: "diff -f FIRST", fails: true, shows: /^\+kind: Deployment$/m },
  { run: "apply -f FIRST", shows: /deployment\.apps\/web created\nservice\/web created\nconfigmap\/cm created\n/ },
  {
    run: "apply -f FIRST",
    shows: /deployment\.apps\/web unchanged\nservice\/web unchanged\nconfigmap\/cm unchanged\n/,
  },
  { run: "diff -f FIRST", shows: /^$/ },
  { run: "diff --server-side -f FIRST", shows: /^$/ },
  { run: "apply --server-side -f FIRST", shows: /deployment\.apps\/web serverside-applied/ },
  { run: "apply --server-side --field-manager=other -f FIRST", shows: /serverside-applied/ },
  {
    run: "apply --server-side --field-manager=third -f SECOND",
    fails: true,
    shows: /conflicts with "other":\n- \.spec\.replicas\n- \.spec\.template\.spec\.containers\[name="c"\]\.image/,
  },
  { run: "apply --server-side --field-manager=third --force-conflicts -f SECOND", shows: /serverside-applied/ },
  { run: "apply -f SECOND", shows: /deployment\.apps\/web configured/ },
  { run: "apply --dry-run=server -f SECOND", shows: /deployment\.apps\/web unchanged \(server dry run\)/ },
  { run: "apply view-last-applied deploy/web", shows: /replicas: 2/ },
  { run: "get deploy,svc,cm", shows: /deployment\.apps\/web +\d\/2 [\s\S]*service\/web [\s\S]*configmap\/cm +1 / },
  { run: "get deploy web -o wide", shows: /CONTAINERS +IMAGES +SELECTOR\nweb .* c +web:2 +app=web/ },
  {
    run: "get deploy web -o jsonpath={.metadata.managedFields[*].manager}",
    // Updates are in order of time: the controller's last one comes first where the rollout was over before.
    shows: /^kubectl other third (\S+ )?kubectl-client-side-apply\b/,
  },
  { run: "get deploy web --subresource=scale", shows: /^NAME +DESIRED +AVAILABLE +AGE\nweb +2 +\d/ },
  { run: 'patch deploy web --subresource=scale --type=merge -p {"spec":{"replicas":1}}', shows: /patched/ },
  { run: 'patch deploy web --type=json -p [{"op":"replace","path":"/spec/replicas","value":2}]', shows: /patched/ },
  {
    run: 'patch deploy web -p {"spec":{"template":{"spec":{"containers":[{"name":"c","image":"web:3"}]}}}}',
    shows: /patched/,
  },
  { run: "scale deploy web --replicas=3", shows: /scaled/ },
  { run: "scale deploy web --replicas=4 --current-replicas=9", fails: true, shows: /Expected replicas to be 9, was 3/ },
  { run: "set image deploy/web c=web:4", shows: /image updated/ },
  { run: "label deploy web x=y", shows: /labeled/ },
  { run: "label deploy web x=z", fails: true, shows: /'x' already has a value \(y\), and --overwrite is false/ },
  { run: "annotate deploy web note=yes", shows: /annotate/ },
  { run: "rollout status deploy/web --timeout=240s", shows: /successfully rolled out/ },
  { run: "rollout undo deploy/web", shows: /rolled back/ },
  // What follows reads and then writes: nobody else may write in between, as the controller does when the last old pod is gone.
  { run: "rollout status deploy/web --timeout=240s", shows: /successfully rolled out/ },
  { run: "wait deploy/web --for=jsonpath={.status.terminatingReplicas}=0 --timeout=240s", shows: /condition met/ },
  { run: "autoscale deploy web --min=1 --max=3", shows: /autoscaled/ },
  { run: "expose deploy web --name=other --port=81", shows: /exposed/ },
  { run: "create configmap made --from-literal=a=b", shows: /created/ },
  { run: "create configmap made --from-literal=a=b", fails: true, shows: /configmaps "made" already exists/ },
  { run: "replace -f SECOND", shows: /replaced/ },
  { run: "replace --force -f SECOND", shows: /deleted[\s\S]*replaced/ },
  { run: "explain deploy.spec.strategy", shows: /type\s+<string>\n\s+Type of deployment\./ },
  { run: "get cm -l app=none", shows: /^$/ },
  { run: "get cm --field-selector metadata.name=cm", shows: /^NAME +DATA +AGE\ncm +1 / },
  { run: "get cm --chunk-size=1", shows: /^cm [\s\S]*^kube-root-ca\.crt [\s\S]*^made /m },
  { run: "get cm cm -o yaml --show-managed-fields", shows: /fieldsType: FieldsV1/ },
  { run: "describe deploy web", shows: /RollingUpdateStrategy: +25% max unavailable, 25% max surge/ },
  { run: "create -f -", input: wrong, fails: true, shows: /strict decoding error: unknown field "dat"/ },
  { run: "create --validate=warn -f -", input: wrong, shows: /Warning: unknown field "dat"\nconfigmap\/wrong created/ },
  { run: "auth can-i create pods", shows: /^yes/ },
  { run: "create token default", shows: /^[\w-]+\.[\w-]+\.[\w-]+\n?$/ },
  { run: "wait --for=condition=Available deploy/web --timeout=240s", shows: /condition met/ },
  { run: "delete deploy web --cascade=foreground --timeout=240s", shows: /deleted/ },
  { run: "delete cm --all", shows: /"cm" deleted/ },
];

const programs = kubectls();

if (programs.length > 0) {
  describe("kubectl", () => {
    let bench: Workbench;

    before(async () => {
      bench = await Workbench.create("kubectl-verbs");
      const up = await bench.skiff("up", "--runtime", "simulated");
      assert.equal(up.code, 0, up.stderr);
      await writeFile(join(bench.folder, "first.yaml"), manifest(1, "web:1"));
      await writeFile(join(bench.folder, "second.yaml"), manifest(2, "web:2"));
    });
    after(() => bench[Symbol.asyncDispose]());

    for (const program of programs) {
      test(`${basename(program)} has its way with objects`, async () => {
        const space = basename(program).replaceAll(".", "-");
        assert.equal((await bench.run(program, ["create", "namespace", space])).code, 0);
        for (const { run, shows, fails, input } of steps) {
          const words = run
            .split(" ")
            .map((word) => word.replace(/^FIRST$/, join(bench.folder, "first.yaml")))
            .map((word) => word.replace(/^SECOND$/, join(bench.folder, "second.yaml")));
          const { code, stdout, stderr } = await bench.run(program, ["-n", space, ...words], input);
          const written = `${stderr}${stdout}`.replaceAll(/No resources found.*\n/g, "");
          assert.equal(code !== 0, fails === true, `kubectl ${run}\n${written}`);
          if (shows !== undefined) assert.match(written, shows, `kubectl ${run}`);
        }
        const gone = await bench.run(program, ["delete", "namespace", space, "--timeout=240s"]);
        const left =
          gone.code === 0 ? "" : (await bench.run(program, ["get", "namespace", space, "-o", "yaml"])).stdout;
        assert.equal(gone.code, 0, `${gone.stderr}\n${left}`);
      });
    }
  });
}
