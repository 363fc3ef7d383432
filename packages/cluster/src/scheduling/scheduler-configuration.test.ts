import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { ClusterError } from "../settings/cluster-error.ts";
import { readSchedulerConfiguration } from "./scheduler-configuration.ts";

const configuration = (name: string) =>
  `apiVersion: kubescheduler.config.k8s.io/v1\nkind: KubeSchedulerConfiguration\nprofiles: [{ schedulerName: ${name} }]\n`;

describe("the scheduler's configuration", () => {
  it("is Kubernetes' own, the one in the cluster's folder, or the one that was named", async (test) => {
    const folder = await mkdtemp(join(tmpdir(), "skiff-scheduler-"));
    test.after(() => rm(folder, { recursive: true, force: true }));
    const paths = { schedulerConfiguration: join(folder, "scheduler.yaml") };
    const schedulerConfig = join(folder, "named.yaml");
    const namesIn = async (settings: { readonly schedulerConfig?: string }) => {
      const source = await readSchedulerConfiguration(settings, paths);
      assert.notEqual(source().profiles[0], source().profiles[0]);
      return source().profiles.map(({ schedulerName }) => schedulerName);
    };
    assert.deepEqual(await namesIn({}), ["default-scheduler"]);
    await writeFile(paths.schedulerConfiguration, configuration("of-the-folder"));
    assert.deepEqual(await namesIn({}), ["of-the-folder"]);
    const failsWith = (message: RegExp) => (error: unknown) =>
      error instanceof ClusterError && error.code === "OPTION_INVALID" && message.test(error.message);
    await assert.rejects(namesIn({ schedulerConfig }), failsWith(/^--scheduler-config: cannot read .*named\.yaml/));
    await writeFile(schedulerConfig, configuration("named"));
    assert.deepEqual(await namesIn({ schedulerConfig }), ["named"]);
    await writeFile(schedulerConfig, `${configuration("named")}foo: 1\n`);
    await assert.rejects(
      namesIn({ schedulerConfig }),
      failsWith(/named\.yaml: strict decoding error: unknown field "foo"$/),
    );
  });
});
