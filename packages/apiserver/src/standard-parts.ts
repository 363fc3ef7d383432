import { PolicyMetrics } from "./admission/policies/policy-metrics.ts";
import { webhookConditions } from "./admission/policies/webhook-conditions.ts";
import { standardAdmission } from "./admission/standard-admission.ts";
import { WebhookMetrics } from "./admission/webhooks/webhook-metrics.ts";
import { Aggregation } from "./aggregation/aggregation.ts";
import { aggregationMetrics } from "./aggregation/aggregation-metrics.ts";
import { Asking } from "./aggregation/ask.ts";
import { MergedDiscovery } from "./aggregation/merged-discovery.ts";
import { MergedOpenApi } from "./aggregation/merged-openapi.ts";
import { RemoteDocuments } from "./aggregation/remote-documents.ts";
import { ServiceAllocator } from "./allocation/service-allocator.ts";
import { Audit } from "./audit/audit.ts";
import { authenticationReviews } from "./authentication/reviews.ts";
import type { TokenKeys } from "./authentication/token-keys.ts";
import { accessReviews } from "./authorization/reviews.ts";
import { Catalog } from "./discovery/catalog.ts";
import { discoveryRoutes } from "./discovery/discovery-routes.ts";
import { flowControlRoutes } from "./fairness/debug-routes.ts";
import { FlowControl } from "./fairness/flow-control.ts";
import { flowControlMetrics } from "./fairness/flow-control-metrics.ts";
import { identityParts } from "./identity-parts.ts";
import { MetricsApi } from "./metrics-api/metrics-api.ts";
import { AdmissionSteps } from "./observe/admission-steps.ts";
import { always, basicChecks, healthRoutes, shutdownCheck, storeCheck } from "./observe/health.ts";
import { metricsRoute } from "./observe/metrics-route.ts";
import { head, line } from "./observe/metrics-text.ts";
import { objectMetrics } from "./observe/object-metrics.ts";
import { openIdRoutes } from "./observe/openid-routes.ts";
import { RequestMetrics } from "./observe/request-metrics.ts";
import { slisRoute } from "./observe/slis-route.ts";
import { startHooks } from "./observe/start-hooks.ts";
import { versionRoute } from "./observe/version.ts";
import { workQueueText } from "./observe/work-queue-text.ts";
import { openApiRoutes } from "./openapi/openapi-routes.ts";
import { rootRoute } from "./route-paths.ts";
import type { Lifecycle, PathRoute, StandardParts, StandardPartsOptions } from "./standard-parts-options.ts";
import { bindings, podBinding } from "./subresources/binding.ts";
import { type Components, componentStatuses } from "./subresources/component-statuses.ts";
import { podEviction } from "./subresources/eviction.ts";
import { namespaceFinalize } from "./subresources/namespace-finalize.ts";
import { podLog } from "./subresources/pod-log.ts";
import { podScheduling } from "./subresources/pod-scheduling.ts";
import { podStreams } from "./subresources/pod-streams.ts";
import { proxies } from "./subresources/proxies.ts";
import { scales } from "./subresources/scale.ts";
import { serviceAccountToken } from "./subresources/service-account-token.ts";
import { endpointConnector } from "./webhooks/service-connector.ts";
import { WebhookClient } from "./webhooks/webhook-client.ts";

