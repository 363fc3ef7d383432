import { join } from "node:path";
import {
  type ApiServer,
  accountTokenIssuer,
  createApiServer,
  standardParts,
  statusNodeConnector,
  type UserInfo,
} from "@skiff/apiserver";
import { aborted, Background, type Clock, describeError, isAbort, type Logger, systemRandom } from "@skiff/base";
import { createClient, createEventRecorder, createInformers } from "@skiff/client";
import { startControllers } from "@skiff/controllers";
import type { Processes } from "@skiff/host";
import { Scheduler } from "@skiff/scheduler";
import { compactionIntervalMs, compactPeriodically, type EmbeddedStore, openLmdbStore } from "@skiff/store";
import { createBootstrapObjects } from "../bootstrap/bootstrap-objects.ts";
import type { IdentityOptions } from "../identity/identity-options.ts";
import type { SelfCommand } from "../lifecycle/self-command.ts";
import { type OperationOptions, operationOptions } from "../operation/operation-options.ts";
import { frontProxyName, loadAuthority, type Pki, readPki } from "../pki/pki.ts";
import { clusterPaths } from "../settings/paths.ts";
import { ClusterError, type ClusterSettings, readSettings } from "../settings/settings.ts";
import { collectWhenIdle } from "../supervise/collect-when-idle.ts";
import { keepSupervisor } from "../supervise/keep-supervisor.ts";
import { gitVersion } from "../version.ts";
import { type AuditLog, openAuditLog } from "./audit-log.ts";
import { readDescriptions } from "./descriptions.ts";
import { markControlPlane } from "./mark-control-plane.ts";

interface ServerEffects {
  readonly clock: Clock;
  readonly logger: Logger;
}

interface Server extends ServerEffects {
  readonly settings: ClusterSettings;
  readonly pki: Pki;
  readonly pkiFolder: string;
  readonly identity: IdentityOptions;
  readonly store: EmbeddedStore;
  readonly operation: OperationOptions;
  readonly auditLog: AuditLog | undefined;
}

/** The cluster's own components: no request of theirs is refused. */
const component = (name: string): UserInfo => ({ name, groups: ["system:masters", "system:authenticated"] });

/** What the server process is told on its command line. */
export interface ServerOptions {
  readonly name: string;
  readonly home: string;
  readonly self: SelfCommand;
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
  await using store = await openLmdbStore({ folder: paths.store, clock, logger: logger.named("store") });
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
  const server: Server = { ...effects, settings, pki, pkiFolder: paths.pki, store, identity, operation, auditLog };
  const readiness = { bootstrapped: false };
  await using api = await openApi(server, readiness);
  await api.listen({
    host: "0.0.0.0",
    port: settings.apiPort,
    tls: { key: pki.apiServer.key, cert: pki.apiServer.certificate, ca: pki.authority },
    frontProxyAuthority: pki.frontProxyAuthority,
    goAwayChance: operation.goAwayChance,
  });
  logger.info("the API server listens", { port: settings.apiPort });
  await createBootstrapObjects(createClient(api.transport(component("system:apiserver"))), settings, signal);
  readiness.bootstrapped = true;
  await using stack = new AsyncDisposableStack();
  await startComponents(server, api, stack, signal);
  await aborted(signal);
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

function openApi(server: Server, readiness: { readonly bootstrapped: boolean }): Promise<ApiServer> {
  const { settings, pki, store, identity, clock, logger } = server;
  return createApiServer({
    store,
    clock,
    random: systemRandom,
    logger: logger.named("api"),
    shutdownDelayMs: server.operation.shutdownDelayMs,
    parts: (table) =>
      standardParts({
        table,
        clock,
        random: systemRandom,
        logger: logger.named("api"),
        gitVersion,
        descriptions: readDescriptions,
        ...identity,
        nodes: statusNodeConnector(table, {
          ca: pki.authority,
          cert: pki.apiServerKubeletClient.certificate,
          key: pki.apiServerKubeletClient.key,
        }),
        frontProxy: pki.frontProxyClient,
        maxRequestsInFlight: server.operation.maxRequestsInFlight,
        ...(server.auditLog === undefined ? {} : { audit: server.auditLog.options }),
        requestHeader: { allowedNames: [frontProxyName] },
        serviceCidr: settings.serviceCidr,
        nodePorts: settings.nodePorts,
        serverAddress: `${settings.nodeIp}:${settings.apiPort}`,
        readinessChecks: {
          "poststarthook/bootstrap": () => {
            if (!readiness.bootstrapped) throw new Error("not finished");
          },
        },
        revision: () => store.revision,
      }),
  });
}

/** Controllers and scheduler, each with a client of its own name; they share caches of what they watch. */
async function startComponents(
  { clock, logger, pki, pkiFolder, identity, settings }: Server,
  api: ApiServer,
  stack: AsyncDisposableStack,
  signal: AbortSignal,
): Promise<void> {
  const random = systemRandom;
  const client = createClient(api.transport(component("system:kube-controller-manager")));
  const informers = stack.use(createInformers({ client, clock, random, logger: logger.named("informers") }));
  stack.use(
    startControllers({
      client,
      informers,
      clock,
      random,
      logger: logger.named("controllers"),
      rootCertificate: pki.authority,
      extensionAuthentication: {
        clientAuthority: pki.authority,
        frontProxyAuthority: pki.frontProxyAuthority,
        frontProxyName,
      },
      checkDiscovery: (service, stop) => api.checkDiscovery(service, stop),
      issueAccountToken: accountTokenIssuer(identity.serviceAccounts.privateKey),
      certificateSigner: { sign: async (request) => (await loadAuthority(pkiFolder, clock)).certify(request) },
    }),
  );
  stack.use(markControlPlane(settings.nodeName, { client, informers, logger: logger.named("control-plane") }));
  const schedulerClient = createClient(api.transport(component("system:kube-scheduler")));
  const recorder = stack.use(
    createEventRecorder({ client: schedulerClient, component: "default-scheduler", clock, random, logger }),
  );
  const options = { client: schedulerClient, informers, recorder, clock, random, logger: logger.named("scheduler") };
  try {
    stack.use(await Scheduler.start(options, signal));
  } catch (error) {
    if (!isAbort(error, signal))
      throw new Error(`the scheduler does not start: ${describeError(error)}`, { cause: error });
  }
}
