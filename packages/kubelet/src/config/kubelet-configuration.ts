import { parseQuantity } from "@skiff/api";
import { isJsonObject, type JsonObject, parseDuration } from "@skiff/base";
import type { VerificationPolicy } from "../images/verify-access.ts";
import { sysctlName, sysctlNamespace } from "../security/sysctls.ts";
import type { ShutdownGroup } from "../shutdown/shutdown-groups.ts";
import { defaultPlacement, type Placement, readPlacement } from "./placement.ts";

type Texts = Readonly<Record<string, string>>;

/**
 * How a node behaves where Kubernetes lets people choose: the fields of `kubelet.config.k8s.io/v1beta1` that matter here.
 * https://kubernetes.io/docs/reference/config-api/kubelet-config.v1beta1/
 */
export interface KubeletConfiguration {
  /** Thresholds by signal, as in `memory.available: 100Mi` or `nodefs.available: 10%`. */
  readonly evictionHard: Texts;
  readonly evictionSoft: Texts;
  readonly evictionSoftGracePeriodMs: Readonly<Record<string, number>>;
  readonly evictionMinimumReclaim: Texts;
  readonly evictionPressureTransitionPeriodMs: number;
  readonly evictionMaxPodGracePeriodSeconds: number;
  readonly kubeReserved: Texts;
  readonly systemReserved: Texts;
  /** How CPUs and memory are given to containers. */
  readonly placement: Placement;
  readonly maxPods: number;
  /** -1: as many as the node's. */
  readonly podPidsLimit: number;
  /** The file that names the node's resolvers; empty: pods get none of them. */
  readonly resolvConf: string;
  readonly imageGCHighThresholdPercent: number;
  readonly imageGCLowThresholdPercent: number;
  readonly imageMinimumGCAgeMs: number;
  /** 0: images are kept however long they were not used. */
  readonly imageMaximumGCAgeMs: number;
  readonly containerLogMaxBytes: number;
  readonly containerLogMaxFiles: number;
  readonly serializeImagePulls: boolean;
  /** 0: no limit (where pulls are not one after the other). */
  readonly maxParallelImagePulls: number;
  readonly imagePullCredentialsVerificationPolicy: VerificationPolicy;
  /** Images that need no verification under `NeverVerifyAllowlistedImages`: names, or beginnings with `/*` behind them. */
  readonly preloadedImagesVerificationAllowlist: readonly string[];
  /** Unsafe sysctls that pods may set all the same, as in `net.core.somaxconn` or `kernel.msg*`. */
  readonly allowedUnsafeSysctls: readonly string[];
  readonly enableDebuggingHandlers: boolean;
  /** How long nothing may go over an exec, attach or port-forward before it is closed; 0: for ever. */
  readonly streamingConnectionIdleTimeoutMs: number;
  readonly anonymousAuth: boolean;
  readonly webhookAuth: boolean;
  readonly authorizationMode: "Webhook" | "AlwaysAllow";
  /** As in `GitRepoVolumeDriver: true`. Those this node does not know change nothing. */
  readonly featureGates: Readonly<Record<string, boolean>>;
  /** How long pods have to end when the machine shuts down; 0: nobody waits for them. */
  readonly shutdownGracePeriodMs: number;
  /** The part of it, at its end, that is critical pods' own. */
  readonly shutdownGracePeriodCriticalPodsMs: number;
  /** In place of both: times by the least priority of who has them. */
  readonly shutdownGracePeriodByPodPriority: readonly ShutdownGroup[];
}

/** What holds where nothing was chosen: Kubernetes' own defaults. */
export const defaultConfiguration: KubeletConfiguration = {
  evictionHard: {
    "memory.available": "100Mi",
    "nodefs.available": "10%",
    "nodefs.inodesFree": "5%",
    "imagefs.available": "15%",
    "imagefs.inodesFree": "5%",
  },
  evictionSoft: {},
  evictionSoftGracePeriodMs: {},
  evictionMinimumReclaim: {},
  evictionPressureTransitionPeriodMs: 300_000,
  evictionMaxPodGracePeriodSeconds: 0,
  kubeReserved: {},
  systemReserved: {},
  placement: defaultPlacement,
  maxPods: 110,
  podPidsLimit: -1,
  resolvConf: "/etc/resolv.conf",
  imageGCHighThresholdPercent: 85,
  imageGCLowThresholdPercent: 80,
  imageMinimumGCAgeMs: 120_000,
  imageMaximumGCAgeMs: 0,
  containerLogMaxBytes: 10 * 1024 * 1024,
  containerLogMaxFiles: 5,
  serializeImagePulls: false,
  maxParallelImagePulls: 5,
  imagePullCredentialsVerificationPolicy: "NeverVerifyPreloadedImages",
  preloadedImagesVerificationAllowlist: [],
  allowedUnsafeSysctls: [],
  enableDebuggingHandlers: true,
  streamingConnectionIdleTimeoutMs: 4 * 3_600_000,
  anonymousAuth: false,
  webhookAuth: true,
  authorizationMode: "Webhook",
  featureGates: {},
  shutdownGracePeriodMs: 0,
  shutdownGracePeriodCriticalPodsMs: 0,
  shutdownGracePeriodByPodPriority: [],
};

