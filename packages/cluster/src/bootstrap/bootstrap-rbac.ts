import {
  ClusterRoleBindings,
  ClusterRoles,
  isAlreadyExists,
  type KubeObject,
  type New,
  type ResourceDefinition,
  RoleBindings,
  Roles,
} from "@skiff/api";
import {
  type BindingPlan,
  bootstrapClusterRoleBindings,
  bootstrapClusterRoles,
  bootstrapRoleBindings,
  bootstrapRoles,
  planBinding,
  reconciledRole,
} from "@skiff/apiserver";
import type { Client } from "@skiff/client";
import { lookUp } from "./look-up.ts";

/** Creates Kubernetes' default roles and bindings, and mends those that are there. The namespaces must be there. */
export async function bootstrapRbac(client: Client, signal: AbortSignal): Promise<void> {
  const keep = <T>(changed: T | undefined): BindingPlan<T> =>
    changed === undefined ? { kind: "keep" } : { kind: "update", binding: changed };
  const call = { client, signal };
  await ensureAll(call, ClusterRoles, bootstrapClusterRoles, (role, wanted) => keep(reconciledRole(role, wanted)));
  await ensureAll(call, ClusterRoleBindings, bootstrapClusterRoleBindings, planBinding);
  await ensureAll(call, Roles, bootstrapRoles, (role, wanted) => keep(reconciledRole(role, wanted)));
  await ensureAll(call, RoleBindings, bootstrapRoleBindings, planBinding);
}

interface Call {
  readonly client: Client;
  readonly signal: AbortSignal;
}

async function ensureAll<T extends KubeObject>(
  call: Call,
  resource: ResourceDefinition<T>,
  wanted: readonly New<T>[],
  plan: (existing: T, wanted: New<T>) => BindingPlan<T>,
): Promise<void> {
  await Promise.all(wanted.map((object) => ensure(call, resource, object, plan)));
}

async function ensure<T extends KubeObject>(
  { client, signal }: Call,
  resource: ResourceDefinition<T>,
  wanted: New<T>,
  plan: (existing: T, wanted: New<T>) => BindingPlan<T>,
): Promise<void> {
  const existing = await createdOrFound({ client, signal }, resource, wanted);
  if (existing === undefined) return;
  const { name = "", namespace } = wanted.metadata;
  const ref = namespace === undefined ? { name } : { name, namespace };
  const planned = plan(existing, wanted);
  if (planned.kind === "update") await client.update(resource, planned.binding, { signal });
  if (planned.kind === "replace") {
    await client.delete(resource, ref, { signal });
    await client.create(resource, wanted, { signal });
  }
}

/** The object as it was found; nothing where it was created now. */
async function createdOrFound<T extends KubeObject>(
  { client, signal }: Call,
  resource: ResourceDefinition<T>,
  wanted: New<T>,
): Promise<T | undefined> {
  const existing = await lookUp(client, resource, wanted.metadata, signal);
  if (existing !== undefined) return existing;
  try {
    await client.create(resource, wanted, { signal });
    return undefined;
  } catch (error) {
    // Another server was faster.
    if (!isAlreadyExists(error)) throw error;
    return lookUp(client, resource, wanted.metadata, signal);
  }
}
