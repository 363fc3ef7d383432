import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Namespaces, type Pod, type PodAffinityTerm, type TopologySpreadConstraint } from "@skiff/api";
import { randomInt, seededRandom } from "@skiff/base";
import { MemoryInformers } from "@skiff/client/fixtures";
import { ClusterState } from "../cluster-state.ts";
import { decideOn } from "../fixtures/decide-on.ts";
import { node, pod } from "../fixtures/objects.ts";

const zoneKey = "topology.kubernetes.io/zone";
const hostKey = "kubernetes.io/hostname";
const apart = "node(s) didn't match pod anti-affinity rules";
const together = "node(s) didn't match pod affinity rules";
const unwelcome = "node(s) didn't satisfy existing pods anti-affinity rules";
const uneven = "node(s) didn't match pod topology spread constraints";
const elsewhere = "node(s) didn't match Pod's node affinity/selector";
const unlabelled = "node(s) didn't match pod topology spread constraints (missing required label)";

/** Nodes a1, a2 of zone a, b1 of zone b, and one without a zone. */
function cluster(): ClusterState {
  const state = new ClusterState();
  const add = (name: string, zone?: string) =>
    state.putNode(node(name, { labels: { [hostKey]: name, ...(zone === undefined ? {} : { [zoneKey]: zone }) } }));
  add("a1", "a");
  add("a2", "a");
  add("b1", "b");
  add("bare");
  return state;
}

const labelled = (name: string, labels: Record<string, string>, spec: Partial<Pod["spec"]> = {}): Pod => {
  const plain = pod(name, spec);
  return { ...plain, metadata: { ...plain.metadata, labels } };
};
const placed = (name: string, on: string, labels: Record<string, string>, spec: Partial<Pod["spec"]> = {}) =>
  labelled(name, labels, { ...spec, nodeName: on });
const web = { app: "web" };
const term = (topologyKey: string, more: Partial<PodAffinityTerm> = {}): PodAffinityTerm => ({
  topologyKey,
  labelSelector: { matchLabels: web },
  ...more,
});
const wants = (...terms: PodAffinityTerm[]): Partial<Pod["spec"]> => ({
  affinity: { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: terms } },
});
const avoids = (...terms: PodAffinityTerm[]): Partial<Pod["spec"]> => ({
  affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: terms } },
});
const spread = (topologyKey: string, more: Partial<TopologySpreadConstraint> = {}): Partial<Pod["spec"]> => ({
  topologySpreadConstraints: [
    { topologyKey, maxSkew: 1, whenUnsatisfiable: "DoNotSchedule", labelSelector: { matchLabels: web }, ...more },
  ],
});

/** Each rejected node with the reason, by name. */
const refusals = (one: Pod, on: readonly Pod[], informers?: MemoryInformers): Record<string, string> => {
  const state = cluster();
  for (const other of on) state.putPod(other);
  const { rejections } = decideOn(one, state, informers === undefined ? {} : { informers });
  return Object.fromEntries([...rejections].map(([name, { reason }]) => [name, reason]));
};

interface Case {
  readonly what: string;
  readonly pod: Pod;
  readonly on: readonly Pod[];
  readonly refused: Record<string, string>;
}

const versionTwo = {
  matchLabelKeys: ["v"],
  labelSelector: { matchLabels: web, matchExpressions: [{ key: "v", operator: "In", values: ["2"] }] },
};

