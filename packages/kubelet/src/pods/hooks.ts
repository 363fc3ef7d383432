import type { Container, HTTPGetAction, LifecycleHandler } from "@skiff/api";
import { type Clock, describeError, isAbort } from "@skiff/base";
import type { Runtime } from "@skiff/runtime";
import { httpForHttps, httpGet, httpTarget } from "../probes/http-request.ts";

/** A hook ran and failed. */
export class HookFailure extends Error {
  override name = "HookFailure";
}

export interface HookTarget {
  readonly container: Container;
  readonly containerId: string;
  readonly podIp: string;
}

/** Runs a postStart or preStop hook to its end. Throws `HookFailure`, or the signal's reason. */
export async function runHook(
  hook: LifecycleHandler,
  target: HookTarget,
  effects: { readonly runtime: Runtime; readonly clock: Clock; readonly signal: AbortSignal },
): Promise<void> {
  const { runtime, clock, signal } = effects;
  if (hook.sleep !== undefined) return clock.sleep(hook.sleep.seconds * 1000, signal);
  if (runtime.pretendedAnswer?.(target.containerId, { by: "hook", command: hook.exec?.command })?.passes === true)
    return;
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
  if (hook.httpGet !== undefined) return runHttpHook(hook.httpGet, target, effects);
  throw new HookFailure("cannot run handler: invalid handler");
}

const httpHookMs = 2 ** 31 - 1;

/** Whatever the answer, the hook has run; one that speaks HTTP where HTTPS was meant is asked again in HTTP. */
async function runHttpHook(
  action: HTTPGetAction,
  target: HookTarget,
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<void> {
  const request = (scheme: string | undefined) =>
    httpTarget({ ...action, scheme }, { ...target, agent: "kube-lifecycle" });
  const options = { timeoutMs: httpHookMs, clock, signal };
  try {
    await httpGet(request(action.scheme), options);
  } catch (error) {
    if (isAbort(error, signal)) throw error;
    const message = describeError(error);
    if (!message.endsWith(httpForHttps))
      throw new HookFailure(
        `HTTP lifecycle hook (${action.path ?? ""}) for Container "${target.container.name}" failed - error: ${message}`,
      );
    await httpGet(request("HTTP"), options);
  }
}
