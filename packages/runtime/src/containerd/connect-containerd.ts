import { RuntimeError, type RuntimeErrorCode } from "../runtime.ts";
import { ContainerdRuntime, type ContainerdRuntimeOptions } from "./containerd-runtime.ts";

/** How calls end while containerd starts: nobody is there, the CRI is not there yet, or the machine has no time for it. */
const answersLater: ReadonlySet<RuntimeErrorCode> = new Set(["UNAVAILABLE", "UNIMPLEMENTED", "DEADLINE_EXCEEDED"]);

/**
 * Connects to a containerd that may just be starting: waits until its CRI answers (at most `timeoutMs`), and sees to
 * the sandboxes' image.
 */
export async function connectContainerd(
  options: ContainerdRuntimeOptions,
  { timeoutMs, signal }: { readonly timeoutMs: number; readonly signal: AbortSignal },
): Promise<ContainerdRuntime> {
  const runtime = new ContainerdRuntime(options);
  const deadline = options.clock.monotonic() + timeoutMs;
  for (;;) {
    try {
      await runtime.version(signal);
      await runtime.ensurePauseImage(signal);
      return runtime;
    } catch (error) {
      const passing =
        error instanceof RuntimeError && (answersLater.has(error.code) || /not initialized/.test(error.message));
      if (!passing || signal.aborted || options.clock.monotonic() > deadline) {
        await runtime[Symbol.asyncDispose]();
        throw error;
      }
    }
    await options.clock.sleep(20, signal);
  }
}
