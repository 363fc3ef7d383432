import { slotCounts } from "./slots.ts";

/** What the rules need to know of the node. */
export interface RuleSettings {
  /** Name of the table, in family `ip`. */
  readonly table: string;
  /** This node's pods. */
  readonly podCidr: string;
  /** All pods of the cluster: traffic between them keeps its addresses. */
  readonly clusterCidr: string;
  /** The bridge that this node's pods hang on. */
  readonly bridge: string;
  /** Pods that talk to each other through a Service meet on one bridge: their packets must pass these rules on the way back. */
  readonly bridgePacketsPassRules: boolean;
}

/** Names of the table's maps and sets; everything that changes is in these. */
export const mapNames = {
  /** address . protocol . port → chain: ClusterIPs, external IPs, load-balancer addresses. */
  services: "services",
  /** protocol . port → chain, on all of the node's own addresses. */
  nodePorts: "node_ports",
  /** address . protocol . port . slot → pod address . port */
  endpoints: "endpoints",
  /** protocol . port . slot → pod address . port */
  nodeEndpoints: "node_endpoints",
  /** address . protocol . port of Services without endpoints: connections are refused, not left to time out. */
  refused: "refused",
  /** protocol . port of NodePorts without endpoints. */
  refusedNodePorts: "refused_node_ports",
  /** pod address . the same address: connections that come back to where they started. */
  hairpin: "hairpin",
} as const;

const byChance = (slots: number) => (slots === 1 ? "numgen inc mod 1" : `numgen random mod ${slots}`);
const bySource = (slots: number) => (slots === 1 ? "numgen inc mod 1" : `jhash ip saddr mod ${slots}`);

/** The chain that spreads connections over so many slots. `sticky`: by the client's address instead of by chance. */
export const chainName = (kind: "service" | "node", sticky: boolean, slots: number): string =>
  `${kind}_${sticky ? "sticky" : "spread"}_${slots}`;

function spreadingChains(): string[] {
  return slotCounts.flatMap((slots) =>
    [false, true].flatMap((sticky) => {
      const pick = sticky ? bySource(slots) : byChance(slots);
      return [
        `  chain ${chainName("service", sticky, slots)} {`,
        `    meta l4proto { tcp, udp, sctp } dnat ip to ip daddr . meta l4proto . th dport . ${pick} map @${mapNames.endpoints}`,
        "  }",
        `  chain ${chainName("node", sticky, slots)} {`,
        `    meta l4proto { tcp, udp, sctp } dnat ip to meta l4proto . th dport . ${pick} map @${mapNames.nodeEndpoints}`,
        "  }",
      ];
    }),
  );
}

/**
 * The whole table without its elements. A constant number of rules: what varies lives in named maps and sets, because a
 * transaction with a rule or an anonymous set for each Service keeps the kernel busy for minutes.
 */
export function tableRules(settings: RuleSettings): string {
  const { table, podCidr, clusterCidr, bridge } = settings;
  // Without the bridge's help, answers between pods of one bridge would not find their way back through the rules.
  const sameBridge = settings.bridgePacketsPassRules
    ? []
    : [`    ip saddr ${podCidr} ip daddr ${podCidr} ct status dnat masquerade`];
  return [
    `table ip ${table} {`,
    `  map ${mapNames.services} { type ipv4_addr . inet_proto . inet_service : verdict; }`,
    `  map ${mapNames.nodePorts} { type inet_proto . inet_service : verdict; }`,
    `  map ${mapNames.endpoints} { typeof ip daddr . meta l4proto . th dport . numgen random mod 2 : ip daddr . th dport; }`,
    `  map ${mapNames.nodeEndpoints} { typeof meta l4proto . th dport . numgen random mod 2 : ip daddr . th dport; }`,
    `  set ${mapNames.refused} { type ipv4_addr . inet_proto . inet_service; }`,
    `  set ${mapNames.refusedNodePorts} { type inet_proto . inet_service; }`,
    `  set ${mapNames.hairpin} { type ipv4_addr . ipv4_addr; }`,
    ...spreadingChains(),
    "  chain dispatch {",
    `    ip daddr . meta l4proto . th dport vmap @${mapNames.services}`,
    `    fib daddr type local meta l4proto . th dport vmap @${mapNames.nodePorts}`,
    "  }",
    "  chain prerouting {",
    "    type nat hook prerouting priority -100; policy accept;",
    "    jump dispatch",
    "  }",
    "  chain output {",
    "    type nat hook output priority -100; policy accept;",
    "    jump dispatch",
    "  }",
    "  chain postrouting {",
    "    type nat hook postrouting priority 100; policy accept;",
    // A pod that reaches itself through a Service must not see its own address as the other end's.
    `    ip saddr . ip daddr @${mapNames.hairpin} ct status dnat masquerade`,
    ...sameBridge,
    "    ip saddr 127.0.0.0/8 ct status dnat masquerade",
    `    ip saddr ${podCidr} ip daddr != ${clusterCidr} oifname != "${bridge}" masquerade`,
    "  }",
    "  chain refuse {",
    `    ip daddr . meta l4proto . th dport @${mapNames.refused} goto answer_refusal`,
    `    fib daddr type local meta l4proto . th dport @${mapNames.refusedNodePorts} goto answer_refusal`,
    "  }",
    "  chain answer_refusal {",
    "    meta l4proto tcp reject with tcp reset",
    "    reject with icmp type port-unreachable",
    "  }",
    ...["input", "forward", "output"].flatMap((hook) => [
      `  chain refuse_${hook} {`,
      `    type filter hook ${hook} priority 0; policy accept;`,
      "    ct state new jump refuse",
      "  }",
    ]),
    "}",
  ].join("\n");
}
