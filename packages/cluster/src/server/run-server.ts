import { join } from "node:path";
import { servedResources } from "@skiff/api";
import { type AdmissionChoice, type ApiServer, createApiServer, kubeletUsage, standardParts } from "@skiff/apiserver";
import { Background, systemRandom } from "@skiff/base";
import { createClient } from "@skiff/client";
import type { Processes } from "@skiff/host";
import { compactionIntervalMs, compactPeriodically } from "@skiff/store";
import { snapshotRoutes } from "../backup/snapshot-route.ts";
import { createBootstrapObjects, defineSnapshots } from "../bootstrap/bootstrap-objects.ts";
import { createJoiningObjects } from "../bootstrap/joining-objects.ts";
import { holdServiceCidr } from "../bootstrap/service-cidr.ts";
import { openStore } from "../datastore/open-store.ts";
import type { IdentityOptions } from "../identity/identity-options.ts";
import type { SelfCommand } from "../lifecycle/self-command.ts";
import { operationOptions } from "../operation/operation-options.ts";
import { frontProxyName, type Pki, readPki } from "../pki/pki.ts";
import { readSchedulerConfiguration } from "../scheduling/scheduler-configuration.ts";
import { clusterPaths } from "../settings/paths.ts";
import { ClusterError, type ClusterSettings, readSettings } from "../settings/settings.ts";
import { collectWhenIdle } from "../supervise/collect-when-idle.ts";
import { keepSupervisor } from "../supervise/keep-supervisor.ts";
import { gitVersion } from "../version.ts";
import { openAuditLog } from "./audit-log.ts";
import { readDescriptions } from "./descriptions.ts";
import { removeExpiredLeases } from "./expired-leases.ts";
import { keepIdentityLease } from "./identity-lease.ts";
import { kubeletConnector } from "./kubelet-connector.ts";
import { keepAmongServers } from "./live-servers.ts";
import { component, runComponents, type Server, type ServerEffects } from "./run-components.ts";
import { connectorWith, usageWith } from "./simulated-part.ts";
import { TokenTracking } from "./token-tracking.ts";

/** What the server process is told on its command line. */
export interface ServerOptions {
  readonly name: string;
  readonly home: string;
  readonly self: SelfCommand;
  /** File with a KubeSchedulerConfiguration, in place of what the cluster's settings say. */
  readonly schedulerConfig?: string | undefined;
}

/** Runs the store, API server, controllers and scheduler of a cluster until the signal is aborted. */
export async function runServer(
  target: ServerOptions,
  effects: ServerEffects & { readonly processes: Processes },
  signal: AbortSignal,
): Promise<void> {
  const paths = clusterPaths(target.home, target.name);
  const [settings, pki] = await Promise.all([readSettings(paths), readPki(paths.pki)]);
  if (settings === undefined || pki === undefined) {
    throw new ClusterError("NO_CLUSTER", `there is no cluster "${target.name}" below ${target.home}`);
  }
  const { clock, logger } = effects;
  await using store = await openStore(settings, paths, { clock, logger: logger.named("store") });
  await using background = new Background({ logger });
  background.run("compaction", (stop) =>
    compactPeriodically(store, { clock, logger, signal: stop, intervalMs: compactionIntervalMs }),
  );
  background.run("memory", (stop) => collectWhenIdle(clock, stop));
  background.run("watching the supervisor", (stop) => keepSupervisor(target, { ...effects, paths }, stop));
  const auditPaths = { policy: paths.auditPolicy, log: join(paths.logs, "audit.log") };
  const operation = operationOptions(settings.apiServerFlags ?? {});
  await using auditLog = await openAuditLog(auditPaths, operation.audit, effects);
  const identity = await identityOf(settings, pki, effects);
  const admission = await admissionOf(settings);
  const { schedulerConfig = settings.schedulerConfig } = target;
  const named = schedulerConfig === undefined ? {} : { schedulerConfig };
  const schedulerConfiguration = await readSchedulerConfiguration(named, paths);
  const server: Server = {
    ...effects,
    admission,
    settings,
    pki,
    pkiFolder: paths.pki,
    root: paths.root,
    paths,
    store,
    identity,
    operation,
    auditLog,
    schedulerConfiguration,
    simulated: {},
    scheduling: { source: undefined },
    controllers: { running: undefined },
    tokens: new TokenTracking(),
  };
  const readiness = { bootstrapped: false };
  const { tokens } = server;
  await using api = await openApi(server, readiness);
  await api.listen({
    host: "0.0.0.0",
    port: settings.apiPort,
    tls: { key: pki.apiServer.key, cert: pki.apiServer.certificate, ca: pki.authority },
    frontProxyAuthority: pki.frontProxyAuthority,
    goAwayChance: operation.goAwayChance,
  });
  logger.info("the API server listens", { port: settings.apiPort });
  const client = createClient(api.transport(component("system:apiserver")));
  await createBootstrapObjects(client, settings, signal);
  await holdServiceCidr(client, clock, signal);
  readiness.bootstrapped = true;
  const address = { ip: settings.nodeIp, port: settings.apiPort };
  const own = { client, address, clock, random: systemRandom, logger };
  background.run("definitions of snapshots", (stop) => defineSnapshots(client, stop));
  const { authority } = pki;
  background.run("what joining takes", (stop) => createJoiningObjects(client, { settings, authority }, stop));
  background.run("this server's lease", (stop) => keepIdentityLease(own, stop));
  background.run("the use of tokens", (stop) => tokens.run(own, stop));
  background.run("leases of former servers", (stop) => removeExpiredLeases(own, stop));
  if (store.isShared) background.run("the list of servers", (stop) => keepAmongServers({ ...own, store }, stop));
  await using stack = new AsyncDisposableStack();
  await runComponents(server, api, stack, signal);
  logger.info("stopping");
}

