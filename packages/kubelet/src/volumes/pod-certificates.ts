import {
  Nodes,
  type Pod,
  type PodCertificateProjection,
  type PodCertificateRequest,
  PodCertificateRequests,
  Pods,
  ServiceAccounts,
} from "@skiff/api";
import type { Clock, Random } from "@skiff/base";
import type { Client, EventRecorder } from "@skiff/client";
import { keyAndRequest } from "./key-and-request.ts";
import type { ReferencedObjects } from "./referenced-objects.ts";
import { VolumeFailure } from "./volume-plugin.ts";

export interface PodCertificatesOptions {
  readonly client: Client;
  readonly objects: ReferencedObjects;
  readonly recorder: EventRecorder;
  readonly nodeName: string;
  readonly clock: Clock;
  readonly random: Random;
}

/** A key with its certificates. Times in epoch milliseconds. */
interface Credentials {
  readonly keyPem: string;
  readonly chain: string;
  readonly refreshAtMs: number;
  readonly endsAtMs: number;
}

interface Asked {
  readonly name: string;
  readonly keyPem: string;
  /** A request that is gone by then was deleted; before, it may merely not be known here yet. */
  readonly abandonAtMs: number;
}

interface Held {
  readonly current?: Credentials | undefined;
  readonly asked?: Asked | undefined;
  /** Why there will be no certificate, ever. */
  readonly refused?: string | undefined;
  /** Events that were recorded about `current`. */
  readonly told: ReadonlySet<string>;
}

const abandonMs = 10 * 60_000;
const overdueMs = 10 * 60_000;
/** Refreshing is spread over so long: certificates of many pods are made at the same moment. */
const jitterMs = 5 * 60_000;
const lookAgainMs = 60_000;
const block = /-----BEGIN [^-]+-----([^-]+)-----END [^-]+-----/g;

/** Nothing but certificates, whatever stands between or before them. */
const cleaned = (chain: string): string =>
  [...chain.matchAll(block)]
    .map(([, base64 = ""]) => base64.replaceAll(/[^A-Za-z0-9+/=]/g, "").match(/.{1,64}/g) ?? [])
    .map((lines) => `-----BEGIN CERTIFICATE-----\n${lines.join("\n")}\n-----END CERTIFICATE-----\n`)
    .join("");

const timeOf = (text: string | undefined): number => (text === undefined ? 0 : Date.parse(text));

/**
 * Certificates of pods: a key for each projection, a request that somebody signs, and another of both when it is time.
 * https://kubernetes.io/docs/reference/access-authn-authz/certificate-signing-requests/#pod-certificate-requests
 */
export class PodCertificates {
  readonly #options: PodCertificatesOptions;
  readonly #held = new Map<string, Held>();

  constructor(options: PodCertificatesOptions) {
    this.#options = options;
  }

