/** What a driver offers. */
import { fieldError } from "../../field-error.ts";
import type {
  Counter,
  CounterSet,
  Device,
  DeviceAttribute,
  DeviceTaint,
  ResourceSlice,
  ResourceSliceSpec,
} from "../../generated/types/resource-v1.ts";
import {
  checkDnsLabel,
  checkDnsSubdomain,
  checkImmutable,
  checkQualifiedName,
  checkRequiredChoice,
  type Findings,
  invalidFor,
} from "../../validation/checks.ts";
import { labelValue } from "../../validation/names.ts";
import { checkNodeSelector } from "../core-v1/affinity-validation.ts";
import { checkCsiDriverName } from "../core-v1/remote-volume-validation.ts";
import { checkCapacities } from "./device-capacity-validation.ts";
import { checkAttributeName, checkItems, checkKeyedItems, checkPoolName } from "./device-checks.ts";

const most = {
  devices: 128,
  /** Devices that say more take more room. */
  largerDevices: 64,
  counterSets: 8,
  counters: 32,
  consumptions: 2,
  attributesAndCapacities: 32,
  attributeBytes: 64,
  taints: 16,
  bindingConditions: 4,
};

/** A slice of what a driver offers. */
export function* checkSlice({ spec }: ResourceSlice): Findings {
  yield* checkCsiDriverName("spec.driver", spec.driver ?? "");
  yield* checkPool(spec);
  yield* checkPlace("spec", spec, ["nodeName", "nodeSelector", "allNodes", "perDeviceNodeSelection"]);
  if (spec.sharedCounters !== undefined && spec.devices !== undefined) {
    yield fieldError.invalid("spec", "", "only one of `sharedCounters` or `devices` is allowed");
  }
  const large = (spec.devices ?? []).some(({ taints, consumesCounters }) => taints?.length || consumesCounters?.length);
  yield* checkKeyedItems("spec.devices", spec.devices, {
    limit: large ? most.largerDevices : most.devices,
    check: (path, device) => checkDevice(path, device, spec.perDeviceNodeSelection === true),
    key: ({ name }) => name ?? "",
  });
  yield* checkKeyedItems("spec.sharedCounters", spec.sharedCounters, {
    limit: most.counterSets,
    check: checkCounterSet,
    key: ({ name }) => name ?? "",
  });
}

function* checkPool({ pool }: ResourceSliceSpec): Findings {
  const { name, resourceSliceCount = 0, generation = 0 } = pool;
  yield* checkPoolName("spec.pool.name", name);
  if (resourceSliceCount <= 0) {
    yield fieldError.invalid("spec.pool.resourceSliceCount", resourceSliceCount, "must be greater than zero");
  }
  if (generation >= 0) return;
  yield fieldError.invalid("spec.pool.generation", generation, "must be greater than or equal to zero");
}

type PlaceField = "nodeName" | "nodeSelector" | "allNodes" | "perDeviceNodeSelection";