export type { EventLimit } from "./admission/optional/event-rate-limit.ts";
export type { NodeSelectors } from "./admission/optional/pod-node-selector.ts";
export { type TolerationDefaults, tolerationsOf } from "./admission/optional/pod-toleration-restriction.ts";
export { type AdmissionChoice, admissionPlugins } from "./admission/plugin-choice.ts";
export {
  type NamespacePolicy,
  namespacePolicy,
  privilegedPolicy,
} from "./admission/pod-security/namespace-policy.ts";
export type { PodSecurityConfiguration } from "./admission/pod-security/pod-security.ts";
export type { FrontProxy } from "./aggregation/front-proxy.ts";
export type { ServiceAllocation } from "./allocation/service-allocation.ts";
export type { AuditOptions } from "./audit/audit.ts";
export { AuditWebhook } from "./audit/audit-webhook.ts";
export type { AuditSink } from "./audit/audited.ts";
export { AuditPolicy, AuditPolicyError } from "./audit/policy.ts";
export { accountTokenIssuer } from "./authentication/legacy-token-claims.ts";
export { userOfClaims } from "./authentication/oidc/claims-user.ts";
export type { ClaimMapping, ClaimsExpression, JwtIssuer, Rule } from "./authentication/oidc/jwt-issuer.ts";
export { oidcTokens } from "./authentication/oidc/lazy-oidc-tokens.ts";
export type { AnonymousRule } from "./authentication/request-authenticator.ts";
export type { TokenUse } from "./authentication/service-account-tokens.ts";
export type { TokenAuthenticator, TokenOutcome } from "./authentication/token-authenticator.ts";
export { parseTokenFile } from "./authentication/token-file.ts";
export { webhookTokens } from "./authentication/webhook-tokens.ts";
export { type AccessAuthorizer, type AccessRequest, forbidden } from "./authorization/access.ts";
export * from "./authorization/bootstrap/bootstrap-objects.ts";
export * from "./authorization/bootstrap/reconcile.ts";
export { WebhookAuthorizer } from "./authorization/webhook-authorizer.ts";
export { kubeletUsage } from "./metrics-api/kubelet-usage.ts";
export type { ContainerUsage, NodeUsage, UsagePoint, UsageSource } from "./metrics-api/usage.ts";
export { RequestMetrics } from "./observe/request-metrics.ts";
export { findRoute } from "./route-paths.ts";
export type { PathRoute, StandardParts, StandardPartsOptions } from "./standard-parts-options.ts";
export type { NodeConnector, NodeEndpoint } from "./subresources/node-connector.ts";
export type { SchedulingSource } from "./subresources/pod-scheduling.ts";
export { statusNodeConnector } from "./subresources/status-node-connector.ts";
export type { RemoteServer } from "./webhooks/remote-server.ts";
export type { ServiceConnector, ServiceTarget } from "./webhooks/service-connector.ts";
export { WebhookClient } from "./webhooks/webhook-client.ts";

const auditHelp = "Events that were written to the audit log.";

/** The parts that every Skiff API server has. */
export function standardParts(options: StandardPartsOptions): StandardParts {
  const { table, clock, random, logger, nodes } = options;
  const { issuer } = options.serviceAccounts;
  const { keys, audiences, tokens, authenticator, authorizer, rbac } = identityParts(options);
  const metrics = new RequestMetrics();
  const services = options.services ?? endpointConnector(table, random);
  const webhooks = new WebhookClient({ services, clock });
  const webhookMetrics = new WebhookMetrics();
  const { usage } = options;
  const metricsApi = usage && new MetricsApi({ table, source: usage, clock, logger: logger.named("metrics") });
  const builtIn = metricsApi === undefined ? [] : [metricsApi];
  const aggregation = new Aggregation({ table, services, frontProxy: options.frontProxy, logger, builtIn });
  const asking = new Asking({ aggregation, table, clock });
  const { maxRequestsInFlight: seats } = options;
  const flowControl = new FlowControl({ table, clock, ...(seats === undefined ? {} : { seats }) });
  const policyMetrics = new PolicyMetrics();
  const admissionSteps = new AdmissionSteps(clock);
  const others = [
    policyMetrics,
    webhookMetrics,
    { text: () => flowControlMetrics(flowControl) },
    { text: () => objectMetrics(table) },
    { text: () => aggregationMetrics(aggregation) },
    admissionSteps,
    {
      text: () =>
        head("apiserver_audit_event_total", "counter", auditHelp) +
        line("apiserver_audit_event_total", {}, audit.events),
    },
  ];
  const lifecycle = { isStopping: false };
  const audit = new Audit(options.audit, clock, random);
  return {
    authenticator,
    authorizer,
    admission: standardAdmission({
      table,
      clock,
      random,
      escalation: { authorizer, rbac },
      policyMetrics,
      choice: options.admission,
      webhooks: { client: webhooks, metrics: webhookMetrics, conditions: webhookConditions({ table, authorizer }) },
    }),
    paths: pathRoutes({ options, keys, metrics, aggregation, asking, flowControl, lifecycle, others }),
    subresources: new Map([
      ...podStreams(table, nodes),
      ...proxies(table, nodes, random),
      ...scales(table, clock),
      ["pods/log", podLog(table, nodes)],
      ["pods/scheduling", podScheduling(table, options.scheduling ?? (() => undefined))],
      ["pods/binding", podBinding(table, clock)],
      ["pods/eviction", podEviction(table, clock)],
      ["namespaces/finalize", namespaceFinalize(table)],
      ["serviceaccounts/token", serviceAccountToken({ table, keys, authorizer, issuer, audiences, clock, random })],
    ]),
    virtualResources: new Map([
      ...accessReviews(authorizer, rbac, table),
      ...authenticationReviews({ tokens, audiences }, clock, table),
      ["bindings", bindings(table, clock)],
      ["componentstatuses", componentStatuses(componentChecks(options), clock)],
    ]),
    allocation: new ServiceAllocator(options),
    metrics,
    flowControl,
    admissionSteps,
    lifecycle,
    audit,
    aggregation,
    asking,
    metricsApi,
    webhooks,
  };
}

