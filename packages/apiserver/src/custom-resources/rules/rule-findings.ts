/**
 * Custom resources judged by the rules of their schema (`x-kubernetes-validations`).
 * https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#validation-rules
 */
import { correlatedItem, type FieldError, fieldError, memberPath } from "@skiff/api";
import { isJsonObject, type JsonValue, jsonEqual } from "@skiff/base";
import { type Bindings, type CelValue, celFromJson, costLimits, types } from "@skiff/cel";
import type { CompiledRule, RuleNode } from "./compile-rules.ts";

interface Place {
  readonly path: string;
  readonly value: JsonValue | undefined;
  readonly old: JsonValue | undefined;
}

/** All that an object's rules find. `old` is what it was before, absent on creation. */
export function ruleFindings(node: RuleNode, value: JsonValue, old: JsonValue | undefined): readonly FieldError[] {
  const judge = new Judge();
  judge.look(node, { path: "", value, old });
  return judge.findings;
}

class Judge {
  readonly findings: FieldError[] = [];
  #budget: number = costLimits.request;

  look(node: RuleNode, place: Place): void {
    const { value, old, path } = place;
    if (value === undefined || value === null) return;
    for (const rule of node.rules) {
      if (this.#budget < 0) return;
      this.#judge(node, rule, place);
    }
    if (Array.isArray(value) && node.items !== undefined) {
      for (const [index, item] of value.entries()) {
        this.look(node.items, { path: `${path}[${index}]`, value: item, old: correlatedItem(item, old, node.schema) });
      }
    }
    if (!isJsonObject(value)) return;
    const before = isJsonObject(old) ? old : {};
    for (const [name, member] of Object.entries(value)) {
      const known = node.properties.get(name);
      if (known !== undefined) this.look(known, { path: memberPath(path, name), value: member, old: before[name] });
      else if (node.additional !== undefined && !node.schema.properties.has(name)) {
        this.look(node.additional, { path: `${path}[${name}]`, value: member, old: before[name] });
      }
    }
  }

  #judge(node: RuleNode, rule: CompiledRule, place: Place): void {
    const { value, old, path } = place;
    const { program, text, usesOldSelf } = rule;
    const shownPath = path === "" ? "<nil>" : path;
    if (program === undefined) {
      this.findings.push({ kind: "internal", field: shownPath, detail: `rule compile error: ${rule.failure}` });
      return;
    }
    const optional = text.optionalOldSelf === true;
    // A transition is judged where there is one; all else only where something changed.
    if (usesOldSelf ? old === undefined && !optional : old !== undefined && jsonEqual(value, old)) return;
    const type = node.type ?? types.dyn;
    const oldValue = (): CelValue => {
      if (!optional) return celFromJson(old, type);
      return { kind: "optional", value: old === undefined ? undefined : celFromJson(old, type) };
    };
    const bindings: Bindings = { self: celFromJson(value, type), oldSelf: oldValue };
    const budget = Math.min(costLimits.expression, this.#budget);
    const outcome = program.evaluate(bindings, { budget });
    this.#budget -= outcome.cost;
    const bad = node.schema.type;
    const shown = shownRule(rule);
    if (outcome.kind === "exceeded") {
      const why = `'${outcome.message}': no further validation rules will be run due to call cost exceeds limit for rule: ${shown}`;
      this.findings.push(fieldError.invalid(shownPath, bad, why));
      this.#budget = -1;
    } else if (outcome.kind === "failed") {
      const why = outcome.message.startsWith("no such overload")
        ? `'${outcome.message}': call arguments did not match a supported operator, function or macro signature for rule: ${shown}`
        : `${outcome.message} evaluating rule: ${shown}`;
      this.findings.push(fieldError.invalid(shownPath, bad, why));
    } else if (outcome.value !== true) {
      const field = fieldOf(path, text.fieldPath);
      this.findings.push(findingFor({ reason: text.reason, field, bad, message: this.#messageOf(rule, bindings) }));
    }
    if (this.#budget < 0 && outcome.kind !== "exceeded") {
      const why = "validation failed due to running out of cost budget, no further validation rules will be run";
      this.findings.push(fieldError.invalid(shownPath, bad, why));
    }
  }

  #messageOf({ message, text }: CompiledRule, bindings: Bindings): string {
    if (message.kind === "program") {
      const made = message.program.evaluate(bindings, { budget: Math.min(costLimits.expression, this.#budget) });
      this.#budget -= made.cost;
      if (made.kind === "value" && typeof made.value === "string") {
        const said = made.value.trim();
        if (said !== "" && !said.includes("\n")) return said;
      }
    }
    return text.message === undefined ? `failed rule: ${text.rule.trim()}` : text.message.trim();
  }
}

const shownRule = ({ text }: CompiledRule): string => (text.message ?? text.rule).trim();

/** Where a finding is told: at the value itself, or at a member that the rule names, as in `.spec.size` or `['x-y']`. */
function fieldOf(path: string, fieldPath: string | undefined): string {
  if (fieldPath === undefined) return path === "" ? "<nil>" : path;
  const steps = [...fieldPath.matchAll(/\.([^.[]+)|\['((?:[^'\\]|\\.)*)'\]/g)].map(
    ([, plain, quoted]) => plain ?? quoted ?? "",
  );
  return steps.reduce(memberPath, path);
}

interface RuleFinding {
  readonly reason: string | undefined;
  readonly field: string;
  readonly bad: string;
  readonly message: string;
}

function findingFor({ reason, field, bad, message }: RuleFinding): FieldError {
  switch (reason) {
    case "FieldValueForbidden":
      return fieldError.forbidden(field, message);
    case "FieldValueRequired":
      return fieldError.required(field, message);
    case "FieldValueDuplicate":
      return { ...fieldError.duplicate(field, bad), detail: message };
    default:
      return fieldError.invalid(field, bad, message);
  }
}
