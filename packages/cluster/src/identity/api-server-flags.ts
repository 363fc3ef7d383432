/** The options of kube-apiserver that a cluster knows, under their own names: who may ask, who decides, how it is operated. */

/** Values of options by name without dashes, as they were given. */
export type ApiServerFlags = Readonly<Record<string, readonly string[]>>;

/** One option of the command line. */
export interface ApiServerFlag {
  /** `oidc-issuer-url`. */
  readonly name: string;
  /** What stands for the value in the help: `file`, `url`. Files are made absolute, since another process reads them. */
  readonly value: "file" | "url" | "text" | "list" | "duration" | "boolean" | "number";
  readonly description: string;
  readonly repeats?: boolean;
}

const flag = (
  name: string,
  value: ApiServerFlag["value"],
  description: string,
  more: { readonly repeats?: boolean } = {},
): ApiServerFlag => ({ name, value, description, ...more });

const repeats = { repeats: true };

/** All of them, in the order of the help. */
export const apiServerFlags: readonly ApiServerFlag[] = [
  flag("admission-control-config-file", "file", "AdmissionConfiguration: how plugins are configured (PodSecurity)"),
  flag("anonymous-auth", "boolean", "let requests without credentials in as system:anonymous (true)"),
  flag("api-audiences", "list", "what tokens for the API server are for (its issuer)"),
  flag("audit-log-maxage", "number", "days for which files of the audit log are kept; 0 is for ever (0)"),
  flag("audit-log-maxbackup", "number", "how many full files of the audit log are kept; 0 is all (0)"),
  flag("audit-log-maxsize", "number", "megabytes at which a file of the audit log is full (100)"),
  flag("audit-log-path", "file", "where the audit log goes (audit.log among the cluster's logs)"),
  flag("audit-policy-file", "file", "what is written to the audit log (audit-policy.yaml of the cluster's folder)"),
  flag("audit-webhook-batch-max-wait", "duration", "how long events wait for others before they are sent (30s)"),
  flag("audit-webhook-config-file", "file", "kubeconfig of a server that events of the audit log are sent to"),
  flag("authentication-config", "file", "AuthenticationConfiguration: JWT issuers, anonymous requests"),
  flag("authentication-token-webhook-config-file", "file", "kubeconfig of a server that knows bearer tokens"),
  flag("authentication-token-webhook-cache-ttl", "duration", "how long its answers are remembered (2m)"),
  flag("authorization-mode", "list", "who decides, in order: Node, RBAC, Webhook, AlwaysAllow, AlwaysDeny (Node,RBAC)"),
  flag("authorization-config", "file", "AuthorizationConfiguration: who decides, in order"),
  flag("authorization-webhook-config-file", "file", "kubeconfig of a server that decides"),
  flag("authorization-webhook-cache-authorized-ttl", "duration", "how long its consent is remembered (5m)"),
  flag("authorization-webhook-cache-unauthorized-ttl", "duration", "how long its refusals are remembered (30s)"),
  flag("disable-admission-plugins", "list", "admission plugins that shall be off"),
  flag("enable-admission-plugins", "list", "admission plugins that shall be on beside the usual ones"),
  flag("goaway-chance", "number", "how often HTTP/2 clients are sent to another connection, 0 to 0.02 (0)"),
  flag("max-mutating-requests-inflight", "number", "added to the next (200)"),
  flag("max-requests-inflight", "number", "how many requests may go on at once (400)"),
  flag("oidc-issuer-url", "url", "issuer of ID tokens"),
  flag("oidc-client-id", "text", "what its tokens must be for"),
  flag("oidc-username-claim", "text", "claim that is the user's name (sub)"),
  flag("oidc-username-prefix", "text", "put before it; - for nothing (the issuer and #, nothing before email)"),
  flag("oidc-groups-claim", "text", "claim with the user's groups"),
  flag("oidc-groups-prefix", "text", "put before them"),
  flag("oidc-required-claim", "text", "KEY=VALUE that a token must say", repeats),
  flag("oidc-signing-algs", "list", "algorithms of its signatures (RS256)"),
  flag("oidc-ca-file", "file", "certificates of whom to trust as the issuer (the system's)"),
  flag("runtime-config", "list", "versions and resources to serve, as certificates.k8s.io/v1beta1=true", repeats),
  flag(
    "service-account-issuer",
    "url",
    "who issues tokens of service accounts; the tokens of further ones are good",
    repeats,
  ),
  flag("service-account-jwks-uri", "url", "where others find the keys of these tokens"),
  flag("service-account-key-file", "file", "further keys whose tokens are good", repeats),
  flag("service-account-signing-key-file", "file", "key that signs tokens (the cluster's own)"),
  flag("shutdown-delay-duration", "duration", "how long to answer on while not ready any more (0)"),
  flag("token-auth-file", "file", "CSV with token, user, uid and groups"),
];
