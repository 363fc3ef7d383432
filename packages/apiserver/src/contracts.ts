/**
 * The seams inside the API server. A request is a straight line (authenticate → authorize → route → decode → default →
 * admit → validate → commit → encode) and each step knows the others only by these interfaces.
 */
import type { Duplex } from "node:stream";
import type { KubeObject, ObjectRef, RequestPath, ResourceDefinition, WatchEvent } from "@skiff/api";
import type { JsonObject } from "@skiff/base";

/** Who is asking, as authentication found out (and impersonation changed). */
export interface UserInfo {
  readonly name: string;
  readonly uid?: string;
  readonly groups: readonly string[];
  readonly extra?: Readonly<Record<string, readonly string[]>>;
}

/** A client's certificate that the handshake has verified. */
export interface ClientCertificate {
  readonly commonName: string;
  readonly organizations: readonly string[];
  /** SHA-256 of the whole certificate, in hexadecimal digits. */
  readonly fingerprint: string;
  /** Epoch milliseconds: connections outlive certificates. */
  readonly expiresMs: number;
  /** It stands for a proxy in front of the API server, which says in headers whom it asks for. */
  readonly isFrontProxy: boolean;
}

/** The verbs of authorization, RBAC and audit. */
export type ApiVerb =
  | "get"
  | "list"
  | "watch"
  | "create"
  | "update"
  | "patch"
  | "delete"
  | "deletecollection"
  | "connect";

/** What a request for many objects is confined to, as the query has it. */
export interface RequestSelectors {
  readonly fieldSelector?: string;
  readonly labelSelector?: string;
}

/** A request for objects of a resource. */
export type ResourceRequest = { readonly kind: "resource"; readonly verb: ApiVerb } & RequestPath & RequestSelectors;

/** What a request's line and query ask for, before anything is decoded. */
export type RequestInfo =
  | ResourceRequest
  /** Discovery, OpenAPI, health, metrics, version. `verb` is the HTTP method in lower case. */
  | { readonly kind: "path"; readonly verb: string; readonly path: string };

/**
 * One HTTP request with its response, the same for HTTP/1.1 and HTTP/2. Handlers answer by exactly one of `respond`,
 * `stream`, `upgrade`, or by throwing (a `StatusError` becomes its status, anything else a 500).
 */
export interface Exchange {
  readonly method: string;
  /** Decoded path without the query. */
  readonly path: string;
  /** Path and query as sent. */
  readonly url: string;
  readonly query: URLSearchParams;
  /** Names in lower case; the values of repeated ones with commas between them. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** The values of a header as they were sent, for those that may be repeated and whose values may have commas. */
  headerValues(name: string): readonly string[];
  readonly remoteAddress: string;
  readonly protocol: "http/1.1" | "h2";
  /** The verified client certificate's subject, where one was shown. */
  readonly clientCertificate: ClientCertificate | undefined;
  /** Aborted when the client goes away or the server stops. */
  readonly signal: AbortSignal;
  /** The body, at most `limitBytes` (else `StatusError` 413). */
  body(limitBytes: number): Promise<Buffer>;
  /** The body as it comes, for proxies. */
  bodyStream(): import("node:stream").Readable;
  /** Notes something of the request for the audit log, where there is one. */
  readonly annotate?: ((key: string, text: string) => void) | undefined;
  /** Adds a response header; repeated names (`warning`) accumulate. */
  setHeader(name: string, value: string): void;
  respond(response: {
    readonly status: number;
    readonly contentType: string;
    readonly body: Uint8Array | string;
  }): void;
  /** A response of unknown length, written piece by piece. `write` gives false when the client is slower than the writer. */
  stream(head: { readonly status: number; readonly contentType: string }): ResponseStream;
  /** Takes the connection over after an HTTP/1.1 `Upgrade` request; `head` is what the client already sent beyond it. */
  upgrade(): { readonly socket: Duplex; readonly head: Buffer };
}

export interface ResponseStream {
  write(chunk: Uint8Array | string): boolean;
  /** Resolves when a slow client has caught up. */
  drained(): Promise<void>;
  /** Breaks off, whatever is still on its way: for a client that does not read. */
  abort(): void;
  /** What a client has not taken `withinMs` later, where that is given, it will not get any more. */
  end(withinMs?: number): void;
}

