import { readFile } from "node:fs/promises";
import type { AgentOptions } from "node:https";
import type { Pod } from "@skiff/api";
import type { Clock } from "@skiff/base";
import { parseDuration } from "@skiff/base";
import type { ExtenderConfiguration, ExtenderTlsConfiguration } from "../configuration/component-configuration.ts";
import { type Extender, ExtenderFailure } from "./extender.ts";
import { bindingArgs, checkBinding, choiceIn, extenderArgs, preemptionArgs, scoresIn, victimsIn } from "./messages.ts";
import { postJson } from "./post-json.ts";

const usualTimeoutMs = 5_000;

/** What an HTTP extender needs of the scheduler. */
export interface ExtenderSurroundings {
  readonly clock: Clock;
  /** A pod that is on a node. */
  readonly podOn: (node: string, uid: string) => Pod | undefined;
}

/** An extender as it is configured. Reads its certificates; throws `ExtenderFailure` where that fails. */
export async function createHttpExtender(
  configuration: ExtenderConfiguration,
  { clock, podOn }: ExtenderSurroundings,
): Promise<Extender> {
  const { urlPrefix: name, filterVerb, prioritizeVerb, bindVerb, preemptVerb } = configuration;
  const byName = configuration.nodeCacheCapable === true;
  const timeoutMs = parseDuration(configuration.httpTimeout ?? "0") || usualTimeoutMs;
  const post = postJson({ url: name, tls: await tlsOf(configuration), timeoutMs, clock });
  const managed = new Set((configuration.managedResources ?? []).map((resource) => resource.name));
  return {
    name,
    ignorable: configuration.ignorable === true,
    weight: configuration.weight ?? 0,
    isInterested: (pod) => managed.size === 0 || asksFor(pod, managed),
    ...(filterVerb && {
      async filter(pod, nodes, signal) {
        const answer = await post(filterVerb, extenderArgs(pod, nodes, byName), signal);
        return choiceIn(name, answer, new Set(nodes.map(({ metadata }) => metadata.name)));
      },
    }),
    ...(prioritizeVerb && {
      prioritize: async (pod, nodes, signal) =>
        scoresIn(name, await post(prioritizeVerb, extenderArgs(pod, nodes, byName), signal)),
    }),
    ...(bindVerb && {
      bind: async (pod, node, signal) => checkBinding(name, await post(bindVerb, bindingArgs(pod, node), signal)),
    }),
    ...(preemptVerb && {
      preempt: async (pod, candidates, signal) =>
        victimsIn(name, await post(preemptVerb, preemptionArgs(pod, candidates, byName), signal), podOn),
    }),
  };
}

const asksFor = ({ spec }: Pod, managed: ReadonlySet<string>): boolean =>
  [...spec.containers, ...(spec.initContainers ?? [])].some(({ resources }) =>
    [...Object.keys(resources?.requests ?? {}), ...Object.keys(resources?.limits ?? {})].some((one) =>
      managed.has(one),
    ),
  );

async function tlsOf({ urlPrefix, enableHTTPS, tlsConfig = {} }: ExtenderConfiguration): Promise<AgentOptions> {
  const [ca, cert, key] = await Promise.all([
    material(urlPrefix, tlsConfig.caData, tlsConfig.caFile),
    material(urlPrefix, tlsConfig.certData, tlsConfig.certFile),
    material(urlPrefix, tlsConfig.keyData, tlsConfig.keyFile),
  ]);
  // Who says that HTTPS is to be used without saying whom to trust trusts anybody, as in Kubernetes.
  const isTrusting = tlsConfig.insecure === true || (enableHTTPS === true && ca === undefined);
  return {
    ...(ca && { ca }),
    ...(cert && { cert }),
    ...(key && { key }),
    ...serverName(tlsConfig),
    rejectUnauthorized: !isTrusting,
  };
}

const serverName = ({ serverName: servername }: ExtenderTlsConfiguration) => (servername ? { servername } : {});

async function material(url: string, data: string | undefined, path: string | undefined): Promise<Buffer | undefined> {
  if (data) return Buffer.from(data, "base64");
  if (!path) return undefined;
  return readFile(path).catch((error: unknown) => {
    const why = error instanceof Error ? error.message : String(error);
    throw new ExtenderFailure(`extender ${JSON.stringify(url)}: cannot read ${path}: ${why}`, { cause: error });
  });
}
