import { Nodes } from "@skiff/api";
import { Background, describeError, isAbort, type Logger } from "@skiff/base";
import type { Client, Informers } from "@skiff/client";

const label = "node-role.kubernetes.io/control-plane";

/** Labels the server's own node as it comes: no kubelet may give itself a role. Disposing of it ends the watch for it. */
export function markControlPlane(
  nodeName: string,
  on: { readonly client: Client; readonly informers: Informers; readonly logger: Logger },
): AsyncDisposable {
  const { client, informers, logger } = on;
  const background = new Background({ logger });
  const patch = { metadata: { labels: { [label]: "" } } };
  const listening = informers.for(Nodes).onChange(({ kind, object }) => {
    const { name, labels } = object.metadata;
    if (kind !== "added" || name !== nodeName || labels?.[label] !== undefined) return;
    background.run("marking the control plane's node", async (signal) => {
      try {
        await client.patch(Nodes, { name }, patch, { type: "merge", signal });
      } catch (error) {
        if (!isAbort(error, signal)) logger.warn(`the node cannot be labelled: ${describeError(error)}`);
      }
    });
  });
  return {
    async [Symbol.asyncDispose]() {
      listening[Symbol.dispose]();
      await background[Symbol.asyncDispose]();
    },
  };
}
