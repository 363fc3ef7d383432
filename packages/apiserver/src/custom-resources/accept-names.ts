/** Which names a CustomResourceDefinition gets: the first that asks for a name in a group keeps it. */
import type { CustomResourceDefinition, CustomResourceDefinitionNames } from "@skiff/api";
import { jsonEqual } from "@skiff/base";
import { type ConditionText, conditionOf, sameCondition } from "./conditions.ts";

/** What becomes of a definition's names. */
export interface NameDecision {
  readonly acceptedNames: CustomResourceDefinitionNames;
  readonly conditions: readonly ConditionText[];
}

interface Taken {
  readonly resources: ReadonlySet<string>;
  readonly kinds: ReadonlySet<string>;
}

/** Names and conditions as they shall be; `undefined` where they are so. `others` are the other definitions of the group. */
export function decideNames(
  definition: CustomResourceDefinition,
  others: readonly CustomResourceDefinition[],
): NameDecision | undefined {
  const accepted = definition.status?.acceptedNames ?? { plural: "", kind: "" };
  if (jsonEqual(definition.spec.names, accepted) && conditionOf(definition, "Established") !== undefined) {
    return undefined;
  }
  const { names, namesAccepted } = compareNames(definition, accepted, takenBy(others));
  const unchanged =
    jsonEqual(names, accepted) && sameCondition(conditionOf(definition, "NamesAccepted"), namesAccepted);
  if (unchanged) return undefined;
  return { acceptedNames: names, conditions: [namesAccepted, establishedOf(definition, namesAccepted)] };
}

function takenBy(others: readonly CustomResourceDefinition[]): Taken {
  const resources = new Set<string>();
  const kinds = new Set<string>();
  for (const { status } of others) {
    const { plural, singular, kind, listKind, shortNames = [] } = status?.acceptedNames ?? { plural: "", kind: "" };
    for (const name of [plural, singular ?? "", ...shortNames]) if (name !== "") resources.add(name);
    for (const name of [kind, listKind ?? ""]) if (name !== "") kinds.add(name);
  }
  return { resources, kinds };
}

const inUse = (name: string): string => `${JSON.stringify(name)} is already in use`;

function compareNames(
  { spec }: CustomResourceDefinition,
  accepted: CustomResourceDefinitionNames,
  { resources, kinds }: Taken,
): { readonly names: CustomResourceDefinitionNames; readonly namesAccepted: ConditionText } {
  const wanted = spec.names;
  const names = { ...accepted };
  let namesAccepted: ConditionText = {
    type: "NamesAccepted",
    status: "True",
    reason: "NoConflicts",
    message: "no conflicts found",
  };
  const conflict = (reason: string, message: string) => {
    namesAccepted = { type: "NamesAccepted", status: "False", reason, message };
  };
  const single = (field: "plural" | "singular" | "kind" | "listKind", taken: ReadonlySet<string>, reason: string) => {
    const name = wanted[field] ?? "";
    if (name !== (accepted[field] ?? "") && taken.has(name)) conflict(reason, inUse(name));
    else names[field] = name;
  };
  single("plural", resources, "PluralConflict");
  single("singular", resources, "SingularConflict");
  const known = new Set(accepted.shortNames);
  const clashing = (wanted.shortNames ?? []).filter((name) => !known.has(name) && resources.has(name));
  if (clashing.length === 0) setList(names, "shortNames", wanted.shortNames);
  else {
    const messages = clashing.map(inUse);
    conflict("ShortNamesConflict", messages.length === 1 ? (messages[0] ?? "") : `[${messages.join(", ")}]`);
  }
  single("kind", kinds, "KindConflict");
  single("listKind", kinds, "ListKindConflict");
  setList(names, "categories", wanted.categories);
  return { names, namesAccepted };
}

function setList(
  names: CustomResourceDefinitionNames,
  field: "shortNames" | "categories",
  list: string[] | undefined,
): void {
  if (list === undefined || list.length === 0) delete names[field];
  else names[field] = list;
}

function establishedOf(definition: CustomResourceDefinition, { status }: ConditionText): ConditionText {
  const before = conditionOf(definition, "Established");
  if (before?.status === "True") {
    return { type: "Established", status: "True", reason: before.reason, message: before.message };
  }
  return status === "True"
    ? {
        type: "Established",
        status: "False",
        reason: "Installing",
        message: "the initial names have been accepted",
      }
    : (before ?? {
        type: "Established",
        status: "False",
        reason: "NotAccepted",
        message: "not all names are accepted",
      });
}
