import { addQuantities } from "@skiff/api";
import type { JsonObject } from "@skiff/base";
import { asJson } from "../encoding/object-json.ts";
import { type IncludeObject, partialObject } from "../table/table.ts";
import type { Measured, Usage } from "./metrics-objects.ts";

/** The columns that metrics-server shows. */
const columns = [
  { name: "Name", type: "string", format: "name", description: "Name of the resource", priority: 0 },
  { name: "cpu", type: "string", format: "quantity", description: "", priority: 0 },
  { name: "memory", type: "string", format: "quantity", description: "", priority: 0 },
  { name: "Window", type: "string", format: "duration", description: "", priority: 0 },
];

const none: Usage = { cpu: "0", memory: "0" };

/** What a whole pod, or a node, uses. */
const whole = ({ usage = none, containers = [] }: Measured): Usage =>
  containers.reduce(
    (sum, { usage: part }) => ({
      cpu: addQuantities(sum.cpu, part.cpu),
      memory: addQuantities(sum.memory, part.memory),
    }),
    usage,
  );

/** What `kubectl get podmetrics` prints. */
export const metricsTable = (
  items: readonly Measured[],
  { include, metaVersion }: { readonly include: IncludeObject; readonly metaVersion: string },
): JsonObject => ({
  kind: "Table",
  apiVersion: `meta.k8s.io/${metaVersion}`,
  metadata: {},
  columnDefinitions: columns,
  rows: items.map((item) => {
    const { cpu, memory } = whole(item);
    const object = include === "None" ? null : include === "Object" ? asJson(item) : partialObject(item, metaVersion);
    return { cells: [item.metadata.name, cpu, memory, item.window], object };
  }),
});
