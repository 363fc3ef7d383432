/**
 * Sets of fields in the form that `managedFields` stores them (`FieldsV1`): nested objects whose keys are `f:NAME` (a field),
 * `k:{…}` (an item by its keys), `v:VALUE` (an item by its value); `{}` is a member, and `.` marks a node with children as one.
 *
 * The operations work on that form directly and share what they leave alone, so that taking a changed field from a manager
 * costs as much as the path to it, not as much as all that the manager owns. Sets are never changed in place.
 */
import { deepFreeze, type JsonObject } from "@skiff/base";

/** A set of fields; the empty object is the empty set. */
export type FieldSet = JsonObject;

/** A member without members of its own; also the empty set. One for all, so that it is known at a glance. */
export const leaf: FieldSet = Object.freeze({});

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

/** Nodes that have nothing below their children, by what they hold: there are few kinds of them and very many of each. */
const lowest = new Map<string, FieldSet>();
const lowestLimit = 4096;

/** A node that is a member or not, with the given children, which are in order. */
export function nodeOf(member: boolean, children: readonly (readonly [string, FieldSet])[]): FieldSet {
  if (children.length === 0) return leaf;
  if (children.length > 1 && children.every(([, child]) => child === leaf)) return lowestNode(member, children);
  return newNode(member, children);
}

function newNode(member: boolean, children: readonly (readonly [string, FieldSet])[]): FieldSet {
  const node: FieldSet = member ? { ".": leaf } : {};
  for (const [element, child] of children) node[element] = child;
  return node;
}

function lowestNode(member: boolean, children: readonly (readonly [string, FieldSet])[]): FieldSet {
  let text = member ? "." : "";
  // With their lengths, since a name may hold anything.
  for (const [element] of children) text += `${element.length}${element}`;
  const known = lowest.get(text);
  if (known !== undefined) return known;
  const node = deepFreeze(newNode(member, children));
  if (lowest.size >= lowestLimit) lowest.clear();
  lowest.set(text, node);
  return node;
}

const byElement = (a: readonly [string, unknown], b: readonly [string, unknown]): number => {
  const sameKind = a[0].charCodeAt(0) === b[0].charCodeAt(0);
  const x = sameKind ? a[0] : sortKey(a[0]);
  const y = sameKind ? b[0] : sortKey(b[0]);
  return x < y ? -1 : x > y ? 1 : 0;
};

/** Up to here, the quadratic way is the faster one: most are in order already, or nearly so. */
const fewChildren = 24;

/** Puts the children of a node in order, in place. */
export function sortChildren(children: [string, FieldSet][]): [string, FieldSet][] {
  if (children.length > fewChildren) return children.sort(byElement);
  for (let index = 1; index < children.length; index++) {
    const child = children[index];
    let at = index;
    for (; at > 0; at--) {
      const before = children[at - 1];
      if (child === undefined || before === undefined || byElement(before, child) <= 0) break;
      children[at] = before;
    }
    if (child !== undefined) children[at] = child;
  }
  return children;
}

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

/** Without members that every object has: a field may have any name. */
const newRecord = (): Record<string, FieldSet> => Object.create(null);

function union(a: FieldSet, b: FieldSet, member: boolean): FieldSet {
  /** Absent while all of `b` is in `a`. */
  let changed: Record<string, FieldSet> | undefined;
  const added: [string, FieldSet][] = [];
  for (const element in b) {
    const child = element === "." ? undefined : childOf(b, element);
    if (child === undefined) continue;
    const known = childOf(a, element);
    if (known === undefined) {
      added.push([element, child]);
      continue;
    }
    const both = unionNodes(known, child);
    if (both === known) continue;
    changed ??= newRecord();
    changed[element] = both;
  }
  if (changed === undefined && added.length === 0) {
    return member === isMember(a) || isEmptySet(a) ? a : nodeOf(member, childrenOf(a));
  }
  const children = childrenOf(a);
  for (const child of children) child[1] = changed?.[child[0]] ?? child[1];
  children.push(...added);
  return nodeOf(member, added.length > 0 ? sortChildren(children) : children);
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
  const stays = member && !taken;
  if (stays === member && !shareChildren(a, b)) return a;
  const inner = { root: false, recursive };
  let changed = stays !== member;
  const children: [string, FieldSet][] = [];
  for (const child of childrenOf(a)) {
    const other = childOf(b, child[0]);
    const rest = other === undefined ? child[1] : subtract(child[1], other, inner);
    if (rest !== child[1]) changed = true;
    if (rest === undefined) continue;
    child[1] = rest;
    children.push(child);
  }
  if (!changed) return a;
  return children.length === 0 && !stays ? undefined : nodeOf(stays, children);
}

/** Whether both have something below the same element. Mostly not: what changes is little, and belongs to few. */
function shareChildren(a: FieldSet, b: FieldSet): boolean {
  for (const element in b) if (element !== "." && childOf(a, element) !== undefined) return true;
  return false;
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

const setOf = (node: Node, member: boolean): FieldSet => {
  const children: [string, FieldSet][] = [];
  for (const [element, child] of node.children) children.push([element, setOf(child, child.member)]);
  return nodeOf(member, sortChildren(children));
};
