import {
  DeviceClasses,
  isNotFound,
  type KubeObject,
  largerAmounts,
  maskAmounts,
  Pods,
  type QuotaEvaluator,
  type QuotaSources,
  quotaEvaluator,
  quotaUsage,
  type ResourceAmounts,
  ResourceClaims,
  type ResourceDefinition,
  type ResourceQuota,
  ResourceQuotas,
  refusals,
  sameAmounts,
} from "@skiff/api";
import type { Clock } from "@skiff/base";
import type { AdmissionPlugin, AdmissionRequest, ResourceTable, WriteContext } from "../../contracts.ts";
import { AdmittedObjects } from "./admitted-objects.ts";
import { checkRequest, type RunningQuota } from "./check-request.ts";
import { NamespaceQueue } from "./namespace-queue.ts";

/** A request that waits for its decision. */
interface Waiter {
  readonly request: AdmissionRequest & { readonly object: KubeObject };
  readonly evaluator: QuotaEvaluator;
  refusal: unknown;
}

/** So often quotas are looked at anew because somebody else changed them meanwhile. */
const attempts = 10;

const writing: WriteContext = {
  user: { name: "system:apiserver", groups: ["system:masters"] },
  fieldManager: "kube-apiserver",
  dryRun: false,
  fieldValidation: "Ignore",
  warn() {},
};

/**
 * Keeps what a namespace uses within its quotas. Requests of a namespace are decided one after the other, on what is stored
 * and what was admitted before, and the quotas' status tells of each before it is stored: no number of writers at the same
 * time gets beyond a quota.
 */
export function resourceQuotaAdmission(options: {
  readonly table: ResourceTable;
  readonly clock: Clock;
}): AdmissionPlugin {
  const { table } = options;
  const sources: QuotaSources = {
    deviceClasses: () => table.of(DeviceClasses).peekAll(),
    pod: (ref) => table.of(Pods).peek(ref),
    resourceClaims: (namespace) => table.of(ResourceClaims).peekAll(namespace),
  };
  const evaluators = new WeakMap<ResourceDefinition, QuotaEvaluator>();
  const evaluatorOf = (resource: ResourceDefinition): QuotaEvaluator => {
    const known = evaluators.get(resource);
    if (known !== undefined) return known;
    const made = quotaEvaluator(resource, sources);
    evaluators.set(resource, made);
    return made;
  };
  const deciding = new Deciding(options);
  const queue = new NamespaceQueue<Waiter>((namespace, waiters) => deciding.decide(namespace, waiters));
  let emptyAt = -1;
  const anyQuota = (namespace: string): boolean => {
    const quotas = table.of(ResourceQuotas);
    if (quotas.lastRevision === emptyAt) return false;
    if (quotas.peekAll(namespace).length > 0) return true;
    if (quotas.peekAll().length === 0) emptyAt = quotas.lastRevision;
    return false;
  };
  return {
    name: "ResourceQuota",
    handles: (request) => {
      const { namespace, operation, resource } = request;
      if (!namespace || (operation !== "CREATE" && operation !== "UPDATE")) return false;
      return !isUncounted(resource) && anyQuota(namespace) && evaluatorOf(resource).handles(request);
    },
    async validate(request) {
      const { object, namespace } = request;
      if (object === undefined || namespace === undefined) return;
      const waiter: Waiter = {
        request: { ...request, object },
        evaluator: evaluatorOf(request.resource),
        refusal: undefined,
      };
      await queue.run(namespace, waiter);
      if (waiter.refusal !== undefined) throw waiter.refusal;
    },
  };
}

/** Events run out by themselves, and reviews are not stored. */
const isUncounted = ({ plural, group }: ResourceDefinition): boolean =>
  (plural === "events" && (group === "" || group === "events.k8s.io")) ||
  group === "authorization.k8s.io" ||
  group === "authentication.k8s.io";

