import type { Descriptions } from "@skiff/api";
import type { Clock, Logger, Random } from "@skiff/base";
import type { AdmissionChoice } from "./admission/plugin-choice.ts";
import type { Aggregation } from "./aggregation/aggregation.ts";
import type { Asking } from "./aggregation/ask.ts";
import type { FrontProxy } from "./aggregation/front-proxy.ts";
import type { ServiceAllocation } from "./allocation/service-allocation.ts";
import type { Audit, AuditOptions } from "./audit/audit.ts";
import type { AnonymousRule } from "./authentication/request-authenticator.ts";
import type { RequestHeaderOptions } from "./authentication/request-header.ts";
import type { TokenUse } from "./authentication/service-account-tokens.ts";
import type { TokenAuthenticator } from "./authentication/token-authenticator.ts";
import type { AccessAuthorizer } from "./authorization/access.ts";
import type {
  AdmissionPlugin,
  Authenticator,
  Handler,
  ResourceTable,
  SubresourceHandler,
  UserInfo,
} from "./contracts.ts";
import type { FlowControl } from "./fairness/flow-control.ts";
import type { MetricsApi } from "./metrics-api/metrics-api.ts";
import type { UsageSource } from "./metrics-api/usage.ts";
import type { AdmissionSteps } from "./observe/admission-steps.ts";
import type { RequestMetrics } from "./observe/request-metrics.ts";
import type { NamedQueue } from "./observe/work-queue-text.ts";
import type { NodeConnector } from "./subresources/node-connector.ts";
import type { SchedulingSource } from "./subresources/pod-scheduling.ts";
import type { ServiceConnector } from "./webhooks/service-connector.ts";
import type { WebhookClient } from "./webhooks/webhook-client.ts";

/** What the standard parts of an API server are made of. */
export interface StandardPartsOptions {
  readonly table: ResourceTable;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** `v1.36.0+skiff.0.1.0`. */
  readonly gitVersion: string;
  /** What fields are for, as the published documents tell it; asked for once, when somebody wants to know. */
  readonly descriptions?: () => Promise<Descriptions | undefined>;
  readonly serviceAccounts: {
    /** `https://kubernetes.default.svc.cluster.local`. */
    readonly issuer: string;
    /** PEM of the key (RSA or ECDSA) that signs tokens. */
    readonly privateKey: string;
    /** PEM of further keys, public or private, whose tokens are good: those before a rotation, and those to come. */
    readonly verificationKeys?: readonly string[];
    /** Issuers whose tokens are good beside `issuer`'s. */
    readonly otherIssuers?: readonly string[];
    /** What tokens for the API server are for; its issuer where absent. */
    readonly audiences?: readonly string[];
    /** Where others find the keys; below the issuer where absent. */
    readonly jwksUri?: string;
  };
  /** Further kinds of bearer tokens. */
  readonly tokenAuthenticators?: readonly TokenAuthenticator[];
  /** Who decides, in this order; `system:masters` may do everything before. `Node` and `RBAC` where absent. */
  readonly authorizers?: readonly ("Node" | "RBAC" | AccessAuthorizer)[];
  /** Bearer tokens that are known by themselves. */
  readonly staticTokens?: ReadonlyMap<string, UserInfo>;
  /** Whether requests without credentials are those of `system:anonymous`; refused with 401 otherwise. */
  readonly anonymous: AnonymousRule;
  /** Whom the listener's front proxies may be; absent: they speak for nobody. */
  readonly requestHeader?: RequestHeaderOptions;
  readonly nodes: NodeConnector;
  /** Why pods are where they are; absent: nobody says. */
  readonly scheduling?: SchedulingSource;
  /** Where the figures of the metrics API come from; absent: the API is not served. */
  readonly usage?: UsageSource;
  /** What aggregated API servers are shown, so that they take this server's word for who asks. */
  readonly frontProxy?: FrontProxy;
  /** Which admission plugins are on; those that Kubernetes has on where absent. */
  readonly admission?: AdmissionChoice;
  /** How Services of webhooks and aggregated API servers are reached; straight to a ready endpoint where absent. */
  readonly services?: ServiceConnector;
  /** `10.0.0.1:6443`, as `/api` tells it. */
  readonly serverAddress?: string;
  /** IPv4 network of Service addresses: `10.96.0.0/16`. */
  readonly serviceCidr: string;
  /** First and last NodePort. */
  readonly nodePorts: readonly [number, number];
  /** Whether other servers write to the same store. */
  readonly isStoreShared?: boolean;
  /** Whether the objects that every cluster has were made; until then the server is not ready. Absent: there are none. */
  readonly isBootstrapped?: () => boolean;
  /** How many requests may go on at once before others wait; 600 where absent. */
  readonly maxRequestsInFlight?: number;
  /** What is written down of requests, and where; nothing where absent. */
  readonly audit?: AuditOptions;
  /** Resolves when the store answers, for the checks of health. */
  readonly storeAnswers?: () => Promise<void>;
  /** Newest revision of the store, for `/metrics`. */
  readonly revision?: () => number;
  /** Hears of tokens in Secrets that are used, where that is not noted down for the day. */
  readonly onTokenUse?: (use: TokenUse) => void;
  /** Queues of control loops in this process, for `/metrics`. */
  readonly workQueues?: () => readonly NamedQueue[];
  /** Further paths outside resources. */
  readonly paths?: readonly PathRoute[];
}

/** Handler of a path outside resources. `prefix`: of all paths below it too. */
export interface PathRoute {
  readonly path: string;
  readonly match: "exact" | "prefix";
  /** True for paths that `/` does not tell of. */
  readonly isUnlisted?: boolean;
  readonly handle: Handler;
}

/** Whether the server is about to stop: it is not ready any more then, but answers for as long as it is asked. */
export interface Lifecycle {
  isStopping: boolean;
}

/** Everything that plugs into the request's line. */
export interface StandardParts {
  /** Certificates, tokens, anonymous; impersonation is done too. Gives `undefined` where 401 is due. */
  readonly authenticator: Authenticator;
  readonly authorizer: AccessAuthorizer;
  /** In the order in which they run. */
  readonly admission: readonly AdmissionPlugin[];
  /** Times them. */
  readonly admissionSteps: AdmissionSteps;
  /** The first that matches answers. Paths carry no trailing slash: strip it before matching. */
  readonly paths: readonly PathRoute[];
  /** By `pods/exec`, `deployments.apps/scale`. */
  readonly subresources: ReadonlyMap<string, SubresourceHandler>;
  /** Resources that are never stored, by `subjectaccessreviews.authorization.k8s.io` and `bindings`: they answer `create`. */
  readonly virtualResources: ReadonlyMap<string, SubresourceHandler>;
  /** Addresses and node ports of Services. Storage calls it around commits of Services. */
  readonly allocation: ServiceAllocation;
  readonly metrics: RequestMetrics;
  readonly lifecycle: Lifecycle;
  readonly audit: Audit;
  /** Who may go on at once, and who waits. */
  readonly flowControl: FlowControl;
  /** Groups and versions that other servers answer. */
  readonly aggregation: Aggregation;
  /** Asks those servers in this server's own name. */
  readonly asking: Asking;
  /** What nodes and pods use, where it is measured. */
  readonly metricsApi: MetricsApi | undefined;
  /** Calls webhooks of every sort. */
  readonly webhooks: WebhookClient;
}
