import { fieldError } from "../../field-error.ts";
import type {
  IPBlock,
  NetworkPolicy,
  NetworkPolicyPeer,
  NetworkPolicyPort,
} from "../../generated/types/networking-v1.ts";
import { isStrictSubset } from "../../validation/addresses.ts";
import { checkChoice, checkCIDR, checkPort, checkPortName, type Findings } from "../../validation/checks.ts";
import { checkLabelSelector } from "../../validation/labels.ts";

const policyTypes = ["Ingress", "Egress"];

/** A policy of what may talk to pods, and what they may talk to. */
export function* checkNetworkPolicy({ spec }: NetworkPolicy): Findings {
  yield* checkLabelSelector("spec.podSelector", spec?.podSelector);
  for (const [index, { ports, from }] of (spec?.ingress ?? []).entries()) {
    yield* checkRule(`spec.ingress[${index}]`, { ports, peers: from, side: "from" });
  }
  for (const [index, { ports, to }] of (spec?.egress ?? []).entries()) {
    yield* checkRule(`spec.egress[${index}]`, { ports, peers: to, side: "to" });
  }
  const types = spec?.policyTypes ?? [];
  if (types.length > policyTypes.length) {
    return yield fieldError.tooMany("spec.policyTypes", types.length, policyTypes.length);
  }
  for (const [index, type] of types.entries()) yield* checkChoice(`spec.policyTypes[${index}]`, type, policyTypes);
}

function* checkRule(
  field: string,
  rule: {
    readonly ports: readonly NetworkPolicyPort[] | undefined;
    readonly peers: readonly NetworkPolicyPeer[] | undefined;
    readonly side: "from" | "to";
  },
): Findings {
  for (const [index, port] of (rule.ports ?? []).entries()) yield* checkPolicyPort(`${field}.ports[${index}]`, port);
  for (const [index, peer] of (rule.peers ?? []).entries()) yield* checkPeer(`${field}.${rule.side}[${index}]`, peer);
}

function* checkPolicyPort(field: string, { protocol, port, endPort }: NetworkPolicyPort): Findings {
  yield* checkChoice(`${field}.protocol`, protocol, ["TCP", "UDP", "SCTP"]);
  const path = `${field}.endPort`;
  if (port === undefined) {
    if (endPort === undefined) return;
    return yield fieldError.invalid(path, endPort, "may not be specified when `port` is not specified");
  }
  if (typeof port === "string") {
    if (endPort !== undefined) {
      yield fieldError.invalid(path, endPort, "may not be specified when `port` is non-numeric");
    }
    return yield* checkPortName(`${field}.port`, port);
  }
  yield* checkPort(`${field}.port`, port);
  if (endPort === undefined) return;
  if (endPort < port) yield fieldError.invalid(path, port, "must be greater than or equal to `port`");
  if (endPort < 1) yield fieldError.invalid(path, endPort, "must be greater than or equal to 1");
  if (endPort > 65_535) yield fieldError.invalid(path, endPort, "must be less than or equal to 65535");
}

function* checkPeer(field: string, { podSelector, namespaceSelector, ipBlock }: NetworkPolicyPeer): Findings {
  yield* checkLabelSelector(`${field}.podSelector`, podSelector);
  yield* checkLabelSelector(`${field}.namespaceSelector`, namespaceSelector);
  if (ipBlock) yield* checkBlock(`${field}.ipBlock`, ipBlock);
  if (!podSelector && !namespaceSelector && !ipBlock) yield fieldError.required(field, "must specify a peer");
  else if (ipBlock && (podSelector || namespaceSelector)) {
    yield fieldError.forbidden(field, "may not specify both ipBlock and another peer");
  }
}

function* checkBlock(field: string, { cidr, except = [] }: IPBlock): Findings {
  if (!cidr) return yield fieldError.required(`${field}.cidr`);
  const problems = [...checkCIDR(`${field}.cidr`, cidr)];
  yield* problems;
  if (problems.length > 0) return;
  for (const [index, part] of except.entries()) {
    const path = `${field}.except[${index}]`;
    const wrong = [...checkCIDR(path, part)];
    yield* wrong;
    if (wrong.length === 0 && !isStrictSubset(cidr, part)) {
      yield fieldError.invalid(path, part, "must be a strict subset of `cidr`");
    }
  }
}
