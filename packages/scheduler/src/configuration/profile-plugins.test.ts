import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { MemoryInformers } from "@skiff/client/fixtures";
import { ClusterState, viewOf } from "../cluster-state.ts";
import { pod } from "../fixtures/objects.ts";
import type { Plugin } from "../framework.ts";
import { defaultPlugins } from "../plugins/list.ts";
import { parseSchedulerConfiguration } from "./parse-configuration.ts";

function pluginsOf(plugins: object, pluginConfig: readonly object[] = []): readonly Plugin[] {
  const configuration = {
    apiVersion: "kubescheduler.config.k8s.io/v1",
    kind: "KubeSchedulerConfiguration",
    profiles: [{ plugins, pluginConfig }],
  };
  return parseSchedulerConfiguration(JSON.stringify(configuration)).profiles[0]?.plugins ?? [];
}

type Step = "filter" | "preFilter" | "score" | "preScore" | "reserve" | "postFilter";

const namesWith = (plugins: readonly Plugin[], ...steps: readonly Step[]) =>
  plugins.filter((plugin) => steps.some((step) => plugin[step] !== undefined)).map(({ name }) => name);
const scorers = (plugins: readonly Plugin[]) =>
  Object.fromEntries(
    plugins
      .filter(({ score, preScore }) => score !== undefined || preScore !== undefined)
      .map(({ name, weight }) => [name, weight]),
  );
const named = (...names: readonly string[]) => names.map((name) => ({ name }));

describe("plugins of a profile", () => {
  it("are Kubernetes' own with their weights where nothing is said", () => {
    const usual = pluginsOf({});
    assert.deepEqual(scorers(usual), {
      TaintToleration: 3,
      NodeAffinity: 2,
      NodeResourcesFit: 1,
      PodTopologySpread: 2,
      InterPodAffinity: 2,
      NodeResourcesBalancedAllocation: 1,
      ImageLocality: 1,
    });
    assert.equal(new Set(usual.map(({ name }) => name)).size, usual.length);
    const members = (plugins: readonly Plugin[]) =>
      plugins.map((plugin) =>
        Object.keys(plugin)
          .filter((name) => name !== "weight")
          .sort(),
      );
    assert.deepEqual(members(usual), members(defaultPlugins()));
  });

  it("are off everywhere when multiPoint says so, and on where a point says so", () => {
    const off = pluginsOf({ multiPoint: { disabled: named("NodeResourcesFit", "DefaultPreemption") } });
    assert.equal(namesWith(off, "filter", "score").includes("NodeResourcesFit"), false);
    assert.deepEqual(namesWith(off, "postFilter"), ["DynamicResources"]);
    const minimal = pluginsOf({
      multiPoint: { disabled: named("*"), enabled: named("PrioritySort", "DefaultBinder", "NodeName") },
      score: { enabled: [{ name: "ImageLocality", weight: 9 }] },
    });
    assert.deepEqual(minimal.map(({ name }) => name).sort(), [
      "DefaultBinder",
      "ImageLocality",
      "NodeName",
      "PrioritySort",
    ]);
    assert.deepEqual(scorers(minimal), { ImageLocality: 9 });
  });

  it("are off at one point, and on at others", () => {
    const plugins = pluginsOf({ score: { disabled: named("*"), enabled: [{ name: "NodeResourcesFit", weight: 5 }] } });
    assert.deepEqual(scorers(plugins), { NodeResourcesFit: 5 });
    assert.equal(namesWith(plugins, "filter").includes("TaintToleration"), true);
    const unfiltered = pluginsOf({ filter: { disabled: named("TaintToleration") } });
    assert.equal(namesWith(unfiltered, "filter").includes("TaintToleration"), false);
    assert.equal(scorers(unfiltered).TaintToleration, 3);
  });

  it("have their place, and their weight, by the last word that was said", () => {
    const reweighed = pluginsOf({
      multiPoint: {
        enabled: [
          { name: "ImageLocality", weight: 4 },
          { name: "NodeAffinity", weight: 8 },
        ],
      },
      score: { enabled: [{ name: "NodeAffinity", weight: 6 }] },
    });
    assert.equal(scorers(reweighed).ImageLocality, 4);
    assert.equal(scorers(reweighed).NodeAffinity, 6);
    const first = pluginsOf({ filter: { enabled: named("NodePorts", "NodeName") } });
    assert.deepEqual(namesWith(first, "filter").slice(0, 3), ["NodePorts", "NodeName", "NodeUnschedulable"]);
    assert.equal(namesWith(first, "filter").filter((name) => name === "NodeName").length, 1);
  });

  it("restrict nodes without filtering them, or the other way round", () => {
    const daemon = pod("p", {
      affinity: {
        nodeAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: {
            nodeSelectorTerms: [{ matchFields: [{ key: "metadata.name", operator: "In", values: ["x"] }] }],
          },
        },
      },
    });
    const view = viewOf(new ClusterState(), new MemoryInformers());
    const affinityOf = (plugins: readonly Plugin[]) => plugins.find(({ name }) => name === "NodeAffinity");
    const before = affinityOf(pluginsOf({ filter: { disabled: named("NodeAffinity") } }));
    assert.equal(before?.filter, undefined);
    assert.deepEqual(before?.preFilter?.(daemon, view), { kind: "look", nodes: new Set(["x"]) });
    const each = affinityOf(pluginsOf({ preFilter: { disabled: named("NodeAffinity") } }));
    assert.notEqual(each?.filter, undefined);
    assert.deepEqual(each?.preFilter?.(daemon, view), { kind: "skip" });
  });

  it("get their arguments", () => {
    const [affinity] = pluginsOf({}, [
      {
        name: "NodeAffinity",
        args: {
          addedAffinity: {
            requiredDuringSchedulingIgnoredDuringExecution: {
              nodeSelectorTerms: [{ matchExpressions: [{ key: "pool", operator: "Exists" }] }],
            },
          },
        },
      },
    ]).filter(({ name }) => name === "NodeAffinity");
    assert.equal(affinity?.concerns?.(pod("p")), true);
  });
});
