import { type DefineCommand, withOutput } from "../command-line.ts";
import type { WhyOptions } from "./why-pod.ts";

/** `skiff why pod/NAME`: why a pod has no node, or why it has this one. */
export const whyCommand: DefineCommand = (program, context) => {
  const command = program
    .command("why")
    .description("tell why a pod is pending, or why it is on its node: what the scheduler made of every node")
    .argument("<pod>", "the pod, as pod/NAME or NAME")
    .option("-n, --namespace <namespace>", "the pod's namespace; the one of the kubeconfig's context where not given")
    .option("--context <context>", "which context of the kubeconfig")
    .option("--kubeconfig <file>", "kubeconfig to use; $KUBECONFIG or ~/.kube/config where not given");
  withOutput(command).action(async (pod: string, options: WhyOptions) => {
    const { whyPod } = await import("./why-pod.ts");
    await whyPod(pod, options, context);
  });
};
