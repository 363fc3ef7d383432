/** Every kubectl of this machine makes a custom resource and works with its objects, on a cluster of simulated pods. */
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { after, before, describe, test } from "node:test";
import { kubectls, Workbench } from "../story/workbench.ts";

interface Step {
  readonly run: string;
  readonly shows?: RegExp;
  readonly fails?: true;
  readonly input?: string;
}

const definition = `apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: crontabs.stable.example.com}
spec:
  group: stable.example.com
  scope: Namespaced
  names: {plural: crontabs, singular: crontab, kind: CronTab, shortNames: [ct], categories: [all]}
  versions:
  - name: v1
    served: true
    storage: true
    selectableFields: [{jsonPath: .spec.image}]
    additionalPrinterColumns:
    - {name: Spec, type: string, jsonPath: .spec.cronSpec}
    - {name: Replicas, type: integer, jsonPath: .spec.replicas}
    - {name: Image, type: string, jsonPath: .spec.image, priority: 1}
    - {name: Age, type: date, jsonPath: .metadata.creationTimestamp}
    subresources:
      status: {}
      scale: {specReplicasPath: .spec.replicas, statusReplicasPath: .status.replicas}
    schema:
      openAPIV3Schema:
        type: object
        properties:
          metadata: {type: object}
          spec:
            type: object
            description: What the tab is to do.
            required: [cronSpec]
            x-kubernetes-validations:
            - {rule: "!has(self.image) || self.replicas < 9", message: too many for an image}
            properties:
              cronSpec: {type: string, pattern: '^(\\d+|\\*)( (\\d+|\\*)){4}$', description: When it runs.}
              image: {type: string}
              replicas: {type: integer, minimum: 1, maximum: 10, default: 1}
              ports:
                type: array
                x-kubernetes-list-type: map
                x-kubernetes-list-map-keys: [port]
                items: {type: object, required: [port], properties: {port: {type: integer}, name: {type: string}}}
          status: {type: object, properties: {replicas: {type: integer}}}
`;

const tab = (ports: string, more = ""): string => `apiVersion: stable.example.com/v1
kind: CronTab
metadata: {name: my}
spec: {cronSpec: "* * * * 5", image: one, ports: [${ports}]${more}}
`;

/** In order: each builds on those before. */
const steps: readonly Step[] = [
  { run: "apply -f FILE", shows: /crontab\.stable\.example\.com\/my created/ },
  { run: "apply -f FILE", shows: /crontab\.stable\.example\.com\/my unchanged/ },
  { run: "diff -f FILE", shows: /^$/ },
  { run: "get ct", shows: /^NAME +SPEC +REPLICAS +AGE\nmy +\* \* \* \* 5 +1 +\d/ },
  { run: "get crontab my -o wide", shows: /^NAME +SPEC +REPLICAS +IMAGE +AGE\nmy +\* \* \* \* 5 +1 +one/ },
  { run: "get all", shows: /crontab\.stable\.example\.com\/my / },
  { run: "get ct --field-selector spec.image=one", shows: /^NAME[\s\S]*\nmy / },
  { run: "get ct --field-selector spec.image=two", shows: /^$/ },
  { run: "describe ct my", shows: /Cron Spec: +\* \* \* \* 5\n[\s\S]*Replicas: +1/ },
  { run: "explain ct.spec", shows: /What the tab is to do\.[\s\S]*cronSpec\s+<string> -required-\n\s+When it runs\./ },
  { run: "apply --server-side --field-manager=other -f -", input: tab("{port: 2}"), shows: /serverside-applied/ },
  // The first server-side apply takes over what was applied by the client.
  { run: "get ct my -o jsonpath={.spec.ports[*].port}", shows: /^2$/ },
  { run: "apply --server-side --field-manager=third -f -", input: tab("{port: 3}"), shows: /serverside-applied/ },
  { run: "get ct my -o jsonpath={.spec.ports[*].port}", shows: /^2 3$/ },
  { run: "scale ct my --replicas=3", shows: /scaled/ },
  { run: "get ct my --subresource=scale -o jsonpath={.spec.replicas}", shows: /^3$/ },
  { run: 'patch ct my --subresource=status --type=merge -p {"status":{"replicas":2}}', shows: /patched/ },
  { run: "get ct my -o jsonpath={.metadata.generation}/{.status.replicas}", shows: /^\d\/2$/ },
  {
    run: 'patch ct my --type=merge -p {"spec":{"replicas":11}}',
    fails: true,
    shows: /spec\.replicas: Invalid value: 11: spec\.replicas in body should be less than or equal to 10/,
  },
  {
    run: 'patch ct my --type=merge -p {"spec":{"replicas":9}}',
    fails: true,
    shows: /spec: Invalid value: "object": too many for an image/,
  },
  { run: 'patch ct my -p {"spec":{"replicas":2}}', fails: true, shows: /strategic-merge-patch\+json is not supported/ },
  { run: "apply -f -", input: tab("", ", nope: 1"), fails: true, shows: /unknown field "spec\.nope"/ },
  { run: "label ct my a=b", shows: /labeled/ },
  { run: "delete ct -l a=b", shows: /"my" deleted/ },
];

const programs = kubectls();

if (programs.length > 0) {
  describe("kubectl", () => {
    let bench: Workbench;

    before(async () => {
      bench = await Workbench.create("kubectl-custom");
      const up = await bench.skiff("up", "--runtime", "simulated");
      assert.equal(up.code, 0, up.stderr);
      await writeFile(join(bench.folder, "tab.yaml"), tab("{port: 1, name: a}"));
    });
    after(() => bench[Symbol.asyncDispose]());

    for (const program of programs) {
      test(`${basename(program)} has its way with custom resources`, async () => {
        const space = basename(program).replaceAll(".", "-");
        const run = async ({ run: command, shows, fails, input }: Step) => {
          const words = command.split(" ").map((word) => word.replace(/^FILE$/, join(bench.folder, "tab.yaml")));
          const { code, stdout, stderr } = await bench.run(program, ["-n", space, ...words], input);
          const written = `${stderr}${stdout}`.replaceAll(/No resources found.*\n/g, "");
          assert.equal(code !== 0, fails === true, `kubectl ${command}\n${written}`);
          if (shows !== undefined) assert.match(written, shows, `kubectl ${command}`);
        };
        assert.equal((await bench.run(program, ["create", "namespace", space])).code, 0);
        await run({ run: "apply -f -", input: definition, shows: /crontabs\.stable\.example\.com created/ });
        await run({
          run: "wait --for=condition=established crd/crontabs.stable.example.com --timeout=240s",
          shows: /condition met/,
        });
        for (const step of steps) await run(step);
        await run({ run: "apply -f FILE", shows: /created/ });
        await run({ run: "delete crd crontabs.stable.example.com --timeout=240s", shows: /deleted/ });
        await run({
          run: "get ct",
          fails: true,
          shows: /the server doesn't have a resource type|could not find the requested/,
        });
        await run({ run: `delete namespace ${space} --timeout=240s`, shows: /deleted/ });
      });
    }
  });
}
