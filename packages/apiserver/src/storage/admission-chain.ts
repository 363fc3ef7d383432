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

  /**
   * Lets plugins change the object, a second time where one asks for it. Throws what a plugin refuses with, or rejects with it;
   * `undefined` where nothing has to be waited for, as most often: each promise would cost every write turns of the queue.
   */
  admit(request: AdmissionRequest): Promise<void> | undefined {
    const step = () => this.#admit(request);
    return this.#steps === undefined ? step() : this.#steps.time("admit", request.operation, step);
  }

  #admit(request: AdmissionRequest): Promise<void> | undefined {
    const first = new Round(false);
    const again = () => (first.wantsMore ? this.#admitRound(request, new Round(true)) : undefined);
    const pending = this.#admitRound(request, first);
    return pending === undefined ? again() : pending.then(again);
  }

  #admitRound(request: AdmissionRequest, round: Round): Promise<void> | undefined {
    return inOrder(this.#of(request.resource), (plugin) =>
      plugin.admit !== undefined && plugin.handles(request) ? plugin.admit(request, round) : undefined,
    );
  }

  /** Lets plugins look at the finished object. Throws, rejects and gives as `admit` does. */
  validate(request: AdmissionRequest): Promise<void> | undefined {
    const step = () =>
      inOrder(this.#of(request.resource), (plugin) =>
        plugin.validate !== undefined && plugin.handles(request) ? plugin.validate(request) : undefined,
      );
    return this.#steps === undefined ? step() : this.#steps.time("validate", request.operation, step);
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

/** One plugin after the other; without a promise where none of them gives one. */
function inOrder(
  plugins: readonly AdmissionPlugin[],
  ask: (plugin: AdmissionPlugin) => Promise<void> | void,
  from = 0,
): Promise<void> | undefined {
  for (let at = from; at < plugins.length; at++) {
    const plugin = plugins[at];
    const pending = plugin && ask(plugin);
    if (pending instanceof Promise) return pending.then(() => inOrder(plugins, ask, at + 1));
  }
  return undefined;
}
