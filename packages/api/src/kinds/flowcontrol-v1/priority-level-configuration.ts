import { jsonEqual } from "@skiff/base";
import { defineResource } from "../../define-resource.ts";
import { fieldError } from "../../field-error.ts";
import type {
  ExemptPriorityLevelConfiguration,
  LimitedPriorityLevelConfiguration,
  PriorityLevelConfiguration,
  QueuingConfiguration,
} from "../../generated/types/flowcontrol-v1.ts";
import type { Column } from "../../resource-definition.ts";
import type { Findings } from "../../validation/checks.ts";
import { age } from "../columns.ts";
import { bootstrapPriorityLevels } from "./bootstrap.ts";
import { checkConditions } from "./condition-rules.ts";

const mostQueues = 10_000_000;
/** Hashes of flows are so many bits of chance: more cannot be dealt from. */
const hashBits = 60;

const queuing = (level: PriorityLevelConfiguration): QueuingConfiguration | undefined =>
  level.spec.limited?.limitResponse?.queuing;
const orNone = (value: number | undefined): string => (value === undefined ? "<none>" : String(value));

const columns: readonly Column<PriorityLevelConfiguration>[] = [
  {
    title: "Type",
    description: "`type` indicates whether this priority level is subject to limitation on request execution.",
    value: ({ spec }) => spec.type,
  },
  {
    title: "NominalConcurrencyShares",
    description:
      "`nominalConcurrencyShares` (NCS) contributes to the computation of the NominalConcurrencyLimit (NominalCL) of this level.",
    value: ({ spec }) => orNone(spec.limited?.nominalConcurrencyShares),
  },
  {
    title: "Queues",
    description: "`queues` is the number of queues for this priority level.",
    value: (level) => orNone(queuing(level)?.queues),
  },
  {
    title: "HandSize",
    description: "`handSize` is a small positive number that configures the shuffle sharding of requests into queues.",
    value: (level) => orNone(queuing(level)?.handSize),
  },
  {
    title: "QueueLengthLimit",
    description: "`queueLengthLimit` is the maximum number of requests allowed to be waiting in a given queue.",
    value: (level) => orNone(queuing(level)?.queueLengthLimit),
  },
  age,
];

function* checkShares(field: string, level: ExemptPriorityLevelConfiguration): Findings {
  const { nominalConcurrencyShares: shares = 0, lendablePercent = 0 } = level;
  if (shares < 0)
    yield fieldError.invalid(`${field}.nominalConcurrencyShares`, shares, "must be a non-negative integer");
  if (lendablePercent < 0 || lendablePercent > 100) {
    yield fieldError.invalid(`${field}.lendablePercent`, lendablePercent, "must be between 0 and 100, inclusive");
  }
}

function* checkLimited(field: string, level: LimitedPriorityLevelConfiguration): Findings {
  const { borrowingLimitPercent, limitResponse } = level;
  const [shares, ...lending] = [...checkShares(field, level)];
  if (shares !== undefined) yield shares;
  const response = `${field}.limitResponse`;
  switch (limitResponse?.type) {
    case "Reject":
      if (limitResponse.queuing) {
        yield fieldError.forbidden(`${response}.queuing`, "must be nil if limited.limitResponse.type is not Limited");
      }
      break;
    case "Queue":
      if (limitResponse.queuing) yield* checkQueuing(`${response}.queuing`, limitResponse.queuing);
      else {
        const message = "must not be empty if limited.limitResponse.type is Limited";
        yield fieldError.required(`${response}.queuing`, message);
      }
      break;
    default:
      yield fieldError.notSupported(`${response}.type`, limitResponse?.type ?? "", ["Queue", "Reject"]);
  }
  yield* lending;
  if (borrowingLimitPercent !== undefined && borrowingLimitPercent < 0) {
    const message = "if specified, must be a non-negative integer";
    yield fieldError.invalid(`${field}.borrowingLimitPercent`, borrowingLimitPercent, message);
  }
}