/** A configuration cannot be used; the message names the field. */
export class ConfigurationError extends Error {
  override name = "ConfigurationError";
  readonly code = "CONFIGURATION_INVALID";
}

const fail = (field: string, what: string): never => {
  throw new ConfigurationError(`KubeletConfiguration: ${field}: ${what}`);
};

const apiVersion = "kubelet.config.k8s.io/v1beta1";
const signals = new Set([
  "memory.available",
  "nodefs.available",
  "nodefs.inodesFree",
  "imagefs.available",
  "imagefs.inodesFree",
  "containerfs.available",
  "containerfs.inodesFree",
  "pid.available",
]);

class Reader {
  readonly #object: JsonObject;
  constructor(object: JsonObject) {
    this.#object = object;
  }

  number(field: string, fallback: number): number {
    const value = this.#object[field];
    if (value === undefined || value === null) return fallback;
    return typeof value === "number" && Number.isInteger(value) ? value : fail(field, "must be a whole number");
  }

  boolean(field: string, fallback: boolean): boolean {
    const value = this.#object[field];
    if (value === undefined || value === null) return fallback;
    return typeof value === "boolean" ? value : fail(field, "must be true or false");
  }

  durationMs(field: string, fallback: number): number {
    const value = this.#object[field];
    if (value === undefined || value === null) return fallback;
    return duration(field, value);
  }

  texts(field: string, fallback: Texts): Texts {
    const value = this.#object[field];
    if (value === undefined || value === null) return fallback;
    if (!isJsonObject(value)) return fail(field, "must be an object");
    return Object.fromEntries(
      Object.entries(value).map(([key, one]) => [
        key,
        typeof one === "string" || typeof one === "number" ? String(one) : fail(`${field}.${key}`, "must be a text"),
      ]),
    );
  }

  booleans(field: string): Readonly<Record<string, boolean>> {
    const value = this.#object[field];
    if (value === undefined || value === null) return {};
    if (!isJsonObject(value)) return fail(field, "must be an object");
    return Object.fromEntries(
      Object.entries(value).map(([key, one]) => [
        key,
        typeof one === "boolean" ? one : fail(`${field}.${key}`, "must be true or false"),
      ]),
    );
  }

  list(field: string): readonly string[] {
    const value = this.#object[field];
    if (value === undefined || value === null) return [];
    if (!Array.isArray(value)) return fail(field, "must be a list");
    return value.map((one) => (typeof one === "string" ? one : fail(field, "must be a list of texts")));
  }

  object(field: string): Reader {
    const value = this.#object[field];
    if (value === undefined || value === null) return new Reader({});
    return isJsonObject(value) ? new Reader(value) : fail(field, "must be an object");
  }

  get(field: string): unknown {
    return this.#object[field];
  }
}

const duration = (field: string, value: unknown): number =>
  (typeof value === "string" ? parseDuration(value) : undefined) ?? fail(field, "must be a duration, as in 30s");

const quantity = (field: string, text: string): void => {
  try {
    parseQuantity(text);
  } catch {
    fail(field, `"${text}" is not a quantity`);
  }
};

function checkThresholds(field: string, thresholds: Texts): Texts {
  for (const [signal, value] of Object.entries(thresholds)) {
    if (!signals.has(signal)) fail(field, `unknown signal ${signal}`);
    const percent = /^(\d+(?:\.\d+)?)%$/.exec(value)?.[1];
    if (percent === undefined) quantity(`${field}.${signal}`, value);
    else if (Number(percent) > 100) fail(`${field}.${signal}`, "must not be more than 100%");
  }
  return thresholds;
}

const policies: readonly VerificationPolicy[] = [
  "NeverVerify",
  "NeverVerifyPreloadedImages",
  "NeverVerifyAllowlistedImages",
  "AlwaysVerify",
];

