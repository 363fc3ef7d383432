import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { checkTransaction } from "@skiff/host";
import { affinityTimeouts } from "./affinity.ts";
import { mapKeys, mapNames } from "./elements.ts";
import { learnChain, type RuleSettings, rulesMark, spreadChain, tableRules } from "./rules.ts";
import { slotCounts } from "./slots.ts";

const settings: RuleSettings = {
  table: "t",
  podCidr: "10.42.0.0/24",
  clusterCidr: "10.42.0.0/16",
  bridge: "br0",
  bridgePacketsPassRules: true,
};

describe("tableRules", () => {
  it("have every map, and every chain that elements may lead to", () => {
    const rules = tableRules(settings);
    for (const map of mapKeys) assert.match(rules, new RegExp(`^ {2}(?:map|set) ${mapNames[map]} \\{`, "m"));
    const chains = [
      ...slotCounts.flatMap((slots) =>
        (["service", "node"] as const).flatMap((kind) =>
          [true, false].map((local) => spreadChain(kind, slots, { local })),
        ),
      ),
      ...affinityTimeouts.map(learnChain),
    ];
    for (const chain of chains) assert.ok(rules.includes(`  chain ${chain} {`), chain);
  });

  it("fit into one transaction, with few anonymous sets", () => {
    const rules = tableRules(settings);
    checkTransaction(rules);
    assert.ok((rules.match(/\{ tcp, udp, sctp \}/g)?.length ?? 0) < 120);
  });

  it("masquerade between pods of the bridge only where the bridge does not help", () => {
    const rule = "ip saddr 10.42.0.0/24 ip daddr 10.42.0.0/24 ct status dnat masquerade";
    assert.ok(!tableRules(settings).includes(rule));
    assert.ok(tableRules({ ...settings, bridgePacketsPassRules: false }).includes(rule));
  });
});

describe("rulesMark", () => {
  it("is another one for other rules, and does not depend on the table's name", () => {
    assert.match(rulesMark(settings), /^rules_[0-9a-f]{12}$/);
    assert.equal(rulesMark({ ...settings, table: "other" }), rulesMark(settings));
    assert.notEqual(rulesMark({ ...settings, bridge: "br1" }), rulesMark(settings));
  });
});
