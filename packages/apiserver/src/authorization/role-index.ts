import {
  type ClusterRole,
  type ClusterRoleBinding,
  ClusterRoleBindings,
  ClusterRoles,
  type KubeObject,
  labelSelectorOf,
  type PolicyRule,
  type RoleBinding,
  RoleBindings,
  Roles,
  SelectorError,
  type Subject,
} from "@skiff/api";
import type { ResourceStorage, ResourceTable, UserInfo } from "../contracts.ts";

/** A binding with that of its subjects that the user is. */
export interface Grant {
  readonly binding: ClusterRoleBinding | RoleBinding;
  readonly subject: Subject;
}

/** Rules of the role that a binding names; `undefined`: there is no such role. */
export type RoleRules = readonly PolicyRule[] | undefined;

/**
 * Which bindings name whom, kept as long as the watch cache hands out the very same objects: authorization then looks at the
 * few bindings of a user, not at all of them. Finding out that nothing changed costs one comparison of pointers a binding.
 */
export class RoleIndex {
  readonly #table: ResourceTable;
  readonly #cluster = new Remembered<ClusterRoleBinding, ReadonlyMap<string, readonly Grant[]>>(bySubject);
  readonly #namespaced = new Map<string, Remembered<RoleBinding, ReadonlyMap<string, readonly Grant[]>>>();
  readonly #aggregated = new Remembered<ClusterRole, ReadonlyMap<string, readonly PolicyRule[]>>(aggregate);

  constructor(table: ResourceTable) {
    this.#table = table;
  }

  /** Cluster role bindings that name the user. */
  clusterGrants(user: UserInfo): readonly Grant[] {
    return grantsOf(user, this.#cluster.of(this.#table.of(ClusterRoleBindings)));
  }

  /** Role bindings of a namespace that name the user. */
  grants(user: UserInfo, namespace: string): readonly Grant[] {
    let remembered = this.#namespaced.get(namespace);
    if (remembered === undefined) {
      // Reviews ask about namespaces by any name: remember those that have bindings, and not without end.
      if (this.#table.of(RoleBindings).peekAll(namespace).length === 0) return [];
      if (this.#namespaced.size >= 10_000) this.#namespaced.clear();
      remembered = new Remembered<RoleBinding, ReadonlyMap<string, readonly Grant[]>>(bySubject);
      this.#namespaced.set(namespace, remembered);
    }
    return grantsOf(user, remembered.of(this.#table.of(RoleBindings), namespace));
  }

  /** The rules that a binding gives. */
  rules({ roleRef, metadata }: ClusterRoleBinding | RoleBinding): RoleRules {
    if (roleRef.kind === "Role") {
      const { namespace = "" } = metadata;
      const role = this.#table.of(Roles).peek({ namespace, name: roleRef.name });
      return role === undefined ? undefined : (role.rules ?? []);
    }
    const storage = this.#table.of(ClusterRoles);
    const role = storage.peek({ name: roleRef.name });
    if (role === undefined) return undefined;
    if (role.aggregationRule === undefined) return role.rules ?? [];
    return this.#aggregated.of(storage).get(roleRef.name) ?? role.rules ?? [];
  }
}

/** Something computed from all objects of a kind (in a namespace), until any of them is another. */
class Remembered<T extends KubeObject, Value> {
  readonly #compute: (objects: readonly T[]) => Value;
  #from: readonly T[] | undefined;
  #value: Value | undefined;

  constructor(compute: (objects: readonly T[]) => Value) {
    this.#compute = compute;
  }

  of(storage: ResourceStorage<T>, namespace?: string): Value {
    const now = storage.peekAll(namespace);
    if (this.#value !== undefined && this.#from !== undefined && same(this.#from, now)) return this.#value;
    this.#from = [...now];
    this.#value = this.#compute(now);
    return this.#value;
  }
}

const same = (a: readonly unknown[], b: readonly unknown[]): boolean =>
  a === b || (a.length === b.length && a.every((item, index) => item === b[index]));

const userKey = (name: string): string => `u ${name}`;
const groupKey = (name: string): string => `g ${name}`;

function subjectKey(subject: Subject, namespace: string | undefined): string {
  if (subject.kind === "Group") return groupKey(subject.name);
  if (subject.kind !== "ServiceAccount") return userKey(subject.name);
  return userKey(`system:serviceaccount:${subject.namespace ?? namespace ?? ""}:${subject.name}`);
}

function bySubject(bindings: readonly (ClusterRoleBinding | RoleBinding)[]): ReadonlyMap<string, readonly Grant[]> {
  const index = new Map<string, Grant[]>();
  for (const binding of bindings) {
    for (const subject of binding.subjects ?? []) {
      const key = subjectKey(subject, binding.metadata.namespace);
      const grants = index.get(key);
      if (grants === undefined) index.set(key, [{ binding, subject }]);
      else grants.push({ binding, subject });
    }
  }
  return index;
}

function grantsOf(user: UserInfo, index: ReadonlyMap<string, readonly Grant[]>): readonly Grant[] {
  const found: Grant[] = [...(index.get(userKey(user.name)) ?? [])];
  for (const group of user.groups) found.push(...(index.get(groupKey(group)) ?? []));
  return found;
}

/** Rules of cluster roles that are put together from others by label. */
function aggregate(roles: readonly ClusterRole[]): ReadonlyMap<string, readonly PolicyRule[]> {
  const rules = new Map<string, readonly PolicyRule[]>();
  for (const role of roles) {
    if (role.aggregationRule !== undefined) rules.set(role.metadata.name, rulesOf(role, roles, new Set()));
  }
  return rules;
}

/** `seen` ends circles of roles that select each other. */
function rulesOf(role: ClusterRole, roles: readonly ClusterRole[], seen: Set<ClusterRole>): readonly PolicyRule[] {
  if (seen.has(role)) return [];
  seen.add(role);
  const own = role.rules ?? [];
  const selectors = role.aggregationRule?.clusterRoleSelectors ?? [];
  if (selectors.length === 0) return own;
  const parts = roles.filter((other) => other !== role && selectors.some((selector) => selects(selector, other)));
  return parts.length === 0 ? own : parts.flatMap((part) => rulesOf(part, roles, seen));
}

function selects(selector: Parameters<typeof labelSelectorOf>[0], role: ClusterRole): boolean {
  try {
    return labelSelectorOf(selector).matches(role.metadata.labels);
  } catch (error) {
    if (error instanceof SelectorError) return false;
    throw error;
  }
}