/** The control plane's parts live in one process with this server; its store may not. */
const componentChecks = ({ clock, storeAnswers: answers }: StandardPartsOptions): Components => ({
  "controller-manager": () => {},
  scheduler: () => {},
  "etcd-0": () => storeCheck("etcd", { clock, answers }).check(),
});

function pathRoutes(parts: {
  readonly options: StandardPartsOptions;
  readonly keys: TokenKeys;
  readonly metrics: RequestMetrics;
  readonly others: readonly { text(): string }[];
  readonly aggregation: Aggregation;
  readonly asking: Asking;
  readonly flowControl: FlowControl;
  readonly lifecycle: Lifecycle;
}): readonly PathRoute[] {
  const { options } = parts;
  const { table, clock, gitVersion } = options;
  const catalog = new Catalog(table);
  const hooks = startHooks(options.isBootstrapped ?? (() => true));
  const store = { clock, answers: options.storeAnswers };
  const basic = [...basicChecks, storeCheck("etcd", store)];
  const alive = [...basic, ...hooks];
  const checks = {
    healthz: alive,
    livez: alive,
    readyz: [
      ...basic,
      storeCheck("etcd-readiness", store),
      always("informer-sync"),
      ...hooks,
      shutdownCheck(parts.lifecycle),
    ],
  };
  const sources = {
    requests: parts.metrics,
    revision: options.revision ?? (() => 0),
    startedMs: clock.now(),
    gitVersion,
    others: [...parts.others, { text: () => workQueueText(options.workQueues?.() ?? []) }],
  };
  const { aggregation } = parts;
  const remote = new RemoteDocuments(parts.asking, clock);
  const routes: readonly PathRoute[] = [
    ...(options.paths ?? []),
    ...discoveryRoutes(catalog, options.serverAddress ?? "", new MergedDiscovery(aggregation, remote)),
    ...openApiRoutes(
      catalog,
      gitVersion,
      { aggregation, merged: new MergedOpenApi(aggregation, remote) },
      options.descriptions,
    ),
    ...openIdRoutes(parts.keys, options.serviceAccounts),
    versionRoute(gitVersion),
    metricsRoute(sources),
    ...flowControlRoutes(parts.flowControl),
    slisRoute(checks),
    ...healthRoutes(checks),
  ];
  const listed = routes.filter(({ isUnlisted }) => isUnlisted !== true).map(({ path }) => path);
  return [...routes, rootRoute(() => [...allPaths(catalog), ...listed].sort())];
}

/** Paths of groups and versions, for `/`. */
function allPaths(catalog: Catalog): string[] {
  return catalog.groups().flatMap(({ group, versions }) => {
    const base = group === "" ? "/api" : `/apis/${group}`;
    return [...(group === "" ? [] : [base]), ...versions.map(({ version }) => `${base}/${version}`)];
  });
}