/** Bits of chance that dealing a hand takes. */
function entropyBits(deckSize: number, handSize: number): number {
  let bits = 0;
  for (let dealt = 0; dealt < handSize; dealt++) bits += Math.log2(deckSize - dealt);
  return Math.ceil(bits);
}

function* checkQueuing(
  field: string,
  { queues = 0, handSize = 0, queueLengthLimit = 0 }: QueuingConfiguration,
): Findings {
  if (queueLengthLimit <= 0)
    yield fieldError.invalid(`${field}.queueLengthLimit`, queueLengthLimit, "must be positive");
  if (queues <= 0) yield fieldError.invalid(`${field}.queues`, queues, "must be positive");
  else if (queues > mostQueues) {
    yield fieldError.invalid(`${field}.queues`, queues, `must not be greater than ${mostQueues}`);
  }
  const own = `${field}.handSize`;
  if (handSize <= 0) yield fieldError.invalid(own, handSize, "must be positive");
  else if (handSize > queues) {
    yield fieldError.invalid(own, handSize, `should not be greater than queues (${queues})`);
  } else if (entropyBits(queues, handSize) > hashBits) {
    const message = `required entropy bits of deckSize ${queues} and handSize ${handSize} should not be greater than ${hashBits}`;
    yield fieldError.invalid(own, handSize, message);
  }
}

function* checkSpec({ metadata, spec }: PriorityLevelConfiguration): Findings {
  const { type, limited, exempt } = spec;
  if ((metadata.name === "exempt") !== (type === "Exempt")) {
    yield fieldError.invalid("spec.type", type, "type must be 'Exempt' if and only if name is 'exempt'");
  }
  switch (type) {
    case "Exempt":
      if (limited) yield fieldError.forbidden("spec.limited", "must be nil if the type is not Limited");
      if (exempt) yield* checkShares("spec.exempt", exempt);
      break;
    case "Limited":
      if (exempt) yield fieldError.forbidden("spec.exempt", "must be nil if the type is Limited");
      if (limited) yield* checkLimited("spec.limited", limited);
      else yield fieldError.required("spec.limited", "must not be empty when type is Limited");
      break;
    default:
      yield fieldError.notSupported("spec.type", type, ["Exempt", "Limited"]);
  }
}

function* checkFixed({ metadata: { name }, spec }: PriorityLevelConfiguration): Findings {
  const fixed = bootstrapPriorityLevels.find((level) => level.mandatory && level.name === name);
  if (fixed === undefined) return;
  if (name === "exempt") {
    // How much of what is free the level lends is the administrator's to say.
    if (jsonEqual({ ...spec, exempt: null }, { ...fixed.spec, exempt: null })) return;
    const message = "spec of 'exempt' except the 'spec.exempt' field must equal the fixed value";
    yield fieldError.invalid("spec", spec, message);
  } else if (!jsonEqual(spec, fixed.spec)) {
    yield fieldError.invalid("spec", spec, `spec of '${name}' must equal the fixed value`);
  }
}

function setDefaults({ spec }: PriorityLevelConfiguration): void {
  if (spec?.exempt) {
    spec.exempt.nominalConcurrencyShares ??= 0;
    spec.exempt.lendablePercent ??= 0;
  }
  if (!spec?.limited) return;
  const { limited } = spec;
  limited.nominalConcurrencyShares ??= 30;
  limited.lendablePercent ??= 0;
  const queues = limited.limitResponse?.queuing;
  if (!queues) return;
  queues.handSize ||= 8;
  queues.queues ||= 64;
  queues.queueLengthLimit ||= 50;
}

/** `prioritylevelconfigurations.flowcontrol.apiserver.k8s.io`. */
export const PriorityLevelConfigurations = defineResource<PriorityLevelConfiguration>({
  group: "flowcontrol.apiserver.k8s.io",
  version: "v1",
  kind: "PriorityLevelConfiguration",
  plural: "prioritylevelconfigurations",
  columns,
  defaults: setDefaults,
  validate: (level) => [...checkSpec(level), ...checkFixed(level), ...checkConditions(level.status?.conditions)],
  validateStatusUpdate: ({ status }) => [...checkConditions(status?.conditions)],
});