/** Most clusters say nothing about who may ask, and need not load what would read it. */
async function identityOf(settings: ClusterSettings, pki: Pki, effects: ServerEffects): Promise<IdentityOptions> {
  const issuer = `https://kubernetes.default.svc.${settings.clusterDomain}`;
  const defaults = { issuer, privateKey: pki.serviceAccountKey };
  const { apiServerFlags: flags } = settings;
  if (flags === undefined) return { serviceAccounts: defaults, anonymous: true };
  const { identityOptions } = await import("../identity/identity-options.ts");
  return await identityOptions(defaults, { flags, ...effects });
}

async function admissionOf({ apiServerFlags: flags }: ClusterSettings): Promise<AdmissionChoice> {
  if (flags === undefined) return {};
  const { admissionOptions } = await import("../admission/admission-options.ts");
  return await admissionOptions(flags);
}

function openApi(server: Server, readiness: { readonly bootstrapped: boolean }): Promise<ApiServer> {
  const { settings, pki, store, identity, clock, logger } = server;
  return createApiServer({
    store,
    clock,
    random: systemRandom,
    logger: logger.named("api"),
    shutdownDelayMs: server.operation.shutdownDelayMs,
    resources: servedResources(server.operation.runtimeConfig),
    parts: (table) => {
      const nodes = kubeletConnector(table, pki);
      return standardParts({
        table,
        clock,
        random: systemRandom,
        logger: logger.named("api"),
        gitVersion,
        descriptions: readDescriptions,
        ...identity,
        admission: server.admission,
        nodes: connectorWith(server.simulated, nodes),
        usage: usageWith(server.simulated, kubeletUsage(nodes, clock)),
        onTokenUse: (use) => server.tokens.note(use),
        workQueues: () => server.controllers.running?.stats() ?? [],
        scheduling: (pod) => server.scheduling.source?.(pod),
        frontProxy: pki.frontProxyClient,
        maxRequestsInFlight: server.operation.maxRequestsInFlight,
        ...(server.auditLog === undefined ? {} : { audit: server.auditLog.options }),
        requestHeader: { allowedNames: [frontProxyName] },
        serviceCidr: settings.serviceCidr,
        nodePorts: settings.nodePorts,
        serverAddress: `${settings.nodeIp}:${settings.apiPort}`,
        isBootstrapped: () => readiness.bootstrapped,
        revision: () => store.revision,
        storeAnswers: () => store.sync(),
        isStoreShared: store.isShared,
        paths: snapshotRoutes(store, server.root),
      });
    },
  });
}
