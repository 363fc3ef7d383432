import { access, constants } from "node:fs/promises";
import { dirname } from "node:path";
import { allRequirements, installCommand, sharingOf } from "@skiff/host";
import { clusterPaths } from "../settings/paths.ts";
import { portIsFree } from "../settings/ports.ts";
import { isJoined, readHomeSettings } from "../settings/settings.ts";
import { fullDisks, fullDiskText } from "./disk-space.ts";
import type { Machine } from "./machine.ts";
import { clusterStatus } from "./status.ts";

/** One thing that was looked at. */
export interface Finding {
  readonly kind: "good" | "warning" | "problem";
  readonly subject: string;
  readonly text: string;
  /** What to do about it. */
  readonly advice?: string;
}

interface Subject {
  readonly machine: Machine;
  readonly isRoot: boolean;
}

/** Looks at everything that a cluster needs of this machine. */
export async function examineMachine(
  target: { readonly name: string; readonly home: string },
  subject: Subject,
  signal: AbortSignal,
): Promise<readonly Finding[]> {
  const status = await clusterStatus(target, subject.machine, signal);
  return [
    platform(subject),
    ...(process.platform === "linux"
      ? [
          await packages(subject),
          controlGroups(subject),
          await forwarding(subject),
          await sharedVolumes(subject, signal),
        ]
      : []),
    await home(target.home),
    await disk(target),
    ...(status === undefined || status.state === "stopped" ? [await ports(target)] : []),
    {
      kind: status === undefined || status.state === "running" ? "good" : "warning",
      subject: "cluster",
      text: status === undefined ? `"${target.name}" does not exist yet` : `"${target.name}" is ${status.state}`,
    },
  ];
}

function platform({ isRoot }: Subject): Finding {
  const node = `Node ${process.versions.node} on ${process.platform}`;
  if (process.platform === "linux" && isRoot) return { kind: "good", subject: "platform", text: `${node}, as root` };
  return {
    kind: "warning",
    subject: "platform",
    text:
      process.platform === "linux"
        ? `${node}, not as root: containers cannot be run`
        : `${node}: containers need Linux`,
    advice: "skiff up --runtime simulated works here",
  };
}

async function packages({ machine }: Subject): Promise<Finding> {
  const missing = await machine.packages.missing(allRequirements);
  if (missing.length === 0) return { kind: "good", subject: "packages", text: "all there" };
  const command = installCommand(missing, await machine.packages.operatingSystem());
  return {
    kind: "problem",
    subject: "packages",
    text: `missing: ${missing.join(", ")}`,
    ...(command === undefined ? {} : { advice: command }),
  };
}

async function sharedVolumes({ machine }: Subject, signal: AbortSignal): Promise<Finding> {
  const sharing = await sharingOf(machine.mounts, signal);
  const text =
    sharing.kind === "nfs"
      ? "served by NFS (nfs-ganesha)"
      : `folders of this machine; an NFS server would need: ${sharing.missing.join(", ")}`;
  return { kind: "good", subject: "shared volumes", text };
}

function controlGroups({ machine }: Subject): Finding {
  try {
    return { kind: "good", subject: "control groups", text: `${machine.cgroups().layout.kind}` };
  } catch (error) {
    return { kind: "problem", subject: "control groups", text: error instanceof Error ? error.message : String(error) };
  }
}

async function forwarding({ machine }: Subject): Promise<Finding> {
  const value = await machine.sysctls.read("net.ipv4.ip_forward");
  return value === "1"
    ? { kind: "good", subject: "forwarding", text: "on" }
    : { kind: "good", subject: "forwarding", text: "off; skiff up turns it on" };
}

async function home(folder: string): Promise<Finding> {
  for (let path = folder; ; path = dirname(path)) {
    const found = await access(path, constants.F_OK).then(
      () => true,
      () => false,
    );
    if (!found && path !== dirname(path)) continue;
    const writable = await access(path, constants.W_OK).then(
      () => true,
      () => false,
    );
    return writable
      ? { kind: "good", subject: "home", text: `${folder} can be written` }
      : {
          kind: "problem",
          subject: "home",
          text: `${path} cannot be written`,
          advice: "choose another place with --home DIR",
        };
  }
}

async function disk(target: { readonly name: string; readonly home: string }): Promise<Finding> {
  const paths = clusterPaths(target.home, target.name);
  const shortages = await fullDisks(paths);
  if (shortages.length === 0) return { kind: "good", subject: "disk", text: "enough is free" };
  return { kind: "warning", subject: "disk", ...fullDiskText(shortages, paths) };
}

async function ports(target: { readonly name: string; readonly home: string }): Promise<Finding> {
  const settings = await readHomeSettings(clusterPaths(target.home, target.name));
  const wanted =
    settings === undefined ? [6443, 10250] : [...(isJoined(settings) ? [] : [settings.apiPort]), settings.kubeletPort];
  const free = await Promise.all(wanted.map(portIsFree));
  const taken = wanted.filter((_, index) => free[index] === false);
  if (taken.length === 0) return { kind: "good", subject: "ports", text: `${wanted.join(", ")} are free` };
  return {
    kind: settings === undefined ? "warning" : "problem",
    subject: "ports",
    text: `in use: ${taken.join(", ")}`,
    advice: settings === undefined ? "a new cluster takes the next free ones" : "stop what listens there",
  };
}
