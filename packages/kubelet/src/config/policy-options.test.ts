import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { plainRules } from "../cpus/cpu-rules.ts";
import { cpuOptionsProblem, cpuRulesOf, machineProblem, topologyOptionsProblem } from "./policy-options.ts";

const alpha = { CPUManagerPolicyAlphaOptions: true };
const cores = "distribute-cpus-across-cores";

describe("options of policies", () => {
  for (const [what, options, gates, problem] of [
    ["no option", {}, {}, undefined],
    ["stable ones", { "full-pcpus-only": "true", "strict-cpu-reservation": "F" }, {}, undefined],
    ["beta ones", { "distribute-cpus-across-numa": "1", "prefer-align-cpus-by-uncorecache": "false" }, {}, undefined],
    ["alpha ones that are let", { "align-by-socket": "true", [cores]: "true" }, alpha, undefined],
    ["an unknown one", { fast: "true" }, {}, 'unknown CPU Manager Policy option: "fast"'],
    [
      "alpha ones that are not let",
      { [cores]: "false" },
      {},
      `CPU Manager Policy Alpha-level Options not enabled, but option "${cores}" provided`,
    ],
    [
      "beta ones that are not let",
      { "distribute-cpus-across-numa": "true" },
      { CPUManagerPolicyBetaOptions: false },
      'CPU Manager Policy Beta-level Options not enabled, but option "distribute-cpus-across-numa" provided',
    ],
    [
      "what is neither true nor false",
      { "full-pcpus-only": "yes" },
      {},
      'bad value for option "full-pcpus-only": strconv.ParseBool: parsing "yes": invalid syntax',
    ],
    [
      "two that contradict each other",
      { "full-pcpus-only": "true", [cores]: "true" },
      alpha,
      `static policy options full-pcpus-only and ${cores} can not be used at the same time`,
    ],
    [
      "two others",
      { "distribute-cpus-across-numa": "true", "prefer-align-cpus-by-uncorecache": "true" },
      {},
      "static policy options prefer-align-cpus-by-uncorecache and distribute-cpus-across-numa can not be used at the same time",
    ],
  ] as const)
    it(`for CPUs: ${what}`, () => assert.equal(cpuOptionsProblem(options, gates), problem));

  for (const [options, problem] of [
    [{ "prefer-closest-numa-nodes": "true", "max-allowable-numa-nodes": "12" }, undefined],
    [{ fast: "true" }, 'unknown Topology Manager Policy option: "fast"'],
    [{ "max-allowable-numa-nodes": "7" }, 'the minimum value of "max-allowable-numa-nodes" should not be less than 8'],
    [
      { "max-allowable-numa-nodes": "many" },
      'bad value for option "max-allowable-numa-nodes": strconv.Atoi: parsing "many": invalid syntax',
    ],
    [
      { "prefer-closest-numa-nodes": "" },
      'bad value for option "prefer-closest-numa-nodes": strconv.ParseBool: parsing "": invalid syntax',
    ],
  ] as const)
    it(`for topology: ${JSON.stringify(options)}`, () => assert.equal(topologyOptionsProblem(options), problem));

  it("become rules", () => {
    const told = { "full-pcpus-only": "t", "distribute-cpus-across-numa": "true", "align-by-socket": "0" };
    assert.deepEqual(cpuRulesOf(told), { ...plainRules, wholeCores: true, acrossNuma: true });
  });

  it("have to go with the machine", () => {
    const problem = (
      policy: "none" | "restricted" | "single-numa-node",
      [numaNodes, sockets]: readonly [number, number],
      more: { readonly bySocket?: boolean; readonly topologyOptions?: Record<string, string> } = {},
    ) => {
      const { bySocket = false, topologyOptions = {} } = more;
      return machineProblem({ policy, topologyOptions, rules: { ...plainRules, bySocket } }, { numaNodes, sockets });
    };
    assert.equal(problem("restricted", [8, 2]), undefined);
    assert.equal(problem("none", [16, 2]), undefined);
    assert.equal(problem("restricted", [16, 2]), "unsupported on machines with more than 8 NUMA Nodes");
    const topologyOptions = { "max-allowable-numa-nodes": "16" };
    assert.equal(problem("restricted", [16, 2], { topologyOptions }), undefined);
    assert.match(problem("single-numa-node", [4, 2], { bySocket: true }) ?? "", /is incompatible with CPUManager/);
    assert.match(problem("restricted", [1, 2], { bySocket: true }) ?? "", /number of sockets are more than number of/);
    assert.equal(problem("restricted", [4, 2], { bySocket: true }), undefined);
  });
});
