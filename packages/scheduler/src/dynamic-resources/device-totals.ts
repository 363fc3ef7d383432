import type { DeviceClass } from "@skiff/api";
import type { ClusterView } from "../framework.ts";
import type { NodeInfo } from "../node-info.ts";
import { deviceStateOf } from "./device-state.ts";
import { poolsOf } from "./pools.ts";
import { loadedSelectors } from "./selector-engine.ts";
import { SelectorError } from "./selectors.ts";

/** Devices of a class that a node has access to, and how many of them are in use. */
export interface DeviceTotals {
  readonly capacity: number;
  readonly taken: number;
}

const none: DeviceTotals = { capacity: 0, taken: 0 };

/** Counts them. A class whose selectors cannot be evaluated has none. */
export function deviceTotals({ node }: NodeInfo, { metadata, spec }: DeviceClass, cluster: ClusterView): DeviceTotals {
  const matches = loadedSelectors();
  if (matches === undefined) return none;
  const { slices, inUse } = deviceStateOf(cluster);
  try {
    const devices = poolsOf(node, slices)
      .flatMap((pool) => pool.devices)
      .filter((device) => matches(device, spec.selectors ?? [], `class ${metadata.name}`));
    const taken = devices.filter(({ id }) => inUse.whole.has(id) || inUse.shared.has(id));
    return { capacity: devices.length, taken: taken.length };
  } catch (error) {
    if (error instanceof SelectorError) return none;
    throw error;
  }
}