/** Finds out who asks. */
export interface Authenticator {
  /**
   * `undefined`: no credentials that this one knows. Throws `StatusError` 401 for credentials that are wrong. A promise
   * only where there is something to wait for.
   */
  authenticate(
    exchange: Pick<Exchange, "headers" | "headerValues" | "clientCertificate" | "path">,
    request: RequestInfo,
  ): Promise<UserInfo | undefined> | UserInfo | undefined;
}

export interface AuthorizationRequest {
  readonly user: UserInfo;
  readonly request: RequestInfo;
}

export type Decision =
  | { readonly kind: "allowed"; readonly reason: string }
  | { readonly kind: "denied"; readonly reason: string }
  | { readonly kind: "noOpinion"; readonly reason: string };

export interface Authorizer {
  authorize(request: AuthorizationRequest): Decision | Promise<Decision>;
}

/** The full name of a kind: `apps/v1` `Deployment`. */
export type KindName = Pick<ResourceDefinition, "group" | "version" | "kind">;

/** What admission sees. `object` may be changed by `admit`, by nobody in `validate`. */
export interface AdmissionRequest {
  readonly operation: "CREATE" | "UPDATE" | "DELETE" | "CONNECT";
  /** What the client asked for, in the version that it asked for. */
  readonly resource: ResourceDefinition;
  readonly subresource: string | undefined;
  /** The kind of `object` and `oldObject`: the resource's, or that of the subresource (`Scale`, `PodExecOptions`). */
  readonly kind: KindName;
  readonly namespace: string | undefined;
  /** Empty for an object whose name the server is still to make. */
  readonly name: string;
  /** Absent for DELETE. Options of a connection (`PodExecOptions`) have no metadata in truth: theirs is empty. */
  readonly object: KubeObject | undefined;
  readonly oldObject: KubeObject | undefined;
  readonly user: UserInfo;
  readonly dryRun: boolean;
  /** `CreateOptions`, `UpdateOptions`, `DeleteOptions` of the request; `undefined` for CONNECT. Made when asked for. */
  options(): JsonObject | undefined;
  /** Shown to the client as `Warning` headers. */
  warn(text: string): void;
  /** Goes into the audit log, where there is one. */
  readonly annotate?: ((key: string, text: string) => void) | undefined;
}

/**
 * One of the at most two rounds in which plugins change an object: when the first leaves a change that others have to see,
 * all of them have a second look.
 */
export interface AdmissionRound {
  /** True in the second. */
  readonly again: boolean;
  /** Asks for a second round. */
  requireAgain(): void;
}

/** One admission plugin. Refuses by throwing `StatusError`. */
export interface AdmissionPlugin {
  readonly name: string;
  /** It is asked about these only, in whatever version; absent: about all. */
  readonly resources?: readonly Pick<ResourceDefinition, "group" | "plural">[];
  handles(request: AdmissionRequest): boolean;
  admit?(request: AdmissionRequest, round: AdmissionRound): Promise<void> | void;
  validate?(request: AdmissionRequest): Promise<void> | void;
}

/** Options of a write, decoded from the query or from `DeleteOptions`. */
export interface WriteContext {
  readonly user: UserInfo;
  readonly fieldManager: string;
  readonly dryRun: boolean;
  readonly fieldValidation: "Strict" | "Warn" | "Ignore";
  warn(text: string): void;
  /** Goes into the audit log, where there is one. */
  readonly annotate?: ((key: string, text: string) => void) | undefined;
  /** The request that was authorized, where more is to be asked in its name. Absent: who writes may. */
  readonly request?: ResourceRequest;
  /** Asked where a write that is no creation by its verb makes a new object. Throws 403. Absent: who writes may. */
  authorizeCreate?(): Promise<void>;
}

export interface DeleteRequest {
  readonly gracePeriodSeconds?: number;
  readonly propagationPolicy?: "Foreground" | "Background" | "Orphan";
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string };
}

/** Something done to an object beside storing it: a connection, an eviction, a token. Admission decides on it. */
export type AdmissionAction = Pick<
  AdmissionRequest,
  "operation" | "subresource" | "kind" | "namespace" | "name" | "object" | "oldObject"
>;

/** A selection of objects: parsed selectors and place. */
export interface Selection {
  readonly namespace: string | undefined;
  /** Undefined selectors select all. */
  readonly labels: ((labels: Readonly<Record<string, string>>) => boolean) | undefined;
  readonly fields: ((object: KubeObject) => boolean) | undefined;
}