const cases: readonly Case[] = [
  {
    what: "wants to be in the zone of others",
    pod: pod("p", wants(term(zoneKey))),
    on: [placed("w", "a1", web)],
    refused: { b1: together, bare: together },
  },
  {
    what: "wants others that are nowhere",
    pod: pod("p", wants(term(zoneKey))),
    on: [],
    refused: { a1: together, a2: together, b1: together, bare: together },
  },
  {
    what: "is the first of those it wants to be with",
    pod: labelled("p", web, wants(term(zoneKey))),
    on: [],
    refused: { bare: together },
  },
  {
    what: "wants others of another namespace only",
    pod: pod("p", wants(term(zoneKey, { namespaces: ["other"] }))),
    on: [placed("w", "a1", web)],
    refused: { a1: together, a2: together, b1: together, bare: together },
  },
  {
    what: "keeps away from hosts of others",
    pod: pod("p", avoids(term(hostKey))),
    on: [placed("w", "a1", web)],
    refused: { a1: apart },
  },
  {
    what: "keeps away from zones of others; nodes without one do",
    pod: pod("p", avoids(term(zoneKey))),
    on: [placed("w", "a1", web)],
    refused: { a1: apart, a2: apart },
  },
  {
    what: "is kept away by others",
    pod: labelled("p", web),
    on: [placed("w", "b1", {}, avoids(term(zoneKey)))],
    refused: { b1: unwelcome },
  },
  {
    what: "keeps away from its own version only",
    // As the API has written it: the version is in the selector, whatever it is called now.
    pod: labelled("p", { ...web, v: "3" }, avoids(term(hostKey, versionTwo))),
    on: [placed("w", "a1", { ...web, v: "1" }), placed("x", "a2", { ...web, v: "2" })],
    refused: { a2: apart },
  },
  {
    what: "spreads over zones",
    pod: labelled("p", web, spread(zoneKey)),
    on: [placed("w", "a1", web)],
    refused: { a1: uneven, a2: uneven, bare: unlabelled },
  },
  {
    what: "spreads over hosts with a skew of two",
    pod: labelled("p", web, spread(hostKey, { maxSkew: 2 })),
    on: [placed("w", "a1", web), placed("x", "a1", web), placed("y", "b1", web)],
    refused: { a1: uneven },
  },
  {
    what: "does not count pods on their way out",
    pod: labelled("p", web, spread(zoneKey)),
    on: [{ ...placed("w", "a1", web), metadata: { ...placed("w", "a1", web).metadata, deletionTimestamp: "2026" } }],
    refused: { bare: unlabelled },
  },
  {
    what: "needs more domains than there are",
    pod: labelled("p", web, spread(zoneKey, { minDomains: 3 })),
    on: [placed("w", "a1", web), placed("x", "b1", web)],
    refused: { a1: uneven, a2: uneven, b1: uneven, bare: unlabelled },
  },
  {
    what: "counts only nodes that the pod may go to",
    pod: labelled("p", web, { ...spread(zoneKey), nodeSelector: { [zoneKey]: "a" } }),
    on: [placed("w", "a1", web)],
    refused: { b1: elsewhere, bare: elsewhere },
  },
  {
    what: "counts nodes that the pod may not go to if it is told to",
    pod: labelled("p", web, { ...spread(zoneKey, { nodeAffinityPolicy: "Ignore" }), nodeSelector: { [zoneKey]: "a" } }),
    on: [placed("w", "a1", web)],
    refused: { a1: uneven, a2: uneven, b1: elsewhere, bare: elsewhere },
  },
  {
    what: "spreads pods of one revision",
    pod: labelled("p", { ...web, rev: "2" }, spread(zoneKey, { matchLabelKeys: ["rev"] })),
    on: [placed("w", "a1", { ...web, rev: "1" })],
    refused: { bare: unlabelled },
  },
];

