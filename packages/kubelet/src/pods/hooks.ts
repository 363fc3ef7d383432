import type { Container, LifecycleHandler } from "@skiff/api";
import type { Clock } from "@skiff/base";
import type { Runtime } from "@skiff/runtime";
import { httpGet, httpTarget } from "../probes/http-request.ts";

/** A hook ran and failed. */
export class HookFailure extends Error {
  override name = "HookFailure";
}

/** Runs a postStart or preStop hook to its end. Throws `HookFailure`, or the signal's reason. */
export async function runHook(
  hook: LifecycleHandler,
  target: { readonly container: Container; readonly containerId: string; readonly podIp: string },
  effects: { readonly runtime: Runtime; readonly clock: Clock; readonly signal: AbortSignal },
): Promise<void> {
  const { runtime, clock, signal } = effects;
  if (hook.sleep !== undefined) return clock.sleep(hook.sleep.seconds * 1000, signal);
  if (hook.exec !== undefined) {
    const command = hook.exec.command ?? [];
    const result = await runtime.execSync(target.containerId, command, 0, signal);
    if (result.exitCode !== 0) {
      const output = Buffer.concat([result.stdout, result.stderr]).subarray(0, 1024).toString("utf8");
      throw new HookFailure(
        `Exec lifecycle hook (${JSON.stringify(command)}) for Container "${target.container.name}" failed - error: command '${command.join(" ")}' exited with ${result.exitCode}: ${output}, message: ${JSON.stringify(output)}`,
      );
    }
    return;
  }
  if (hook.httpGet !== undefined) {
    const answer = await httpGet(httpTarget(hook.httpGet, target.container, target.podIp), {
      timeoutMs: 30_000,
      clock,
      signal,
    });
    if (answer.status >= 400)
      throw new HookFailure(`HTTP lifecycle hook (${hook.httpGet.path ?? ""}) failed: ${answer.status}`);
  }
}
