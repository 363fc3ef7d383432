import { absoluteKubeletArg } from "@skiff/cluster";
import { Option } from "commander";

/** `--kubelet-arg`, of every command that starts a node. */
export const kubeletArgOption = (): Option =>
  new Option("--kubelet-arg <name=value>", "option of the kubelet, as in max-pods=200; may be repeated").argParser(
    (text: string, before: readonly string[] | undefined) => [...(before ?? []), absoluteKubeletArg(text)],
  );
