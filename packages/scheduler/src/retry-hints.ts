import type { Pod } from "@skiff/api";
import { type ClusterEvent, hintMatches, type Plugin } from "./framework.ts";
import type { Profile } from "./profile.ts";
import { defaultSchedulerName } from "./profile.ts";

/** Which plugins wait for which events, in all profiles. */
export class RetryHints {
  readonly #byProfile: ReadonlyMap<string, ReadonlyMap<string, Plugin>>;

  /** `others` have no say about nodes themselves, but are named where others do. */
  constructor(profiles: readonly Profile[], others: readonly Plugin[] = []) {
    this.#byProfile = new Map(
      profiles.map(({ schedulerName, plugins }) => [
        schedulerName,
        new Map([...plugins, ...others].map((one) => [one.name, one])),
      ]),
    );
  }

  /** Names of the plugins that an event of this kind may concern. */
  waiting({ kind }: ClusterEvent): readonly string[] {
    const names = new Set<string>();
    for (const plugins of this.#byProfile.values()) {
      for (const { name, retryOn } of plugins.values()) if (retryOn.some((hint) => hint.kind === kind)) names.add(name);
    }
    return [...names];
  }

  /** Whether what happened may help a pod that these plugins rejected. */
  helps(event: ClusterEvent, pod: Pod, rejectedBy: ReadonlySet<string>): boolean {
    const plugins = this.#byProfile.get(pod.spec.schedulerName || defaultSchedulerName);
    for (const name of rejectedBy) {
      if (plugins?.get(name)?.retryOn.some((hint) => hintMatches(hint, event, pod))) return true;
    }
    return false;
  }
}
