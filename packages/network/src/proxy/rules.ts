import { createHash } from "node:crypto";
import { affinityTimeouts } from "./affinity.ts";
import { mapNames } from "./elements.ts";
import { localSlotOffset, slotCounts } from "./slots.ts";

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

/** How many clients of how many Services are remembered at most; beyond that, new ones go where chance sends them. */
const rememberedClients = 262_144;
const affinity = "affinity";
const protocols = ["tcp", "udp", "sctp"] as const;
/** `th dport` and addresses with ports are only understood after this. */
const anyProtocol = `meta l4proto { ${protocols.join(", ")} }`;

/** The chain that spreads connections over so many slots: those of all endpoints, or of the ones on this node. */
export const spreadChain = (kind: "service" | "node", slots: number, { local }: { readonly local: boolean }): string =>
  `${kind}${local ? "_local" : ""}_${slots}`;

/** The chain that remembers a client for so long. */
export const learnChain = (timeoutSeconds: number): string => `learn_${timeoutSeconds}`;

function spreadingChains(): string[] {
  return slotCounts.flatMap((slots) =>
    [false, true].flatMap((local) => {
      const offset = local ? ` offset ${localSlotOffset}` : "";
      const slot = `${slots === 1 ? "numgen inc mod 1" : `numgen random mod ${slots}`}${offset}`;
      return [
        `  chain ${spreadChain("service", slots, { local })} {`,
        `    ${anyProtocol} dnat ip to ip daddr . meta l4proto . th dport . ${slot} map @${mapNames.endpoints}`,
        "  }",
        `  chain ${spreadChain("node", slots, { local })} {`,
        `    ${anyProtocol} dnat ip to meta l4proto . th dport . ${slot} map @${mapNames.nodeEndpoints}`,
        "  }",
      ];
    }),
  );
}

/** After the destination was rewritten, only the kernel's memory of the flow knows what the client asked for. */
function learningChains(): string[] {
  const client = "ct original ip saddr . ct original ip daddr . meta l4proto . ct original proto-dst";
  return [
    ...affinityTimeouts.flatMap((seconds) => [
      `  chain ${learnChain(seconds)} {`,
      ...protocols.map(
        (protocol) =>
          `    meta l4proto ${protocol} update @${affinity} { ${client} timeout ${seconds}s : meta priority }`,
      ),
      "  }",
    ]),
    "  chain learn {",
    "    meta priority set 0",
    `    meta priority set ip daddr map @${mapNames.endpointIds}`,
    "    meta priority 0 return",
    ...protocols.flatMap((protocol) => [
      `    meta l4proto ${protocol} ct original ip daddr . meta l4proto . ct original proto-dst vmap @${mapNames.affinities}`,
      `    meta l4proto ${protocol} meta l4proto . ct original proto-dst vmap @${mapNames.nodeAffinities}`,
    ]),
    "    meta priority set 0",
    "  }",
  ];
}

/** First where the client went before, if that endpoint is still there; then what the Service's endpoints are now. */
function dispatchChain({ clusterCidr }: RuleSettings): string[] {
  const client = "ip saddr . ip daddr . meta l4proto . th dport";
  const outside = `ip saddr != ${clusterCidr} fib saddr type != local`;
  return [
    "  chain dispatch {",
    `    meta priority set ${client} map @${affinity}`,
    `    ${anyProtocol} dnat ip to ip daddr . meta l4proto . th dport . meta priority map @${mapNames.stickyEndpoints}`,
    `    fib daddr type local ${anyProtocol} dnat ip to meta l4proto . th dport . meta priority map @${mapNames.stickyNodeEndpoints}`,
    `    meta priority != 0 ${anyProtocol} delete @${affinity} { ${client} : meta priority }`,
    `    ${outside} ip daddr . meta l4proto . th dport vmap @${mapNames.localServices}`,
    `    ${outside} fib daddr type local meta l4proto . th dport vmap @${mapNames.localNodePorts}`,
    `    ip daddr . meta l4proto . th dport vmap @${mapNames.services}`,
    `    fib daddr type local meta l4proto . th dport vmap @${mapNames.nodePorts}`,
    "  }",
  ];
}

