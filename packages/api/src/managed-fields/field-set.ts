/**
 * Sets of fields in the form that `managedFields` stores them (`FieldsV1`): nested objects whose keys are `f:NAME` (a field),
 * `k:{…}` (an item by its keys), `v:VALUE` (an item by its value); `{}` is a member, and `.` marks a node with children as one.
 *
 * The operations work on that form directly and share what they leave alone, so that taking a changed field from a manager
 * costs as much as the path to it, not as much as all that the manager owns. Sets are never changed in place.
 */
import type { JsonObject } from "@skiff/base";

/** A set of fields; the empty object is the empty set. */
export type FieldSet = JsonObject;

const leaf: FieldSet = {};

const childOf = (set: FieldSet, element: string): FieldSet | undefined => {
  const child = Object.hasOwn(set, element) ? set[element] : undefined;
  return typeof child === "object" && child !== null && !Array.isArray(child) ? child : undefined;
};

export const isEmptySet = (set: FieldSet): boolean => {
  for (const _ in set) return false;
  return true;
};

/** True when the node itself belongs to the set, not only fields below it. */
const isMember = (node: FieldSet): boolean => isEmptySet(node) || Object.hasOwn(node, ".");

/** Names of fields first, then keys, values, indexes; each in order of their text. */
const rank: Readonly<Record<string, string>> = { ".": "0", f: "1", k: "2", v: "3", i: "4" };
const sortKey = (element: string): string => (rank[element.charAt(0)] ?? "5") + element;

/** A node that is a member or not, with the given children, which are in order. */
export function nodeOf(member: boolean, children: readonly (readonly [string, FieldSet])[]): FieldSet {
  if (children.length === 0) return leaf;
  const node: FieldSet = member ? { ".": leaf } : {};
  for (const [element, child] of children) node[element] = child;
  return node;
}

const byElement = (a: readonly [string, unknown], b: readonly [string, unknown]): number => {
  const sameKind = a[0].charCodeAt(0) === b[0].charCodeAt(0);
  const x = sameKind ? a[0] : sortKey(a[0]);
  const y = sameKind ? b[0] : sortKey(b[0]);
  return x < y ? -1 : x > y ? 1 : 0;
};

/** Puts the children of a node in order, in place. */
export const sortChildren = (children: [string, FieldSet][]): [string, FieldSet][] =>
  children.length > 1 ? children.sort(byElement) : children;

function childrenOf(node: FieldSet): [string, FieldSet][] {
  const children: [string, FieldSet][] = [];
  for (const element in node) {
    const child = element === "." ? undefined : childOf(node, element);
    if (child !== undefined) children.push([element, child]);
  }
  return children;
}

/** Members of either. Returns `a` itself when nothing comes: most writers write again what they wrote before. */
export function unionOf(a: FieldSet, b: FieldSet): FieldSet {
  if (isEmptySet(a) || a === b) return b;
  return isEmptySet(b) ? a : union(a, b, false);
}

function union(a: FieldSet, b: FieldSet, member: boolean): FieldSet {
  /** Absent while all of `b` is in `a`. */
  let children: Map<string, FieldSet> | undefined;
  let isNew = false;
  for (const element in b) {
    const child = element === "." ? undefined : childOf(b, element);
    if (child === undefined) continue;
    const known = childOf(a, element);
    const both = known === undefined ? child : unionNodes(known, child);
    if (both === known) continue;
    isNew ||= known === undefined;
    children ??= new Map(childrenOf(a));
    children.set(element, both);
  }
  if (children === undefined) return member === isMember(a) || isEmptySet(a) ? a : nodeOf(member, childrenOf(a));
  return nodeOf(member, isNew ? [...children].sort(byElement) : [...children]);
}

function unionNodes(a: FieldSet, b: FieldSet): FieldSet {
  if (a === b) return a;
  // A leaf is a member without children, which is what it stays where it meets another.
  if (isEmptySet(a)) return isEmptySet(b) || isMember(b) ? b : nodeOf(true, childrenOf(b));
  return union(a, b, isMember(a) || isMember(b));
}

/** Members of `a` that are not members of `b`. What is below a member of `b` stays. Returns `a` itself when nothing goes. */
export function differenceOf(a: FieldSet, b: FieldSet): FieldSet {
  return subtract(a, b, { root: true, recursive: false }) ?? leaf;
}

/** Members of `a` that are neither members of `b` nor below one. */
export function recursiveDifferenceOf(a: FieldSet, b: FieldSet): FieldSet {
  return subtract(a, b, { root: true, recursive: true }) ?? leaf;
}

interface Subtraction {
  readonly root: boolean;
  readonly recursive: boolean;
}

function subtract(a: FieldSet, b: FieldSet, { root, recursive }: Subtraction): FieldSet | undefined {
  if (root && isEmptySet(b)) return a;
  const taken = !root && isMember(b);
  if (taken && recursive) return undefined;
  const member = !root && isMember(a);
  let changed = member && taken;
  const children: [string, FieldSet][] = [];
  for (const [element, child] of childrenOf(a)) {
    const other = childOf(b, element);
    const rest = other === undefined ? child : subtract(child, other, { root: false, recursive });
    if (rest !== child) changed = true;
    if (rest !== undefined) children.push([element, rest]);
  }
  if (!changed) return a;
  const stays = member && !taken;
  return children.length === 0 && !stays ? undefined : nodeOf(stays, children);
}

/** Members of both. */
export const intersectionOf = (a: FieldSet, b: FieldSet): FieldSet => intersect(a, b, true) ?? leaf;

function intersect(a: FieldSet, b: FieldSet, root: boolean): FieldSet | undefined {
  const member = !root && isMember(a) && isMember(b);
  const children: [string, FieldSet][] = [];
  for (const [element, child] of childrenOf(a)) {
    const other = childOf(b, element);
    const both = other === undefined ? undefined : intersect(child, other, false);
    if (both !== undefined) children.push([element, both]);
  }
  return children.length === 0 && !member ? undefined : nodeOf(member, children);
}

/** The part of a set below an element, and whether the element itself is a member. */
export function below(set: FieldSet, element: string): { readonly member: boolean; readonly rest: FieldSet } {
  const child = childOf(set, element);
  if (child === undefined) return { member: false, rest: leaf };
  return { member: isMember(child), rest: nodeOf(false, childrenOf(child)) };
}

/** The elements at the top of a set. */
export const elementsOf = (set: FieldSet): readonly string[] => childrenOf(set).map(([element]) => element);

/** The paths of all members, in order. */
export function pathsOf(set: FieldSet, prefix: readonly string[] = []): (readonly string[])[] {
  return childrenOf(set).flatMap(([element, child]) => {
    const path = [...prefix, element];
    return isMember(child) ? [path, ...pathsOf(child, path)] : pathsOf(child, path);
  });
}

interface Node {
  member: boolean;
  readonly children: Map<string, Node>;
}

/** Collects members into a set. */
export class FieldSetBuilder {
  readonly #root: Node = { member: false, children: new Map() };

  insert(path: readonly string[]): void {
    let node = this.#root;
    for (const element of path) {
      let child = node.children.get(element);
      if (child === undefined) {
        child = { member: false, children: new Map() };
        node.children.set(element, child);
      }
      node = child;
    }
    node.member = true;
  }

  /** The set, in order. */
  build(): FieldSet {
    return setOf(this.#root, false);
  }
}

const setOf = (node: Node, member: boolean): FieldSet =>
  nodeOf(
    member,
    [...node.children]
      .map(([element, child]): [string, FieldSet] => [element, setOf(child, child.member)])
      .sort(byElement),
  );
