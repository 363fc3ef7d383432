import type { ParamKind, ParamRef } from "../../generated/types/admissionregistration-v1.ts";
import { selectorText } from "../workload-columns.ts";

/** What `kubectl get` prints of a policy's parameters. */
export const paramKindText = (kind: ParamKind | undefined): string =>
  kind === undefined ? "<unset>" : `${kind.apiVersion}/${kind.kind}`;

/** What it prints of where a binding finds them. */
export function paramRefText(ref: ParamRef | undefined): string {
  if (ref === undefined) return "<unset>";
  if (ref.name) return ref.namespace ? `${ref.namespace}/${ref.name}` : `*/${ref.name}`;
  return `${ref.namespace ? `${ref.namespace}/` : ""}${selectorText(ref.selector)}`;
}