function mapDefinitions(): string[] {
  const at = "ip daddr . meta l4proto . th dport";
  const onNode = "meta l4proto . th dport";
  const slot = "numgen random mod 2";
  const maps: readonly (readonly [string, string])[] = [
    [mapNames.services, "type ipv4_addr . inet_proto . inet_service : verdict"],
    [mapNames.localServices, "type ipv4_addr . inet_proto . inet_service : verdict"],
    [mapNames.affinities, "type ipv4_addr . inet_proto . inet_service : verdict"],
    [mapNames.nodePorts, "type inet_proto . inet_service : verdict"],
    [mapNames.localNodePorts, "type inet_proto . inet_service : verdict"],
    [mapNames.nodeAffinities, "type inet_proto . inet_service : verdict"],
    [mapNames.endpoints, `typeof ${at} . ${slot} : ip daddr . th dport`],
    [mapNames.nodeEndpoints, `typeof ${onNode} . ${slot} : ip daddr . th dport`],
    [mapNames.stickyEndpoints, `typeof ${at} . meta priority : ip daddr . th dport`],
    [mapNames.stickyNodeEndpoints, `typeof ${onNode} . meta priority : ip daddr . th dport`],
    [mapNames.endpointIds, "typeof ip daddr : meta priority"],
  ];
  return [
    ...maps.map(([name, type]) => `  map ${name} { ${type}; }`),
    `  map ${affinity} { typeof ip saddr . ${at} : meta priority; size ${rememberedClients}; flags dynamic, timeout; }`,
    `  set ${mapNames.refused} { type ipv4_addr . inet_proto . inet_service; }`,
    `  set ${mapNames.refusedNodePorts} { type inet_proto . inet_service; }`,
    `  set ${mapNames.clusterIps} { type ipv4_addr; }`,
    `  set ${mapNames.hairpin} { type ipv4_addr . ipv4_addr; }`,
  ];
}

/**
 * Links that carry node ports of 127.0.0.1 to endpoints would bring their neighbours to whatever listens there, too. Answers
 * are let through, and what was sent to a node port.
 */
const foreignLoopback =
  '    iifname != "lo" ip daddr 127.0.0.0/8 ct state != { established, related } ct status ! dnat drop';

function hookChains(settings: RuleSettings): string[] {
  const { podCidr, clusterCidr, bridge } = settings;
  // Without the bridge's help, answers between pods of one bridge would not find their way back through the rules.
  const sameBridge = settings.bridgePacketsPassRules
    ? []
    : [`    ip saddr ${podCidr} ip daddr ${podCidr} ct status dnat masquerade`];
  return [
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
    "    ct status dnat jump learn",
    // A pod that reaches itself through a Service must not see its own address as the other end's.
    `    ip saddr . ip daddr @${mapNames.hairpin} ct status dnat masquerade`,
    ...sameBridge,
    "    ip saddr 127.0.0.0/8 ct status dnat masquerade",
    // Endpoints elsewhere would answer a client outside directly, who knows nothing of them.
    `    ip saddr != ${clusterCidr} ip daddr != ${podCidr} fib saddr type != local ct status dnat masquerade`,
    `    ip saddr ${podCidr} ip daddr != ${clusterCidr} oifname != "${bridge}" masquerade`,
    "  }",
    "  chain refuse {",
    `    ip daddr . meta l4proto . th dport @${mapNames.refused} goto answer_refusal`,
    `    fib daddr type local meta l4proto . th dport @${mapNames.refusedNodePorts} goto answer_refusal`,
    // What a Service answers was sent on to an endpoint before it comes here.
    `    ip daddr @${mapNames.clusterIps} fib daddr type != local goto answer_refusal`,
    "  }",
    "  chain answer_refusal {",
    "    meta l4proto tcp reject with tcp reset",
    "    reject with icmp type port-unreachable",
    "  }",
    ...["input", "forward", "output"].flatMap((hook) => [
      `  chain refuse_${hook} {`,
      `    type filter hook ${hook} priority 0; policy accept;`,
      ...(hook === "input" ? [foreignLoopback] : []),
      "    ct state new jump refuse",
      "  }",
    ]),
  ];
}

const body = (settings: RuleSettings): readonly string[] => [
  ...mapDefinitions(),
  ...spreadingChains(),
  ...learningChains(),
  ...dispatchChain(settings),
  ...hookChains(settings),
];

/** Name of an empty set that says which rules a table has: tables with the same one have the same rules. */
export const rulesMark = (settings: RuleSettings): string =>
  `rules_${createHash("sha256").update(body(settings).join("\n")).digest("hex").slice(0, 12)}`;

/**
 * The whole table without its elements. A constant number of rules: what varies lives in named maps and sets, because a
 * transaction with a rule or an anonymous set for each Service keeps the kernel busy for minutes.
 */
export function tableRules(settings: RuleSettings): string {
  const mark = `  set ${rulesMark(settings)} { type inet_proto; }`;
  return [`table ip ${settings.table} {`, mark, ...body(settings), "}"].join("\n");
}
