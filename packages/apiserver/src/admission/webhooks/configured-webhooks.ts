import {
  type KubeObject,
  type MutatingWebhook,
  MutatingWebhookConfigurations,
  type ResourceDefinition,
  type ValidatingWebhook,
  ValidatingWebhookConfigurations,
} from "@skiff/api";
import type { AdmissionRequest, ResourceStorage, ResourceTable } from "../../contracts.ts";
import { type Match, RequestMatcher } from "../matching/request-matcher.ts";

/** A webhook of a configuration, ready to be asked whether it is meant. */
export interface ConfiguredWebhook<Webhook extends MutatingWebhook | ValidatingWebhook> {
  readonly webhook: Webhook;
  readonly configuration: string;
  /** Stays the same from one round of a request to the next. */
  readonly id: string;
  readonly matcher: RequestMatcher;
}

/** A webhook that is meant by the rules, and in which version it wants to see the object. */
export interface Candidate<Webhook extends MutatingWebhook | ValidatingWebhook> extends ConfiguredWebhook<Webhook> {
  readonly match: Match;
}

type Configuration<Webhook> = KubeObject & { readonly webhooks?: Webhook[] | undefined };

/**
 * All webhooks of one sort in the order of their configurations' names, read anew when a configuration has changed. Which of
 * them the rules mean is remembered by resource: a write that none is for costs one look-up, however many there are.
 */
export class ConfiguredWebhooks<Webhook extends MutatingWebhook | ValidatingWebhook> {
  readonly #table: ResourceTable;
  readonly #resource: ResourceDefinition<Configuration<Webhook>>;
  #storage: ResourceStorage<Configuration<Webhook>> | undefined;
  #revision = -1;
  #tableVersion = -1;
  #all: readonly ConfiguredWebhook<Webhook>[] = [];
  #byResource = new WeakMap<ResourceDefinition, Map<string, readonly Candidate<Webhook>[]>>();

  constructor(table: ResourceTable, resource: ResourceDefinition<Configuration<Webhook>>) {
    this.#table = table;
    this.#resource = resource;
  }

  /** False when selectors leave none of the candidates: then nothing needs to be waited for. */
  anyMeant(request: AdmissionRequest): boolean {
    for (const { matcher } of this.candidates(request)) {
      const match = matcher.match(request);
      // Whoever matches again hears of the failure.
      if (match instanceof Promise) match.catch(() => {});
      if (match !== undefined) return true;
    }
    return false;
  }

  /** The webhooks whose rules mean a request, in order. Selectors and conditions are not asked yet. */
  candidates(request: AdmissionRequest): readonly Candidate<Webhook>[] {
    this.#refresh();
    if (this.#all.length === 0) return none;
    const { resource, operation, subresource } = request;
    let known = this.#byResource.get(resource);
    if (known === undefined) {
      known = new Map();
      this.#byResource.set(resource, known);
    }
    const key = subresource === undefined ? operation : `${operation} ${subresource}`;
    let found = known.get(key);
    if (found === undefined) {
      found = this.#all.flatMap((one) => {
        const match = one.matcher.matchRules(request);
        return match === undefined ? [] : [{ ...one, match }];
      });
      known.set(key, found);
    }
    return found;
  }

  #refresh(): void {
    this.#storage ??= this.#table.of(this.#resource);
    const storage = this.#storage;
    if (storage.lastRevision === this.#revision && this.#table.version === this.#tableVersion) return;
    this.#revision = storage.lastRevision;
    this.#tableVersion = this.#table.version;
    this.#byResource = new WeakMap();
    this.#all = storage.peekAll().flatMap((configuration) => webhooksOf(configuration, this.#table));
  }
}

const none: readonly never[] = [];

function webhooksOf<Webhook extends MutatingWebhook | ValidatingWebhook>(
  { metadata, webhooks = [] }: Configuration<Webhook>,
  table: ResourceTable,
): ConfiguredWebhook<Webhook>[] {
  return webhooks.map((webhook, index) => ({
    webhook,
    configuration: metadata.name,
    id: `${metadata.name}/${webhook.name}/${index}`,
    matcher: new RequestMatcher({ ...webhook, rules: webhook.rules ?? [] }, table),
  }));
}

/** The mutating ones. */
export const mutatingWebhooks = (table: ResourceTable): ConfiguredWebhooks<MutatingWebhook> =>
  new ConfiguredWebhooks(table, MutatingWebhookConfigurations);

/** The validating ones. */
export const validatingWebhooks = (table: ResourceTable): ConfiguredWebhooks<ValidatingWebhook> =>
  new ConfiguredWebhooks(table, ValidatingWebhookConfigurations);
