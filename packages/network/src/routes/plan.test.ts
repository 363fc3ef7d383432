import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Route } from "@skiff/host";
import { type OtherNode, planPeers, planRoutes, type RouteFacts } from "./plan.ts";

const protocol = "100";
const node = (n: number, change: Partial<OtherNode> = {}): OtherNode => ({
  name: `node-${n}`,
  address: `192.0.2.${n}`,
  podCidr: `10.42.${n}.0/24`,
  ...change,
});
const ours = (n: number, change: Partial<Route> = {}): Route => ({
  destination: `10.42.${n}.0/24`,
  via: `192.0.2.${n}`,
  link: "eth0",
  protocol,
  ...change,
});
const neighbours: Route = { destination: "192.0.2.0/24", link: "eth0", protocol: "kernel" };
const machine: readonly Route[] = [
  { destination: "default", via: "192.0.2.254", link: "eth0" },
  neighbours,
  { destination: "10.42.1.0/24", link: "skiff0", protocol: "kernel" },
  { destination: "203.0.113.7", link: "wg0" },
];
const facts = (change: Partial<RouteFacts>): RouteFacts => ({
  nodes: [],
  podCidr: "10.42.1.0/24",
  clusterCidr: "10.42.0.0/16",
  ownAddresses: ["192.0.2.1"],
  routes: machine,
  protocol,
  tunnel: "skiff0v",
  ...change,
});
const nothing = { changes: [], links: [], peers: [], unreachable: [], taken: [] };
const add = (route: Route) => ({ kind: "add", route }) as const;
const remove = (route: Route) => ({ kind: "remove", route }) as const;

describe("planRoutes", () => {
  const cases: readonly (readonly [string, Partial<RouteFacts>, Partial<ReturnType<typeof planRoutes>>])[] = [
    ["a node alone needs none", {}, {}],
    [
      "a neighbour's pods are reached by its address",
      { nodes: [node(2)] },
      { changes: [add(ours(2))], links: ["eth0"] },
    ],
    ["what is there stays", { nodes: [node(2)], routes: [...machine, ours(2)] }, { links: ["eth0"] }],
    ["what a node left behind goes", { routes: [...machine, ours(2)] }, { changes: [remove(ours(2))] }],
    [
      "a node that moved is followed",
      { nodes: [node(2, { address: "192.0.2.9" })], routes: [...machine, ours(2)] },
      { changes: [remove(ours(2)), add(ours(2, { via: "192.0.2.9" }))], links: ["eth0"] },
    ],
    [
      "others' routes are left alone, and told of",
      { nodes: [node(2)], routes: [...machine, ours(2, { protocol: "static" })] },
      { taken: [node(2)] },
    ],
    [
      "routes without a protocol are others' too",
      { nodes: [], routes: [...machine, { destination: "10.42.2.0/24", via: "192.0.2.2", link: "eth0" }] },
      {},
    ],
    [
      "a single address can have a link of its own",
      { nodes: [node(2, { address: "203.0.113.7" })] },
      { changes: [add(ours(2, { via: "203.0.113.7", link: "wg0" }))], links: ["wg0"] },
    ],
    [
      "behind a gateway the tunnel leads to it",
      { nodes: [node(2, { address: "198.51.100.2" })] },
      {
        changes: [add(ours(2, { via: "10.42.2.0", link: "skiff0v", onlink: true }))],
        links: ["skiff0v"],
        peers: [{ mac: "0a:6b:0a:2a:02:00", address: "10.42.2.0", remote: "198.51.100.2" }],
      },
    ],
    [
      "a node that came nearer needs no tunnel",
      { nodes: [node(2)], routes: [...machine, ours(2, { via: "10.42.2.0", link: "skiff0v", onlink: true })] },
      {
        changes: [remove(ours(2, { via: "10.42.2.0", link: "skiff0v", onlink: true })), add(ours(2))],
        links: ["eth0"],
      },
    ],
    [
      "without any route there is no reaching, and a route to pods does not make an address reachable",
      { nodes: [node(2, { address: "10.42.2.9" })], routes: [ours(2)] },
      { changes: [remove(ours(2))], unreachable: [node(2, { address: "10.42.2.9" })] },
    ],
    ["nothing outside of the cluster's network", { nodes: [node(2, { podCidr: "10.43.2.0/24" })] }, {}],
    ["not the whole of it", { nodes: [node(2, { podCidr: "10.42.0.0/16" })] }, {}],
    ["never everything", { nodes: [node(2, { podCidr: "0.0.0.0/0" })], clusterCidr: "0.0.0.0/0" }, {}],
    ["not this node's own pods", { nodes: [node(2, { podCidr: "10.42.1.128/25" })] }, {}],
    ["no node on this machine itself", { nodes: [node(2, { address: "192.0.2.1" })] }, {}],
    ["nonsense is no range", { nodes: [node(2, { podCidr: "pods" }), node(3, { address: "there" })] }, {}],
    [
      "one of two that have the same range, always the same one",
      { nodes: [node(3, { podCidr: "10.42.2.0/24" }), node(2)] },
      { changes: [add(ours(2))], links: ["eth0"] },
    ],
  ];
  for (const [name, change, expected] of cases) {
    it(name, () => assert.deepEqual(planRoutes(facts(change)), { ...nothing, ...expected }));
  }

  it("comes to rest", () => {
    const nodes = [node(2), node(3), node(4, { address: "198.51.100.2" })];
    const { changes } = planRoutes(facts({ nodes }));
    const routes = [...machine, ...changes.map(({ route }) => route)];
    assert.deepEqual(planRoutes(facts({ nodes, routes })).changes, []);
  });
});

it("the tunnel's ends come and go with nodes, and follow those that move", () => {
  const peer = (n: number, remote = `198.51.100.${n}`) => ({ mac: `0a:${n}`, address: `10.42.${n}.0`, remote });
  assert.deepEqual(planPeers([peer(2), peer(3, "203.0.113.3")], [peer(2), peer(3), peer(4)]), {
    add: [peer(3, "203.0.113.3")],
    remove: [peer(3), peer(4)],
  });
});
