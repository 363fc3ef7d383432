import { CommandError, type Processes } from "@skiff/host";
import type { StaleTarget } from "./stale-connections.ts";

/** The kernel's memory of flows. */
export interface Conntrack {
  /** Makes the kernel forget flows; it is no error when there are none. */
  forget(target: StaleTarget, signal: AbortSignal): Promise<void>;
}

/** By the `conntrack` program; where it is not installed, old flows run out by themselves. */
export function systemConntrack(processes: Processes): Conntrack {
  return {
    async forget({ protocol, address, port, endpoint }, signal) {
      const args = ["-D", "-p", protocol, "--orig-port-dst", String(port)];
      if (address !== undefined) args.push("--orig-dst", address);
      if (endpoint !== undefined) args.push("--reply-src", endpoint);
      try {
        // Its exit code is 1 when nothing matched.
        await processes.run("conntrack", { args, timeoutMs: 5_000 }, signal);
      } catch (error) {
        if (!(error instanceof CommandError)) throw error;
      }
    },
  };
}
