import {
  type ClusterRoleBinding,
  ClusterRoleBindings,
  ClusterRoles,
  type KubeObject,
  type PolicyRule,
  type RoleBinding,
  RoleBindings,
  type RoleRef,
  Roles,
  type Subject,
} from "@skiff/api";
import type { ResourceStorage, ResourceTable, UserInfo } from "../contracts.ts";

/** A binding with that of its subjects that the user is. */
export interface Grant {
  readonly binding: ClusterRoleBinding | RoleBinding;
  readonly subject: Subject;
}

type GrantsBySubject = ReadonlyMap<string, readonly Grant[]>;

/**
 * Which bindings name whom, kept until any binding changes: authorization then looks at the few bindings of a user, not at
 * all of them, whatever their number.
 */
export class RoleIndex {
  readonly #table: ResourceTable;
  readonly #cluster: Remembered<ClusterRoleBinding, GrantsBySubject>;
  readonly #namespaced: Remembered<RoleBinding, ReadonlyMap<string, GrantsBySubject>>;

  constructor(table: ResourceTable) {
    this.#table = table;
    this.#cluster = new Remembered(() => table.of(ClusterRoleBindings), bySubject);
    this.#namespaced = new Remembered(() => table.of(RoleBindings), byNamespace);
  }

  /** Cluster role bindings that name the user. */
  clusterGrants(user: UserInfo): readonly Grant[] {
    return grantsOf(user, this.#cluster.value());
  }

  /** Role bindings of a namespace that name the user. */
  grants(user: UserInfo, namespace: string): readonly Grant[] {
    const inNamespace = this.#namespaced.value().get(namespace);
    return inNamespace === undefined ? [] : grantsOf(user, inNamespace);
  }

  /** The rules of the role that a binding (in a namespace) names; `undefined`: there is no such role. */
  rules({ kind, name }: RoleRef, namespace: string | undefined): readonly PolicyRule[] | undefined {
    const role =
      kind === "Role"
        ? this.#table.of(Roles).peek({ namespace: namespace ?? "", name })
        : this.#table.of(ClusterRoles).peek({ name });
    return role === undefined ? undefined : (role.rules ?? []);
  }
}

/** Something computed from all objects of a kind, until any of them is another. */
class Remembered<T extends KubeObject, Value> {
  readonly #storage: () => ResourceStorage<T>;
  readonly #compute: (objects: readonly T[]) => Value;
  #known: { readonly revision: number; readonly value: Value } | undefined;

  constructor(storage: () => ResourceStorage<T>, compute: (objects: readonly T[]) => Value) {
    this.#storage = storage;
    this.#compute = compute;
  }

  value(): Value {
    const storage = this.#storage();
    const revision = storage.lastRevision;
    if (this.#known?.revision !== revision) {
      this.#known = { revision, value: this.#compute(storage.peekAll()) };
    }
    return this.#known.value;
  }
}

const userKey = (name: string): string => `u ${name}`;
const groupKey = (name: string): string => `g ${name}`;

function subjectKey(subject: Subject, namespace: string | undefined): string {
  if (subject.kind === "Group") return groupKey(subject.name);
  if (subject.kind !== "ServiceAccount") return userKey(subject.name);
  return userKey(`system:serviceaccount:${subject.namespace ?? namespace ?? ""}:${subject.name}`);
}

function bySubject(bindings: readonly (ClusterRoleBinding | RoleBinding)[]): GrantsBySubject {
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

const byNamespace = (bindings: readonly RoleBinding[]): ReadonlyMap<string, GrantsBySubject> =>
  new Map(
    [...Map.groupBy(bindings, ({ metadata }) => metadata.namespace)].map(([namespace, group]) => [
      namespace,
      bySubject(group),
    ]),
  );

function grantsOf(user: UserInfo, index: GrantsBySubject): readonly Grant[] {
  const found: Grant[] = [...(index.get(userKey(user.name)) ?? [])];
  for (const group of user.groups) found.push(...(index.get(groupKey(group)) ?? []));
  return found;
}
