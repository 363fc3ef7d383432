import type { AdmissionPlugin, AdmissionRequest } from "../contracts.ts";

/** Runs the admission plugins in their order. They are known only after the resources are: see `install`. */
export class AdmissionChain {
  #plugins: readonly AdmissionPlugin[] = [];

  install(plugins: readonly AdmissionPlugin[]): void {
    this.#plugins = plugins;
  }

  /** Lets plugins change the object. Throws what a plugin refuses with. */
  async admit(request: AdmissionRequest): Promise<void> {
    for (const plugin of this.#plugins) {
      if (plugin.admit !== undefined && plugin.handles(request)) await plugin.admit(request);
    }
  }

  /** Lets plugins look at the finished object. Throws what a plugin refuses with. */
  async validate(request: AdmissionRequest): Promise<void> {
    for (const plugin of this.#plugins) {
      if (plugin.validate !== undefined && plugin.handles(request)) await plugin.validate(request);
    }
  }
}
