import type { AdmissionPlugin, AdmissionRequest } from "../contracts.ts";

/** Runs plugins in their order: first all that change the object, and once it is defaulted again, all that judge it. */
export class AdmissionChain {
  readonly #plugins: readonly AdmissionPlugin[];

  constructor(plugins: readonly AdmissionPlugin[]) {
    this.#plugins = plugins;
  }

  /** Lets the plugins change `request.object`. Throws the first refusal. */
  async admit(request: AdmissionRequest): Promise<void> {
    for (const plugin of this.#plugins) {
      if (plugin.admit !== undefined && plugin.handles(request)) await plugin.admit(request);
    }
  }

  /** Lets the plugins judge. Throws the first refusal. */
  async validate(request: AdmissionRequest): Promise<void> {
    for (const plugin of this.#plugins) {
      if (plugin.validate !== undefined && plugin.handles(request)) await plugin.validate(request);
    }
  }
}