function verificationPolicy(read: Reader): VerificationPolicy {
  const field = "imagePullCredentialsVerificationPolicy";
  const value = read.get(field) ?? defaultConfiguration.imagePullCredentialsVerificationPolicy;
  return policies.find((one) => one === value) ?? fail(field, `must be one of ${policies.join(", ")}`);
}

function allowlist(read: Reader): readonly string[] {
  const field = "preloadedImagesVerificationAllowlist";
  const images = read.list(field);
  const policy = verificationPolicy(read);
  if (images.length > 0 && policy !== "NeverVerifyAllowlistedImages")
    fail(field, "can only be set if imagePullCredentialsVerificationPolicy is NeverVerifyAllowlistedImages");
  for (const one of images)
    if (!/^[^\s*]+(\/\*)?$/.test(one))
      fail(field, `"${one}" is no image's name, nor the beginning of one with /* behind it`);
  return images;
}

/** Only sysctls of a namespace can be allowed. */
function unsafeSysctl(pattern: string): string {
  const name = sysctlName(pattern);
  if (!/^[a-z0-9][a-z0-9_.*/-]*$/.test(name) || /\*./.test(name))
    fail("allowedUnsafeSysctls", `"${pattern}" is no sysctl's name, nor the beginning of one with * behind it`);
  if (sysctlNamespace(name.replace(/\*$/, "")) === undefined)
    fail("allowedUnsafeSysctls", `the sysctls "${pattern}" are not known to be namespaced`);
  return name;
}

function checkReserved(field: string, reserved: Texts): Texts {
  for (const [name, amount] of Object.entries(reserved)) {
    if (!["cpu", "memory", "ephemeral-storage", "pid"].includes(name)) fail(field, `cannot reserve resource "${name}"`);
    quantity(`${field}.${name}`, amount);
  }
  return reserved;
}

/** What is kept for the system. CPUs that are named stand for those that would be kept by amount. */
function reservedOf(
  read: Reader,
  { reservedSystemCpus }: Placement,
): Pick<KubeletConfiguration, "kubeReserved" | "systemReserved"> {
  const kubeReserved = checkReserved("kubeReserved", read.texts("kubeReserved", {}));
  const systemReserved = checkReserved("systemReserved", read.texts("systemReserved", {}));
  if (reservedSystemCpus.length === 0) return { kubeReserved, systemReserved };
  const { cpu: _, ...rest } = kubeReserved;
  return { kubeReserved: rest, systemReserved: { ...systemReserved, cpu: String(reservedSystemCpus.length) } };
}