/**
 * All that is stored of one resource. Objects handed out are shared and frozen. The generic verbs (`verbs/`) and the
 * subresources (`subresources/`) work on this and on nothing below it.
 */
export interface ResourceStorage<T extends KubeObject = KubeObject> {
  readonly resource: ResourceDefinition<T>;
  /** Newest state. Throws 404. */
  get(ref: ObjectRef): Promise<T>;
  /** From the watch cache, without I/O: for admission, authorization and metrics. */
  peek(ref: ObjectRef): T | undefined;
  peekAll(namespace?: string): readonly T[];
  /** What watches over HTTP were told so far. */
  readonly told: { readonly events: number };
  /** How many objects there are, in all or in a namespace. */
  count(namespace?: string): number;
  /** Lets plugins change and look at the action's object. Throws what a plugin refuses with. */
  admit(action: AdmissionAction, context: WriteContext): Promise<void>;
  /** While this stays the same, so does all that `peek` and `peekAll` give: what was made of it may be kept. */
  readonly lastRevision: number;
  /** The whole line of a creation: defaults, admission, validation, commit. */
  create(object: KubeObject, context: WriteContext): Promise<T>;
  /**
   * Reads, lets `change` make the new object, runs the line of an update and commits; starts over when somebody else was
   * faster, unless the new object carries a resourceVersion that is now stale (409). `subresource` decides what may change;
   * with `admitted`, admission has decided already, on something else than the object (see `admit`). With `asIs` the change is the
   * server's own, which makes what is valid of what was, in a new object: no rule is asked, and the fields become nobody's.
   */
  modify(
    ref: ObjectRef,
    change: (current: T) => T | Promise<T>,
    context: WriteContext & { readonly subresource?: string; readonly admitted?: boolean; readonly asIs?: boolean },
  ): Promise<T>;
  /**
   * Server-side apply of a configuration, by a subresource that shows only a part of the object: admission has decided on
   * that part already (see `admit`).
   */
  apply(
    ref: ObjectRef,
    application: { readonly config: JsonObject; readonly force: boolean },
    context: WriteContext & { readonly subresource: string },
  ): Promise<T>;
  /** Deletes, or marks for deletion while grace period and finalizers hold it. */
  delete(
    ref: ObjectRef,
    request: DeleteRequest,
    context: WriteContext & { readonly admitted?: boolean },
  ): Promise<{ readonly object: T; readonly gone: boolean }>;
}

/** Every resource that is served, built-in or custom, by its place. */
export interface ResourceTable {
  /** Grows whenever a resource comes, goes, or is replaced. */
  readonly version: number;
  /** `undefined`: nothing is served there. */
  find(place: {
    readonly group: string;
    readonly version: string;
    readonly plural: string;
  }): ResourceStorage | undefined;
  byKind(place: {
    readonly group: string;
    readonly version: string;
    readonly kind: string;
  }): ResourceStorage | undefined;
  all(): readonly ResourceStorage[];
  /** Storage of a kind that the caller knows the type of. Asserts that it is served. */
  of<T extends KubeObject>(resource: ResourceDefinition<T>): ResourceStorage<T>;
}

/** Answers requests for a path or a subresource. */
export type Handler = (exchange: Exchange, request: RequestInfo, user: UserInfo) => Promise<void>;

/** Handlers of one subresource of one resource (`pods/exec`), where the generic status and object verbs do not serve. */
export interface SubresourceHandler {
  /** What a resource that is never stored answers; creations where absent. */
  readonly verbs?: readonly ApiVerb[];
  /** Not one of Kubernetes' own: no resource lists it, and it can only be read. */
  readonly unlisted?: true;
  /** `undefined` where the caller is in process: then only `handleObject` can serve it. */
  readonly handle: Handler;
  /** For bodies in, bodies out (`binding`, `eviction`, `scale`, `token`): the same without HTTP. */
  readonly handleObject?: (call: {
    readonly verb: ApiVerb;
    readonly ref: ObjectRef;
    readonly body: JsonObject | undefined;
    readonly context: WriteContext;
  }) => Promise<JsonObject>;
}

/** A watch event that knows its encoded form, so that it is serialised once whatever the number of watchers. */
export interface EncodedEvent {
  readonly event: WatchEvent;
  /** `{"type":…,"object":…}` and a line end. */
  json(): Uint8Array;
}