class Deciding {
  readonly #table: ResourceTable;
  readonly #clock: Clock;
  readonly #admitted: AdmittedObjects;
  /** The version of each quota as this server wrote it last, by uid. */
  readonly #written = new Map<string, string>();

  constructor({ table, clock }: { readonly table: ResourceTable; readonly clock: Clock }) {
    this.#table = table;
    this.#clock = clock;
    this.#admitted = new AdmittedObjects(table, clock);
  }

  /** Decides on requests of one namespace; those that are refused get their refusal. */
  async decide(namespace: string, waiters: readonly Waiter[]): Promise<void> {
    let open = waiters;
    let only: ReadonlySet<string> | undefined;
    for (let attempt = 0; attempt < attempts; attempt++) {
      const quotas = this.#table.of(ResourceQuotas).peekAll(namespace);
      const running = quotas
        .filter(({ metadata }) => only?.has(metadata.name) ?? true)
        .map((quota) => ({ quota, used: this.#usedNow(namespace, quota, open) }));
      open = open.filter((waiter) => this.#check(waiter, running));
      const outdated: string[] = [];
      for (const one of running) if (!(await this.#write(one))) outdated.push(one.quota.metadata.name);
      if (outdated.length === 0) {
        for (const { request } of open) if (!request.dryRun) this.#admitted.add(request, request.object);
        return;
      }
      only = new Set(outdated);
    }
    for (const waiter of open) waiter.refusal = refusals.internal("resource quota evaluation timed out");
  }

  /** What the status says, and more where objects that are stored or admitted use more. */
  #usedNow(namespace: string, quota: ResourceQuota, waiters: readonly Waiter[]): ResourceAmounts {
    const told = quota.status?.used ?? {};
    // Nobody else has counted since: it tells of everything that was admitted, and need not be added up again.
    if (this.#written.get(quota.metadata.uid) === quota.metadata.resourceVersion) return told;
    let used = told;
    const names = Object.keys(told);
    const seen = new Set<QuotaEvaluator>();
    for (const { request, evaluator } of waiters) {
      if (seen.has(evaluator)) continue;
      seen.add(evaluator);
      const objects = this.#admitted.all(request.resource, namespace);
      used = largerAmounts(used, quotaUsage({ quota, names, evaluator }, objects, this.#clock.now()));
    }
    return used;
  }

  /** Charges the quotas for a request; false where one refuses it. */
  #check(waiter: Waiter, quotas: readonly RunningQuota[]): boolean {
    try {
      const charges = checkRequest(waiter.request, waiter.evaluator, { quotas, nowMs: this.#clock.now() });
      if (!waiter.request.dryRun) for (const { running, used } of charges) running.used = used;
      return true;
    } catch (error) {
      waiter.refusal = error;
      return false;
    }
  }

  /** Writes a quota's usage; false where somebody else has changed it. */
  async #write({ quota, used }: RunningQuota): Promise<boolean> {
    const { namespace, name, uid, resourceVersion } = quota.metadata;
    const masked = maskAmounts(used, Object.keys(quota.status?.used ?? {}));
    if (sameAmounts(masked, quota.status?.used ?? {})) return true;
    let outdated = false;
    const change = (current: ResourceQuota): ResourceQuota => {
      outdated = current.metadata.resourceVersion !== resourceVersion;
      return outdated ? current : { ...current, status: { ...current.status, used: masked } };
    };
    try {
      const context = { ...writing, subresource: "status" };
      const written = await this.#table.of(ResourceQuotas).modify({ namespace, name }, change, context);
      if (!outdated) this.#remember(uid, written.metadata.resourceVersion);
      return !outdated;
    } catch (error) {
      // A quota that is gone limits nothing.
      if (isNotFound(error)) return true;
      throw error;
    }
  }

  #remember(uid: string, version: string): void {
    // Quotas that are gone are not asked for again.
    if (this.#written.size >= 10_000) this.#written.clear();
    this.#written.set(uid, version);
  }
}
