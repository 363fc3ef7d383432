import {
  CSIDrivers,
  type KubeObject,
  migratedVolumeDrivers,
  PersistentVolumeClaims,
  PersistentVolumes,
  type Pod,
} from "@skiff/api";
import type { AccessAuthorizer } from "../authorization/access.ts";
import type { ResourceTable, UserInfo } from "../contracts.ts";

type Volume = NonNullable<NonNullable<Pod["spec"]>["volumes"]>[number];

function successorOf(source: object): string | undefined {
  for (const [field, driver] of Object.entries(migratedVolumeDrivers)) if (field in source) return driver;
  return undefined;
}

function found<T extends KubeObject>(object: T | undefined, kind: string, name: string): T {
  if (object === undefined) throw new Error(`${kind} ${JSON.stringify(name)} not found`);
  return object;
}

/** The storage driver that serves a pod's volume; `undefined` when none does. Throws when that cannot be told. */
function driverOf(table: ResourceTable, pod: Pod, volume: Volume): string | undefined {
  if (volume.csi !== undefined) return volume.csi.driver;
  const ephemeral =
    volume.ephemeral?.volumeClaimTemplate === undefined ? undefined : `${pod.metadata.name}-${volume.name}`;
  const claimName = ephemeral ?? volume.persistentVolumeClaim?.claimName;
  if (claimName === undefined) return successorOf(volume);
  const { namespace = "" } = pod.metadata;
  const stored = table.of(PersistentVolumeClaims).peek({ namespace, name: claimName });
  const volumeName = found(stored, "persistentvolumeclaim", claimName).spec?.volumeName ?? "";
  const { spec } = found(table.of(PersistentVolumes).peek({ name: volumeName }), "persistentvolume", volumeName);
  return spec?.csi?.driver ?? successorOf(spec ?? {});
}

const projects = (volume: Volume, audience: string): boolean =>
  volume.projected?.sources?.some(
    ({ serviceAccountToken: token }) => token !== undefined && (token.audience ?? "") === audience,
  ) ?? false;

/** Whether one of the pod's volumes needs tokens for this audience. Throws when none is known to, but some cannot be looked into. */
function podNeeds(table: ResourceTable, pod: Pod, audience: string): boolean {
  const failures = new Set<string>();
  for (const volume of pod.spec?.volumes ?? []) {
    if (projects(volume, audience)) return true;
    try {
      const name = driverOf(table, pod, volume);
      if (name === undefined) continue;
      const driver = found(table.of(CSIDrivers).peek({ name }), "csidriver.storage.k8s.io", name);
      if (driver.spec.tokenRequests?.some((request) => request.audience === audience)) return true;
    } catch (error) {
      failures.add(error instanceof Error ? error.message : String(error));
    }
  }
  if (failures.size === 0) return false;
  const all = [...failures].join(", ");
  throw new Error(failures.size === 1 ? all : `[${all}]`);
}

/**
 * Why a kubelet may not have a token for these audiences: no volume of the pod needs one, and nobody has allowed it the verb
 * `request-serviceaccounts-token-audience` (resource: the audience, name: the account's). `undefined` when it may.
 * https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/#noderestriction
 */
export async function refusedAudience(
  { table, authorizer }: { readonly table: ResourceTable; readonly authorizer: AccessAuthorizer },
  asked: {
    readonly user: UserInfo;
    readonly pod: Pod;
    readonly account: string;
    readonly audiences: readonly string[];
  },
): Promise<string | undefined> {
  const { user, pod, account, audiences } = asked;
  if (audiences.length > 1) return "node may only request 0 or 1 audiences";
  const [audience = ""] = audiences;
  try {
    if (podNeeds(table, pod, audience)) return undefined;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return `error validating audience ${JSON.stringify(audience)}: ${why}`;
  }
  const { namespace = "" } = pod.metadata;
  const verb = "request-serviceaccounts-token-audience";
  const request = {
    kind: "resource",
    verb,
    group: "",
    version: "v1",
    plural: audience,
    namespace,
    name: account,
  } as const;
  if ((await authorizer.authorize({ user, request })).kind === "allowed") return undefined;
  return `audience ${JSON.stringify(audience)} not found in pod spec volume, ${user.name} is not authorized to request tokens for this audience`;
}
