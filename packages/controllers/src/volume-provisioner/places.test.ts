import assert from "node:assert/strict";
import { test } from "node:test";
import type { CSINode, Node, PersistentVolume, StorageClass } from "@skiff/api";
import { ago } from "../fixtures/objects.ts";
import { isOnlyAt, openPlaces, placeOf, rotated } from "./places.ts";

const driver = "x.example.com";
const key = `topology.${driver}/node`;
const at = (name: string) => ({ [key]: name });
const meta = (name: string) => ({ name, uid: name, resourceVersion: "1", creationTimestamp: ago(1) });

const node = (name: string, ready = "True", effect?: string, taint = "t"): Node => ({
  metadata: { ...meta(name), labels: { ...at(name), zone: "a" } },
  spec: effect === undefined ? {} : { taints: [{ key: taint, effect }] },
  status: { conditions: [{ type: "Ready", status: ready }] },
});

const volume = (operator?: string): PersistentVolume => {
  const matchExpressions = [{ key, operator: operator ?? "In", values: ["n2"] }];
  const required = { nodeSelectorTerms: [{ matchExpressions }] };
  const spec = operator === undefined ? {} : { nodeAffinity: { required } };
  return { metadata: meta("v"), spec, status: {} };
};

const csiNode = (name: string, of = driver): CSINode => ({
  metadata: meta(name),
  spec: { drivers: [{ name: of, nodeID: name, topologyKeys: [key] }] },
});

const storageClass = (...values: string[]): StorageClass => ({
  metadata: meta("c"),
  provisioner: driver,
  ...(values.length === 0 ? {} : { allowedTopologies: [{ matchLabelExpressions: [{ key, values }] }] }),
});

test("a volume's object says where it is", () => {
  assert.deepEqual(
    [placeOf(volume("In")), placeOf(volume()), placeOf(volume("NotIn"))],
    [at("n2"), undefined, undefined],
  );
  const seen = ["n1", "n2"].map((name) => isOnlyAt(volume("In"), node(name)));
  assert.deepEqual([...seen, isOnlyAt(volume(), node("n2"))], [false, true, false]);
});

test("volumes may be made where the driver is and pods may come, as far as the class allows it", () => {
  const nodes = [
    node("n1"),
    node("n2"),
    node("down", "Unknown", "NoSchedule", "node.kubernetes.io/unreachable"),
    node("home", "False", "NoSchedule", "node.kubernetes.io/not-ready"),
    node("full", "True", "NoSchedule"),
    node("shy", "True", "PreferNoSchedule"),
    node("other"),
  ];
  const csiNodeOf = (name: string) => (name === "other" ? csiNode(name, "y.example.com") : csiNode(name));
  const open = (home: string, ...allowed: string[]) =>
    openPlaces({ name: driver, home: at(home) }, storageClass(...allowed), nodes, csiNodeOf).map((place) => place[key]);
  assert.deepEqual(open("home"), ["n1", "n2", "home", "shy"]);
  assert.deepEqual(open("full"), ["n1", "n2", "shy"], "no pod may come home");
  assert.deepEqual(open("home", "n2", "full"), ["n2"]);
});

test("the places of claims, the best first", () => {
  const order = (claim: string, ...nodes: readonly string[]) =>
    rotated(claim, nodes.map(at), at("home")).map((place) => place[key]);
  const cases: readonly (readonly [claim: string, first: string])[] = [
    ["data", "home"],
    ["data-web-0", "home"],
    ["data-web-1", "a"],
    ["logs-web-1", "a"],
    ["data-web-2", "b"],
    ["data-web-3", "home"],
    ["data-web-x1", "home"],
    ["data-99999999999", "home"],
  ];
  for (const [claim, first] of cases) assert.equal(order(claim, "b", "home", "a")[0], first, claim);
  assert.deepEqual(order("data-web-1", "b", "home", "a"), ["a", "b", "home"]);
  assert.deepEqual([order("data-web-1", "b"), order("data-web-1")], [["b"], []]);
});