/** Reads a configuration (parsed YAML or JSON); fields that are absent get their defaults. Throws `ConfigurationError`. */
export function parseKubeletConfiguration(value: unknown): KubeletConfiguration {
  if (!isJsonObject(value)) return fail("file", "must hold an object");
  if (value.apiVersion !== apiVersion || value.kind !== "KubeletConfiguration")
    fail("apiVersion", `must be ${apiVersion}, and kind KubeletConfiguration`);
  const read = new Reader(value);
  const fallback = defaultConfiguration;
  const placement = readPlacement(value, read.booleans("featureGates"), fail);
  const soft = checkThresholds("evictionSoft", read.texts("evictionSoft", {}));
  const grace = Object.fromEntries(
    Object.entries(read.texts("evictionSoftGracePeriod", {})).map(([signal, text]) => [
      signal,
      duration(`evictionSoftGracePeriod.${signal}`, text),
    ]),
  );
  for (const signal of Object.keys(soft))
    if (grace[signal] === undefined) fail("evictionSoftGracePeriod", `${signal} needs a grace period`);
  const authentication = read.object("authentication");
  const mode = read.object("authorization").get("mode") ?? "Webhook";
  const configuration: KubeletConfiguration = {
    evictionHard: {
      ...(read.boolean("mergeDefaultEvictionSettings", false) ? fallback.evictionHard : {}),
      ...checkThresholds("evictionHard", read.texts("evictionHard", fallback.evictionHard)),
    },
    evictionSoft: soft,
    evictionSoftGracePeriodMs: grace,
    evictionMinimumReclaim: checkThresholds("evictionMinimumReclaim", read.texts("evictionMinimumReclaim", {})),
    evictionPressureTransitionPeriodMs: read.durationMs("evictionPressureTransitionPeriod", 300_000),
    evictionMaxPodGracePeriodSeconds: read.number("evictionMaxPodGracePeriod", 0),
    ...reservedOf(read, placement),
    placement,
    maxPods: read.number("maxPods", fallback.maxPods),
    podPidsLimit: read.number("podPidsLimit", fallback.podPidsLimit),
    resolvConf: textOr(value.resolvConf, "resolvConf", fallback.resolvConf),
    imageGCHighThresholdPercent: read.number("imageGCHighThresholdPercent", fallback.imageGCHighThresholdPercent),
    imageGCLowThresholdPercent: read.number("imageGCLowThresholdPercent", fallback.imageGCLowThresholdPercent),
    imageMinimumGCAgeMs: read.durationMs("imageMinimumGCAge", fallback.imageMinimumGCAgeMs),
    imageMaximumGCAgeMs: read.durationMs("imageMaximumGCAge", fallback.imageMaximumGCAgeMs),
    containerLogMaxBytes: bytes(read, "containerLogMaxSize", fallback.containerLogMaxBytes),
    containerLogMaxFiles: read.number("containerLogMaxFiles", fallback.containerLogMaxFiles),
    serializeImagePulls: read.boolean("serializeImagePulls", fallback.serializeImagePulls),
    maxParallelImagePulls: read.number("maxParallelImagePulls", fallback.maxParallelImagePulls),
    imagePullCredentialsVerificationPolicy: verificationPolicy(read),
    preloadedImagesVerificationAllowlist: allowlist(read),
    allowedUnsafeSysctls: read.list("allowedUnsafeSysctls").map(unsafeSysctl),
    enableDebuggingHandlers: read.boolean("enableDebuggingHandlers", true),
    streamingConnectionIdleTimeoutMs: read.durationMs(
      "streamingConnectionIdleTimeout",
      fallback.streamingConnectionIdleTimeoutMs,
    ),
    anonymousAuth: authentication.object("anonymous").boolean("enabled", fallback.anonymousAuth),
    webhookAuth: authentication.object("webhook").boolean("enabled", fallback.webhookAuth),
    authorizationMode: mode === "Webhook" || mode === "AlwaysAllow" ? mode : fail("authorization.mode", "unknown mode"),
    featureGates: read.booleans("featureGates"),
    ...shutdownPeriods(read),
  };
  if (configuration.imageGCLowThresholdPercent >= configuration.imageGCHighThresholdPercent)
    fail("imageGCLowThresholdPercent", "must be less than imageGCHighThresholdPercent");
  if (configuration.containerLogMaxFiles < 2) fail("containerLogMaxFiles", "must be greater than 1");
  return configuration;
}

const textOr = (value: unknown, field: string, fallback: string): string =>
  value === undefined || typeof value === "string" ? (value ?? fallback) : fail(field, "must be a text");

function shutdownPeriods(read: Reader) {
  const shutdownGracePeriodMs = read.durationMs("shutdownGracePeriod", 0);
  const shutdownGracePeriodCriticalPodsMs = read.durationMs("shutdownGracePeriodCriticalPods", 0);
  for (const [field, ms] of [
    ["shutdownGracePeriod", shutdownGracePeriodMs],
    ["shutdownGracePeriodCriticalPods", shutdownGracePeriodCriticalPodsMs],
  ] as const)
    if (ms < 0 || (ms > 0 && ms < 1000)) fail(field, "must be either zero or otherwise >= 1 sec");
  if (shutdownGracePeriodCriticalPodsMs > shutdownGracePeriodMs)
    fail("shutdownGracePeriodCriticalPods", "must be <= shutdownGracePeriod");
  const list = read.get("shutdownGracePeriodByPodPriority") ?? [];
  if (!Array.isArray(list)) return fail("shutdownGracePeriodByPodPriority", "must be a list");
  const shutdownGracePeriodByPodPriority = list.map((one: unknown): ShutdownGroup => {
    if (!isJsonObject(one)) return fail("shutdownGracePeriodByPodPriority", "must hold objects");
    const of = new Reader(one);
    const graceSeconds = of.number("shutdownGracePeriodSeconds", 0);
    return { priority: of.number("priority", 0), graceSeconds };
  });
  if (shutdownGracePeriodByPodPriority.length > 0 && shutdownGracePeriodMs > 0)
    fail("shutdownGracePeriodByPodPriority", "cannot be specified together with shutdownGracePeriod");
  return { shutdownGracePeriodMs, shutdownGracePeriodCriticalPodsMs, shutdownGracePeriodByPodPriority };
}

function bytes(read: Reader, field: string, fallback: number): number {
  const value = read.get(field);
  if (value === undefined || value === null) return fallback;
  if (typeof value !== "string") return fail(field, "must be a quantity");
  quantity(field, value);
  return Number(parseQuantity(value).nanos / 1_000_000_000n);
}