describe("topology plugins", () => {
  for (const { what, pod: one, on, refused } of cases) it(what, () => assert.deepEqual(refusals(one, on), refused));

  for (const [nodeTaintsPolicy, zonesOfOthers] of [
    [undefined, { a1: uneven, a2: uneven }],
    ["Ignore", { a1: uneven, a2: uneven }],
    ["Honor", {}],
  ] as const) {
    it(`count nodes whose taints the pod does not tolerate unless they are honoured: ${nodeTaintsPolicy}`, () => {
      const state = cluster();
      state.putPod(placed("w", "a1", web));
      const taints = [{ key: "k", effect: "NoSchedule" }];
      state.putNode(node("b1", { labels: { [hostKey]: "b1", [zoneKey]: "b" }, spec: { taints } }));
      const { rejections } = decideOn(labelled("p", web, spread(zoneKey, { nodeTaintsPolicy })), state);
      assert.deepEqual(Object.fromEntries([...rejections].map(([name, { reason }]) => [name, reason])), {
        ...zonesOfOthers,
        b1: "node(s) had untolerated taint(s)",
        bare: unlabelled,
      });
    });
  }

  it("find namespaces by their labels", () => {
    const informers = new MemoryInformers();
    const metadata = { name: "default", uid: "d", resourceVersion: "1", creationTimestamp: "2026-01-01T00:00:00Z" };
    informers.for(Namespaces).put({ metadata: { ...metadata, labels: { team: "x" } }, spec: {}, status: {} });
    const namespaceSelector = { matchLabels: { team: "x" } };
    const one = pod("p", avoids(term(hostKey, { namespaceSelector })));
    assert.deepEqual(refusals(one, [placed("w", "a1", web)], informers), { a1: apart });
  });

  it("follow nodes that change their zone and go", () => {
    const state = cluster();
    state.putPod(placed("w", "a1", web));
    const one = pod("p", wants(term(zoneKey)));
    assert.deepEqual([...decideOn(one, state).rejections.keys()].sort(), ["b1", "bare"]);
    state.putNode(node("a1", { labels: { [hostKey]: "a1", [zoneKey]: "b" } }));
    assert.deepEqual([...decideOn(one, state).rejections.keys()].sort(), ["a2", "bare"]);
    state.removeNode("a1");
    assert.equal(decideOn(one, state).node, undefined);
  });

  it("prefer what pods wish for, theirs and others'", () => {
    const wish = (weight: number) => ({ weight, podAffinityTerm: term(hostKey) });
    const state = cluster();
    state.putPod(placed("w", "b1", web));
    const fond = { affinity: { podAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [wish(50)] } } };
    assert.equal(decideOn(pod("p", fond), state).node, "b1");
    const other = cluster();
    other.putPod(placed("x", "a2", {}, fond));
    assert.equal(decideOn(labelled("p", web), other).node, "a2");
  });

  it("prefer an even spread where it is not required", () => {
    const state = cluster();
    state.putPod(placed("w", "a1", web));
    state.putPod(placed("x", "a2", web));
    const anyway = spread(zoneKey, { whenUnsatisfiable: "ScheduleAnyway" });
    assert.equal(decideOn(labelled("p", web, anyway), state).node, "b1");
  });

  for (const seed of [1, 2, 3]) {
    it(`decide the same with counts kept up to date as with fresh ones (seed ${seed})`, () => {
      const random = seededRandom(seed);
      const lived = cluster();
      const names = ["a1", "a2", "b1", "bare"];
      const living = new Map<string, Pod>();
      const specs = [{}, avoids(term(hostKey)), spread(zoneKey), wants(term(zoneKey))];
      for (let step = 0; step < 200; step++) {
        const name = `p${randomInt(random, 12)}`;
        const on = names[randomInt(random, names.length)] ?? "";
        if (living.has(name)) {
          living.delete(name);
          lived.removePod(`uid-${name}`);
        } else {
          const one = placed(name, on, randomInt(random, 2) === 0 ? web : {}, specs[randomInt(random, specs.length)]);
          living.set(name, one);
          lived.putPod(one);
        }
        const fresh = cluster();
        for (const one of living.values()) fresh.putPod(one);
        for (const spec of specs) {
          const asked = labelled("asked", web, spec);
          const told = (state: ClusterState) => [...decideOn(asked, state).rejections].sort();
          assert.deepEqual(told(lived), told(fresh));
        }
      }
    });
  }
});
