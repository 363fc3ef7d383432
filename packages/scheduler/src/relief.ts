import type { Pod } from "@skiff/api";
import { describeError, isAbort, type Logger } from "@skiff/base";
import type { BindContext, ClusterView, Plugin } from "./framework.ts";

/** What plugins do for a pod that no node fits, other than ending others. */
export interface Relief {
  /** What people read of it; `undefined`: nobody has anything to say. */
  readonly text: string | undefined;
  /** Work that may help. Failures are told to the log: the pod is tried again anyway. */
  readonly acts: readonly ((context: BindContext, logger: Logger) => Promise<void>)[];
}

/** Asks the plugins that care for the pod. */
export function reliefOf(pod: Pod, plugins: readonly Plugin[], cluster: ClusterView): Relief {
  const results = plugins.flatMap(({ postFilter, concerns }) =>
    typeof postFilter === "function" && concerns?.(pod) !== false ? (postFilter(pod, cluster) ?? []) : [],
  );
  return {
    text: results.length === 0 ? undefined : results.map(({ text }) => text).join(", "),
    acts: results.flatMap(({ act }) =>
      act === undefined
        ? []
        : async (context: BindContext, logger: Logger) => {
            try {
              await act(context);
            } catch (error) {
              if (!isAbort(error, context.signal))
                logger.warn(`cannot help ${pod.metadata.name}: ${describeError(error)}`);
            }
          },
    ),
  };
}
