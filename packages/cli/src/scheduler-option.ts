import { resolve } from "node:path";
import { Option } from "commander";

/** `--scheduler-config`; the server reads the file later, from another folder. */
export const schedulerConfigOption = (): Option =>
  new Option(
    "--scheduler-config <file>",
    "KubeSchedulerConfiguration: how pods are scheduled (scheduler.yaml of the cluster's folder)",
  ).argParser((path) => resolve(path));
