import type { KubeObject } from "../object.ts";
import type { Column } from "../resource-definition.ts";
import { since } from "./human-duration.ts";

const creationTimestampDoc =
  "CreationTimestamp is a timestamp representing the server time when this object was created. It is not guaranteed to be set in happens-before order across separate operations. Clients may not set this value. It is represented in RFC3339 form and is in UTC.\n\nPopulated by the system. Read-only. Null for lists. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#metadata";

/** The column of kinds that Kubernetes prints no columns for: the moment itself, not how long ago. */
export const createdAt: Column = {
  title: "Created At",
  type: "date",
  description: creationTimestampDoc,
  value: (object) => object.metadata.creationTimestamp ?? null,
};

/** How long the object is there: `5m`, `2d3h`. */
export const age: Column = {
  title: "Age",
  type: "string",
  description: creationTimestampDoc,
  value: (object, { nowMs }) => since(object.metadata.creationTimestamp, nowMs),
};

/** The same column, shown with `-o wide` only. */
export const wide = <T extends KubeObject>(column: Column<T>): Column<T> => ({ ...column, priority: 1 });

/** `<none>` where there is nothing to show. */
export const orNone = (text: string | undefined): string => (text === undefined || text === "" ? "<none>" : text);

/** `a=1,b=2`, sorted by key; `<none>` for no labels. */
export function formatLabels(labels: Readonly<Record<string, string>> | undefined): string {
  const keys = Object.keys(labels ?? {}).sort();
  return orNone(keys.map((key) => `${key}=${labels?.[key]}`).join(","));
}

/** `10.0.0.1:80`, `[fd00::1]:80`. */
export const joinHostPort = (host: string, port: number): string =>
  host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;

/** The first three, and how many more: `a,b,c + 2 more...`. */
export function firstThree(all: readonly string[]): string {
  const shown = all.slice(0, 3).join(",");
  return all.length > 3 ? `${shown} + ${all.length - 3} more...` : shown;
}
