import type { ResourceDefinition } from "@skiff/api";
import type { AdmissionPlugin, AdmissionRequest, AdmissionRound } from "../contracts.ts";
import type { AdmissionSteps } from "../observe/admission-steps.ts";

class Round implements AdmissionRound {
  readonly again: boolean;
  wantsMore = false;

  constructor(again: boolean) {
    this.again = again;
  }

  requireAgain(): void {
    this.wantsMore = true;
  }
}

/** Runs the admission plugins in their order. They are known only after the resources are: see `install`. */
export class AdmissionChain {
  #plugins: readonly AdmissionPlugin[] = [];
  #steps: AdmissionSteps | undefined;
  /** Those that have to do with a resource: most have to do with pods, and most writes are of something else. */
  #byResource = new WeakMap<ResourceDefinition, readonly AdmissionPlugin[]>();

  /** `steps` hears how long it all took. */
  install(plugins: readonly AdmissionPlugin[], steps?: AdmissionSteps): void {
    this.#plugins = plugins;
    this.#steps = steps;
    this.#byResource = new WeakMap();
  }

  /** Lets plugins change the object, a second time where one asks for it. Throws what a plugin refuses with. */
  admit(request: AdmissionRequest): Promise<void> {
    return this.#steps?.time("admit", request.operation, () => this.#admit(request)) ?? this.#admit(request);
  }

  async #admit(request: AdmissionRequest): Promise<void> {
    const first = new Round(false);
    await this.#admitRound(request, first);
    if (first.wantsMore) await this.#admitRound(request, new Round(true));
  }

  async #admitRound(request: AdmissionRequest, round: Round): Promise<void> {
    for (const plugin of this.#of(request.resource)) {
      if (plugin.admit === undefined || !plugin.handles(request)) continue;
      // To wait for what does not wait would cost each write several turns of the queue.
      const pending = plugin.admit(request, round);
      if (pending !== undefined) await pending;
    }
  }

  /** Lets plugins look at the finished object. Throws what a plugin refuses with. */
  validate(request: AdmissionRequest): Promise<void> {
    return this.#steps?.time("validate", request.operation, () => this.#validate(request)) ?? this.#validate(request);
  }

  async #validate(request: AdmissionRequest): Promise<void> {
    for (const plugin of this.#of(request.resource)) {
      if (plugin.validate === undefined || !plugin.handles(request)) continue;
      const pending = plugin.validate(request);
      if (pending !== undefined) await pending;
    }
  }

  #of(resource: ResourceDefinition): readonly AdmissionPlugin[] {
    const known = this.#byResource.get(resource);
    if (known !== undefined) return known;
    // A view is of the kind that it shows: what asks about Deployments asks about those of old versions, too.
    const { group, plural } = resource.storedAs ?? resource;
    const found = this.#plugins.filter(
      ({ resources }) => resources?.some((one) => one.plural === plural && one.group === group) ?? true,
    );
    this.#byResource.set(resource, found);
    return found;
  }
}
