import type { PodTemplateSpec } from "../generated/types/core-v1.ts";
import type { LabelSelector } from "../generated/types/meta-v1.ts";
import type { KubeObject } from "../object.ts";
import type { Column } from "../resource-definition.ts";
import { orNone } from "./columns.ts";

/** A selector as text: `app=web,tier in (a,b),!old`; `<none>` for one that says nothing. */
export function selectorText(selector: LabelSelector | undefined): string {
  const labels = Object.entries(selector?.matchLabels ?? {}).map(([key, value]) => ({ key, text: `${key}=${value}` }));
  const expressions = (selector?.matchExpressions ?? []).map(({ key, operator, values = [] }) => ({
    key,
    text: expressionText(key, operator, values),
  }));
  const all = [...labels, ...expressions].sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
  return orNone(all.map(({ text }) => text).join(","));
}

function expressionText(key: string, operator: string, values: readonly string[]): string {
  const listed = `(${[...values].sort().join(",")})`;
  switch (operator) {
    case "In":
      return `${key} in ${listed}`;
    case "NotIn":
      return `${key} notin ${listed}`;
    case "Exists":
      return key;
    default:
      return `!${key}`;
  }
}

/** The columns `Containers` and `Images` of kinds that make pods from a template, shown with `-o wide` (`priority` 1). */
export function templateColumns<T extends KubeObject>(
  template: (object: T) => PodTemplateSpec | undefined,
  priority: 0 | 1 = 1,
): readonly Column<T>[] {
  const list = (object: T, field: "name" | "image") =>
    (template(object)?.spec?.containers ?? []).map((container) => container[field] ?? "").join(",");
  return [
    {
      title: "Containers",
      priority,
      description: "Names of each container in the template.",
      value: (object) => list(object, "name"),
    },
    {
      title: "Images",
      priority,
      description: "Images referenced by each container in the template.",
      value: (object) => list(object, "image"),
    },
  ];
}

/** The column `Selector`, shown with `-o wide`. */
export const selectorColumn = <T extends KubeObject>(
  description: string,
  selector: (object: T) => LabelSelector | undefined,
): Column<T> => ({ title: "Selector", priority: 1, description, value: (object) => selectorText(selector(object)) });
