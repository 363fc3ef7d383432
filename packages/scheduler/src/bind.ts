import { isNotFound, type Pod, Pods } from "@skiff/api";
import { isAbort } from "@skiff/base";
import type { Extender } from "./extenders/extender.ts";
import type { BindContext, Plugin } from "./framework.ts";
import type { NodeInfo } from "./node-info.ts";
import { announceNode, type StatusTools } from "./pod-status-writer.ts";

/** A step of binding did not succeed. */
export class BindingFailed extends Error {
  override readonly name = "BindingFailed";
  readonly code = "BINDING_FAILED";
}

/** What the pod reserved besides its node, until it is bound or given up. */
export function reserve(
  plugins: readonly Plugin[],
  pod: Pod,
  node: NodeInfo,
  view: BindContext["cluster"],
): DisposableStack {
  using stack = new DisposableStack();
  for (const plugin of plugins) {
    if (plugin.concerns?.(pod) === false) continue;
    const reserved = plugin.reserve?.(pod, node, view);
    if (reserved !== undefined) stack.use(reserved);
  }
  return stack.move();
}

/** Brings a decision to the API: waits for permission, prepares, binds. Throws where that fails; 404: the pod is gone. */
export async function bindPod(
  plugins: readonly Plugin[],
  pod: Pod,
  node: NodeInfo,
  context: BindContext & StatusTools & { readonly extenders: readonly Extender[] },
): Promise<void> {
  const concerned = plugins.filter(({ concerns }) => concerns?.(pod) ?? true);
  for (const plugin of concerned) if (plugin.permit !== undefined) await plugin.permit(pod, node, context);
  let announced: Promise<void> | undefined;
  for (const { name, preBind } of concerned) {
    const work = preBind?.(pod, node, context);
    if (work === undefined) continue;
    announced ??= announceNode(context, pod, node.name, context.signal);
    await Promise.all([announced, named(`running PreBind plugin "${name}"`, work)]);
  }
  if (!(await boundByExtender(pod, node, context))) {
    const binder = concerned.find(({ bind }) => bind !== undefined);
    if (binder?.bind === undefined) throw new BindingFailed("no Bind plugin is enabled");
    await named(`binding rejected: running Bind plugin "${binder.name}"`, binder.bind(pod, node, context));
  }
  const { name, namespace } = pod.metadata;
  const message = `Successfully assigned ${namespace}/${name} to ${node.name}`;
  context.recorder.record(Pods, pod, { type: "Normal", reason: "Scheduled", message });
  for (const plugin of concerned) plugin.postBind?.(pod, node);
}

/** The first extender that binds such pods does it; plugins do where one that may be ignored fails. */
async function boundByExtender(
  pod: Pod,
  node: NodeInfo,
  { extenders, signal }: { readonly extenders: readonly Extender[]; readonly signal: AbortSignal },
): Promise<boolean> {
  for (const { bind, ignorable, isInterested } of extenders) {
    if (bind === undefined || !isInterested(pod)) continue;
    try {
      await bind(pod, node.name, signal);
      return true;
    } catch (error) {
      if (!ignorable || isAbort(error, signal)) throw error;
    }
  }
  return false;
}

async function named(step: string, work: Promise<void>): Promise<void> {
  try {
    await work;
  } catch (error) {
    if (isNotFound(error) || !(error instanceof Error) || error.name === "AbortError") throw error;
    throw new BindingFailed(`${step}: ${error.message}`, { cause: error });
  }
}