  /**
   * The key and its certificates (PEM) for the projection at `place`, as in `VOLUME/0`; and when to ask again (epoch
   * milliseconds). Throws `VolumeFailure` while there are none: the pod hears of it when that changes.
   */
  async get(
    pod: Pod,
    place: string,
    { source, signal }: { readonly source: PodCertificateProjection; readonly signal: AbortSignal },
  ): Promise<{ readonly keyPem: string; readonly chain: string; readonly refreshAtMs: number }> {
    const key = `${pod.metadata.uid} ${place}`;
    const { clock } = this.#options;
    let held = await this.#heard(pod, this.#held.get(key) ?? { told: new Set() }, signal);
    const isDue = held.current === undefined || clock.now() >= held.current.refreshAtMs;
    if (held.refused === undefined && held.asked === undefined && isDue) {
      this.#held.set(key, held);
      held = { ...held, asked: await this.#ask(pod, source, signal) };
      held = await this.#heard(pod, held, signal);
    }
    if (held.current !== undefined) held = this.#tellOfAge(pod, held, held.current);
    this.#held.set(key, held);
    if (held.refused !== undefined) throw new VolumeFailure(held.refused);
    if (held.current === undefined) throw new VolumeFailure("credential bundle is not issued yet");
    const { keyPem, chain, refreshAtMs } = held.current;
    return { keyPem, chain, refreshAtMs: held.asked === undefined ? refreshAtMs : clock.now() + lookAgainMs };
  }

  forget(uid: string): void {
    for (const key of this.#held.keys()) if (key.startsWith(`${uid} `)) this.#held.delete(key);
  }

  /** What has become of the request that is under way. */
  async #heard(pod: Pod, held: Held, signal: AbortSignal): Promise<Held> {
    const { asked } = held;
    if (asked === undefined) return held;
    const { objects, clock, nodeName } = this.#options;
    const { namespace, uid: owner } = pod.metadata;
    const ref = { namespace, name: asked.name };
    const request = await objects.get(PodCertificateRequests, ref, {
      owner,
      selector: `spec.nodeName=${nodeName}`,
      signal,
    });
    if (request === undefined && clock.now() <= asked.abandonAtMs) return held;
    const next = request === undefined ? { ...held, asked: undefined } : this.#outcome(pod, held, { asked, request });
    if (next.asked === undefined) objects.forget(PodCertificateRequests, ref, owner);
    return next;
  }

  #outcome(
    pod: Pod,
    held: Held,
    { asked, request }: { readonly asked: Asked; readonly request: PodCertificateRequest },
  ): Held {
    const { certificateChain = "", beginRefreshAt, notAfter, conditions = [] } = request.status ?? {};
    const { random } = this.#options;
    for (const { type, reason, message = "" } of conditions) {
      if (type === "Issued") {
        const refreshAtMs = timeOf(beginRefreshAt) + Math.floor(random.next() * jitterMs);
        const { keyPem } = asked;
        const current = { keyPem, chain: cleaned(certificateChain), refreshAtMs, endsAtMs: timeOf(notAfter) };
        return { current, told: new Set() };
      }
      if (type !== "Denied" && type !== "Failed") continue;
      const why = `reason=${JSON.stringify(reason)} message=${JSON.stringify(message)}`;
      const name = `${pod.metadata.namespace}/${asked.name}`;
      const verb = type === "Denied" ? "was denied" : "failed";
      this.#warn(pod, type, `PodCertificateRequest ${name} ${verb}, ${why.replace(" message", ", message")}`);
      return { refused: `PodCertificateRequest was permanently ${type.toLowerCase()}: ${why}`, told: held.told };
    }
    return held;
  }

  async #ask(pod: Pod, source: PodCertificateProjection, signal: AbortSignal): Promise<Asked> {
    const { client, nodeName, clock, random } = this.#options;
    const { namespace, name: podName, uid: podUID } = pod.metadata;
    const serviceAccountName = pod.spec.serviceAccountName ?? "default";
    const [account, node, { keyPem, request }] = await Promise.all([
      client.get(ServiceAccounts, { namespace, name: serviceAccountName }, { signal }),
      client.get(Nodes, { name: nodeName }, { signal }),
      keyAndRequest(source.keyType),
    ]);
    const { signerName, maxExpirationSeconds, userAnnotations } = source;
    const made = await client.create(
      PodCertificateRequests,
      {
        metadata: {
          namespace,
          generateName: "req-",
          ownerReferences: [{ apiVersion: "v1", kind: "Pod", name: podName, uid: podUID }],
        },
        spec: {
          signerName,
          podName,
          podUID,
          serviceAccountName,
          serviceAccountUID: account.metadata.uid,
          nodeName,
          nodeUID: node.metadata.uid,
          stubPKCS10Request: request.toString("base64"),
          ...(maxExpirationSeconds === undefined ? {} : { maxExpirationSeconds }),
          ...(userAnnotations === undefined ? {} : { unverifiedUserAnnotations: userAnnotations }),
        },
      },
      { signal },
    );
    const abandonAtMs = clock.now() + abandonMs + Math.floor(random.next() * jitterMs);
    return { name: made.metadata.name, keyPem, abandonAtMs };
  }

  /** Says, once each, that certificates should have been replaced by now, and that they have ended. */
  #tellOfAge(pod: Pod, held: Held, { refreshAtMs, endsAtMs }: Credentials): Held {
    const now = this.#options.clock.now();
    const due: string[] = [];
    if (now > refreshAtMs + overdueMs) due.push("CertificateOverdueForRefresh");
    if (now > endsAtMs) due.push("CertificateExpired");
    const news = due.filter((reason) => !held.told.has(reason));
    for (const reason of news)
      this.#warn(
        pod,
        reason,
        reason === "CertificateExpired" ? "PodCertificate expired" : "PodCertificate refresh overdue",
      );
    return news.length === 0 ? held : { ...held, told: new Set([...held.told, ...news]) };
  }

  #warn(pod: Pod, reason: string, message: string): void {
    this.#options.recorder.record(Pods, pod, { type: "Warning", reason, message });
  }
}
