import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { admissionOptions } from "./admission-options.ts";

test("plugins are switched on and off by their names", async () => {
  assert.deepEqual(await admissionOptions({}), { enabled: [], disabled: [] });
  const flags = {
    "enable-admission-plugins": ["AlwaysPullImages,NodeRestriction"],
    "disable-admission-plugins": ["PodSecurity"],
  };
  assert.deepEqual(await admissionOptions(flags), {
    enabled: ["AlwaysPullImages", "NodeRestriction"],
    disabled: ["PodSecurity"],
  });
  await assert.rejects(
    admissionOptions({ "enable-admission-plugins": ["Sometimes"] }),
    /plugin "Sometimes" is unknown/,
  );
  await assert.rejects(
    admissionOptions({ "enable-admission-plugins": ["Priority"], "disable-admission-plugins": ["Priority"] }),
    { code: "OPTION_INVALID" },
  );
});

test("PodSecurity is configured by a file", async (context) => {
  const folder = await mkdtemp(join(tmpdir(), "skiff-admission-"));
  context.after(() => rm(folder, { recursive: true }));
  const file = join(folder, "admission.yaml");
  const configuration = (defaults: string) => `
apiVersion: apiserver.config.k8s.io/v1
kind: AdmissionConfiguration
plugins:
- name: PodSecurity
  configuration:
    apiVersion: pod-security.admission.config.k8s.io/v1
    kind: PodSecurityConfiguration
    defaults: ${defaults}
    exemptions: {namespaces: [kube-system]}
`;
  await writeFile(file, configuration("{enforce: baseline, enforce-version: v1.30, audit: restricted}"));
  const { podSecurity } = await admissionOptions({ "admission-control-config-file": [file] });
  assert.deepEqual(podSecurity, {
    defaults: {
      enforce: { level: "baseline", version: 30 },
      audit: { level: "restricted", version: "latest" },
      warn: { level: "privileged", version: "latest" },
    },
    exemptions: { usernames: [], runtimeClasses: [], namespaces: ["kube-system"] },
  });
  await writeFile(file, configuration("{enforce: harsh}"));
  await assert.rejects(admissionOptions({ "admission-control-config-file": [file] }), /"harsh" must be one of/);
});

test("further plugins are configured by the same file", async (context) => {
  const folder = await mkdtemp(join(tmpdir(), "skiff-admission-"));
  context.after(() => rm(folder, { recursive: true }));
  const file = join(folder, "admission.yaml");
  const options = { "admission-control-config-file": [file], "enable-admission-plugins": ["EventRateLimit"] };
  const head = "apiVersion: apiserver.config.k8s.io/v1\nkind: AdmissionConfiguration\nplugins:\n";
  const limit = (text: string) => `
- name: EventRateLimit
  configuration:
    apiVersion: eventratelimit.admission.k8s.io/v1alpha1
    kind: Configuration
    limits: [${text}]
`;
  await writeFile(join(folder, "nodes.yaml"), "podNodeSelectorPluginConfig: {shop: zone=a}");
  const others = `
- {name: PodNodeSelector, path: nodes.yaml}
- name: PodTolerationRestriction
  configuration:
    apiVersion: podtolerationrestriction.admission.k8s.io/v1alpha1
    kind: Configuration
    default: [{key: x, operator: Exists}]
    whitelist: [{key: x, operator: Exists}, {key: y, value: z, tolerationSeconds: 5}]
`;
  await writeFile(file, `${head}${limit("{type: User, qps: 5, burst: 10}")}${others}`);
  assert.deepEqual(await admissionOptions(options), {
    enabled: ["EventRateLimit"],
    disabled: [],
    eventLimits: [{ type: "User", qps: 5, burst: 10, cacheSize: 4096 }],
    podNodeSelectors: { shop: "zone=a" },
    podTolerations: {
      default: [{ key: "x", operator: "Exists" }],
      whitelist: [
        { key: "x", operator: "Exists" },
        { key: "y", value: "z", tolerationSeconds: 5 },
      ],
    },
  });
  for (const text of [
    "{type: Node, qps: 5, burst: 10}",
    "{type: User, qps: 0, burst: 10}",
    "{type: User, qps: 5}",
    "",
  ]) {
    await writeFile(file, `${head}${limit(text)}`);
    await assert.rejects(admissionOptions(options), { code: "OPTION_INVALID" }, text);
  }
});