/** From where devices can be reached: exactly one of the ways to say it. */
function* checkPlace(field: string, place: Partial<Pick<ResourceSliceSpec, PlaceField>>, ways: readonly PlaceField[]) {
  const given: string[] = [];
  const { nodeName, nodeSelector } = place;
  if (nodeName) {
    given.push("`nodeName`");
    yield* checkDnsSubdomain(`${field}.nodeName`, nodeName);
  } else if (nodeName === "") {
    yield fieldError.invalid(`${field}.nodeName`, nodeName, "must be either unset or set to a non-empty string");
  }
  if (nodeSelector) {
    given.push("`nodeSelector`");
    yield* checkNodeSelector(`${field}.nodeSelector`, nodeSelector);
    if (nodeSelector.nodeSelectorTerms?.length !== 1) {
      const path = `${field}.nodeSelector.nodeSelectorTerms`;
      yield fieldError.invalid(path, nodeSelector.nodeSelectorTerms, "must have exactly one node selector term");
    }
  }
  for (const name of ["allNodes", "perDeviceNodeSelection"] as const) {
    if (place[name]) given.push(`\`${name}\``);
    else if (place[name] === false) {
      yield fieldError.invalid(`${field}.${name}`, false, "must be either unset or set to true");
    }
  }
  const message = `exactly one of ${ways.map((way) => `\`${way}\``).join(", ")} is required`;
  if (given.length === 0) yield fieldError.required(field, message);
  else if (given.length > 1) {
    yield fieldError.invalid(field, `{${given.join(", ")}}`, `${message}, but multiple fields are set`);
  }
}

function* checkDevice(field: string, device: Device, placesItself: boolean): Findings {
  yield* checkDnsLabel(`${field}.name`, device.name ?? "");
  const { attributes = {}, capacity = {}, taints, consumesCounters } = device;
  const count = Object.keys(attributes).length + Object.keys(capacity).length;
  if (count > most.attributesAndCapacities) {
    const message = `the total number of attributes and capacities must not exceed ${most.attributesAndCapacities}`;
    yield fieldError.invalid(field, count, message);
  }
  for (const [name, attribute] of Object.entries(attributes)) {
    const path = `${field}.attributes[${name}]`;
    yield* checkAttributeName(path, name);
    yield* checkAttribute(path, attribute);
  }
  yield* checkCapacities(`${field}.capacity`, capacity, device.allowMultipleAllocations === true);
  yield* checkItems(`${field}.taints`, taints, { limit: most.taints, check: checkTaint });
  yield* checkKeyedItems(`${field}.consumesCounters`, consumesCounters, {
    limit: most.consumptions,
    *check(path, { counterSet, counters }) {
      if (counterSet) yield* checkDnsLabel(`${path}.counterSet`, counterSet);
      else yield fieldError.required(`${path}.counterSet`);
      yield* checkCounters(`${path}.counters`, counters);
    },
    key: ({ counterSet }) => counterSet ?? "",
  });
  yield* checkDevicePlace(field, device, placesItself);
  yield* checkBinding(field, device);
}

const placeMessage =
  "exactly one of `nodeName`, `nodeSelector`, or `allNodes` is required when `perDeviceNodeSelection` is set to true in the ResourceSlice spec";

function* checkDevicePlace(field: string, device: Device, placesItself: boolean): Findings {
  const { nodeName, nodeSelector, allNodes } = device;
  const given = [nodeName, nodeSelector, allNodes].filter((way) => way !== undefined);
  if (!placesItself) {
    const message =
      "`nodeName`, `nodeSelector` and `allNodes` can only be set if `perDeviceNodeSelection` is set to true in the ResourceSlice spec";
    if (given.length > 0) yield fieldError.invalid(field, null, message);
    return;
  }
  if (nodeName === "") yield fieldError.invalid(`${field}.nodeName`, nodeName, "must not be empty");
  else if (nodeName) yield* checkDnsSubdomain(`${field}.nodeName`, nodeName);
  if (nodeSelector) yield* checkNodeSelector(`${field}.nodeSelector`, nodeSelector);
  if (allNodes === false) {
    yield fieldError.invalid(`${field}.allNodes`, false, "must be either unset or set to true");
  }
  const names = [
    ...(nodeName ? ["`nodeName`"] : []),
    ...(nodeSelector ? ["`nodeSelector`"] : []),
    ...(allNodes ? ["`allNodes`"] : []),
  ];
  if (names.length === 0) yield fieldError.required(field, placeMessage);
  else if (names.length > 1) yield fieldError.invalid(field, `{${names.join(", ")}}`, placeMessage);
}

const version =
  /^(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)(?:-(?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)(?:\.(?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*))*)?(?:\+[0-9a-zA-Z-]+(?:\.[0-9a-zA-Z-]+)*)?$/;

function* checkAttribute(field: string, attribute: DeviceAttribute): Findings {
  const { string: text, version: number } = attribute ?? {};
  if (text !== undefined && text.length > most.attributeBytes) {
    yield fieldError.tooLong(`${field}.string`, most.attributeBytes);
  }
  if (number !== undefined) {
    if (!version.test(number)) {
      yield fieldError.invalid(`${field}.version`, number, "must be a string compatible with semver.org spec 2.0.0");
    }
    if (number.length > most.attributeBytes) yield fieldError.tooLong(`${field}.version`, most.attributeBytes);
  }
  const given = Object.values(attribute ?? {}).filter((value) => value !== undefined).length;
  if (given !== 1) yield fieldError.invalid(field, given === 0 ? "" : attribute, "exactly one value must be specified");
}

function* checkTaint(field: string, { key, value = "", effect }: DeviceTaint): Findings {
  yield* checkQualifiedName(`${field}.key`, key ?? "");
  if (value !== "") yield* invalidFor(`${field}.value`, value, labelValue(value));
  yield* checkRequiredChoice(`${field}.effect`, effect, ["NoExecute", "NoSchedule", "None"]);
}

function* checkCounterSet(field: string, { name, counters }: CounterSet): Findings {
  if (name) yield* checkDnsLabel(`${field}.name`, name);
  else yield fieldError.required(`${field}.name`);
  yield* checkCounters(`${field}.counters`, counters);
}

function* checkCounters(field: string, counters: Readonly<Record<string, Counter>> | undefined): Findings {
  const names = Object.keys(counters ?? {});
  if (names.length === 0) return yield fieldError.required(field);
  if (names.length > most.counters) return yield fieldError.tooMany(field, names.length, most.counters);
  for (const name of names) yield* checkDnsLabel(`${field}[${name}]`, name);
}

function* checkBinding(field: string, device: Device): Findings {
  const { bindingConditions: ready = [], bindingFailureConditions: failed = [] } = device;
  if (ready.length === 0 && failed.length > 0) {
    const message = "bindingConditions are required to use bindingFailureConditions";
    yield fieldError.invalid(`${field}.bindingConditions`, ready, message);
  }
  if (failed.length === 0 && ready.length > 0) {
    const message = "bindingFailureConditions are required to use bindingConditions";
    yield fieldError.invalid(`${field}.bindingFailureConditions`, failed, message);
  }
  for (const [name, conditions] of Object.entries({ bindingConditions: ready, bindingFailureConditions: failed })) {
    yield* checkItems(`${field}.${name}`, conditions, { limit: most.bindingConditions, check: checkQualifiedName });
  }
}

/** A change of a slice: whose it is stays. */
export function* checkSliceUpdate({ spec }: ResourceSlice, { spec: old }: ResourceSlice): Findings {
  yield* checkImmutable("spec.pool.name", spec.pool?.name, old.pool?.name);
  yield* checkImmutable("spec.driver", spec.driver, old.driver);
  yield* checkImmutable("spec.nodeName", spec.nodeName, old.nodeName);
}
