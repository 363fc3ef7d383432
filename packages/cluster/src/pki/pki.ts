import { createPrivateKey, generateKeyPair, X509Certificate } from "node:crypto";
import { mkdir, readFile, rename } from "node:fs/promises";
import { isIP } from "node:net";
import { hostname } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Clock } from "@skiff/base";
import { writeFileAtomic } from "@skiff/host";
import { ClusterError, type ClusterSettings, kubernetesServiceIp } from "../settings/settings.ts";

/** A certificate with its key, both PEM. */
export interface KeyPair {
  readonly certificate: string;
  readonly key: string;
}

/** Everything that the processes of a cluster identify themselves and each other with. */
export interface Pki {
  /** PEM of the authority that signed all of the others. */
  readonly authority: string;
  /** The API server's own. */
  readonly apiServer: KeyPair;
  /** What the API server shows to kubelets. */
  readonly apiServerKubeletClient: KeyPair;
  /** What the kubelet's server shows. */
  readonly kubeletServer: KeyPair;
  /** What the agent shows to the API server: `system:node:NAME` of `system:nodes`. */
  readonly node: KeyPair;
  /** The administrator: `system:masters`. */
  readonly admin: KeyPair;
  /** PEM of the authority of `frontProxyClient`: another one, so that no other certificate can speak for others. */
  readonly frontProxyAuthority: string;
  /** What the API server shows to aggregated API servers. */
  readonly frontProxyClient: KeyPair;
  /** RSA, PEM: signs service-account tokens. */
  readonly serviceAccountKey: string;
}

/** What the machine of a node holds of it. */
export type NodePki = Pick<Pki, "authority" | "kubeletServer" | "node">;

const pairNames = ["apiServer", "apiServerKubeletClient", "kubeletServer", "node", "admin"] as const;
type PairName = (typeof pairNames)[number];

/** The one name in a certificate of the front proxy's authority that aggregated servers shall trust. */
export const frontProxyName = "front-proxy-client";

const fileNames: Readonly<Record<PairName, string>> = {
  apiServer: "apiserver",
  apiServerKubeletClient: "apiserver-kubelet-client",
  kubeletServer: "kubelet",
  node: "node",
  admin: "admin",
};

/**
 * The cluster's certificates: read where they exist, made where they do not (first start, or a first start that was
 * interrupted: each file is written whole, and what is missing is made by the authority that is there). A new authority is
 * written after what it has signed: until it is there, nothing that an older one has signed counts.
 */
export async function ensurePki(folder: string, settings: ClusterSettings, clock: Clock): Promise<Pki> {
  const known = await readPki(folder);
  if (known !== undefined) {
    checkReadable(folder, known);
    if (isNamed(known.apiServer, settings)) return known;
    // It is reached by other names than before.
    const apiServer = await (await loadAuthority(folder, clock)).issue(leafRequests(settings).apiServer);
    await writePair(folder, fileNames.apiServer, apiServer);
    return { ...known, apiServer };
  }
  // Loaded only here: a tenth of a second that ordinary starts need not spend.
  const { Authority } = await import("./certificates.ts");
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const existing = await readPair(folder, "ca");
  const authority =
    existing === undefined
      ? await Authority.create(`skiff-${settings.name}`, clock)
      : await Authority.load(existing, clock);
  const requests = leafRequests(settings);
  const serviceAccount = readOr(join(folder, "sa.key"), makeServiceAccountKey);
  // All come to an end before one's failure is told: none goes on behind whoever begins anew.
  const written = await Promise.allSettled(
    pairNames.map(async (name) => {
      const file = fileNames[name];
      // Those of an authority that is lost are of no use any more.
      if (existing === undefined || (await readPair(folder, file)) === undefined)
        await writePair(folder, file, await authority.issue(requests[name]));
    }),
  );
  const failed = written.find((one) => one.status === "rejected");
  if (failed !== undefined) throw failed.reason;
  await ensureFrontProxy(folder, Authority, clock);
  await writeFileAtomic(join(folder, "sa.key"), await serviceAccount, { mode: 0o600 });
  if (existing === undefined) await writePair(folder, "ca", authority.pair);
  const made = await readPki(folder);
  if (made === undefined) throw new ClusterError("PKI_INCOMPLETE", `the certificates in ${folder} cannot be read back`);
  return made;
}

/** Whether the API server's certificate has the names beside its own that it is reached by. */
function isNamed({ certificate }: KeyPair, { serverNames = [] }: ClusterSettings): boolean {
  if (serverNames.length === 0) return true;
  const shown = new X509Certificate(certificate);
  return serverNames.every((name) => (isIP(name) === 0 ? shown.checkHost(name) : shown.checkIP(name)) !== undefined);
}

async function ensureFrontProxy(
  folder: string,
  authorities: typeof import("./certificates.ts").Authority,
  clock: Clock,
): Promise<void> {
  const existing = await readPair(folder, "front-proxy-ca");
  if (existing !== undefined && (await readPair(folder, frontProxyName)) !== undefined) return;
  const authority =
    existing === undefined
      ? await authorities.create("front-proxy-ca", clock)
      : await authorities.load(existing, clock);
  await writePair(folder, frontProxyName, await authority.issue({ commonName: frontProxyName, usage: "client" }));
  if (existing === undefined) await writePair(folder, "front-proxy-ca", authority.pair);
}

/** Throws `ClusterError` for files that are no certificate or no key: processes would only say so in their logs. */
function checkReadable(folder: string, pki: Pki): void {
  const check = (file: string, read: () => unknown) => {
    try {
      read();
    } catch (error) {
      const path = join(folder, file);
      throw new ClusterError("PKI_DAMAGED", `${path} is damaged; restore it, or remove it: it is made anew`, {
        cause: error,
      });
    }
  };
  check("ca.crt", () => new X509Certificate(pki.authority));
  check("front-proxy-ca.crt", () => new X509Certificate(pki.frontProxyAuthority));
  check(`${frontProxyName}.crt`, () => new X509Certificate(pki.frontProxyClient.certificate));
  check(`${frontProxyName}.key`, () => createPrivateKey(pki.frontProxyClient.key));
  check("sa.key", () => createPrivateKey(pki.serviceAccountKey));
  for (const name of pairNames) {
    check(`${fileNames[name]}.crt`, () => new X509Certificate(pki[name].certificate));
    check(`${fileNames[name]}.key`, () => createPrivateKey(pki[name].key));
  }
}

/** The certificates as they lie in `folder`, or `undefined` when any is missing. */
export async function readPki(folder: string): Promise<Pki | undefined> {
  const [authority, serviceAccountKey, frontProxyAuthority, frontProxyClient, ...pairs] = await Promise.all([
    readIfThere(join(folder, "ca.crt")),
    readIfThere(join(folder, "sa.key")),
    readIfThere(join(folder, "front-proxy-ca.crt")),
    readPair(folder, frontProxyName),
    ...pairNames.map((name) => readPair(folder, fileNames[name])),
  ]);
  const [apiServer, apiServerKubeletClient, kubeletServer, node, admin] = pairs;
  if (!authority || !serviceAccountKey || !frontProxyAuthority || !frontProxyClient) return undefined;
  if (!apiServer || !apiServerKubeletClient || !kubeletServer || !node || !admin) return undefined;
  return {
    authority,
    serviceAccountKey,
    frontProxyAuthority,
    frontProxyClient,
    apiServer,
    apiServerKubeletClient,
    kubeletServer,
    node,
    admin,
  };
}

/** A node's part of the certificates as they lie in `folder`, or `undefined` when any is missing. */
export async function readNodePki(folder: string): Promise<NodePki | undefined> {
  const [authority, kubeletServer, node] = await Promise.all([
    readIfThere(join(folder, "ca.crt")),
    readPair(folder, fileNames.kubeletServer),
    readPair(folder, fileNames.node),
  ]);
  return authority && kubeletServer && node ? { authority, kubeletServer, node } : undefined;
}

/** Writes a node's part, or what there is of it so far. */
export async function writeNodePki(folder: string, pki: Partial<NodePki>): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  if (pki.authority !== undefined) await writeFileAtomic(join(folder, "ca.crt"), pki.authority, { mode: 0o644 });
  if (pki.kubeletServer !== undefined) await writePair(folder, fileNames.kubeletServer, pki.kubeletServer);
  if (pki.node !== undefined) await writePair(folder, fileNames.node, pki.node);
}

/** The authority itself, to sign with. Rejects when its key cannot be read. */
export async function loadAuthority(folder: string, clock: Clock): Promise<import("./certificates.ts").Authority> {
  const pair = await readPair(folder, "ca");
  if (pair === undefined) throw new ClusterError("PKI_INCOMPLETE", `the authority's key is not in ${folder}`);
  const { Authority } = await import("./certificates.ts");
  return Authority.load(pair, clock);
}

function leafRequests(settings: ClusterSettings): Readonly<Record<PairName, import("./certificates.ts").LeafRequest>> {
  const machine = hostname();
  const { serverNames = [] } = settings;
  const service = [
    "kubernetes",
    "kubernetes.default",
    "kubernetes.default.svc",
    `kubernetes.default.svc.${settings.clusterDomain}`,
  ];
  return {
    apiServer: {
      commonName: "kube-apiserver",
      dnsNames: [
        ...new Set([
          "localhost",
          machine,
          settings.nodeName,
          ...service,
          ...serverNames.filter((name) => isIP(name) === 0),
        ]),
      ],
      ipAddresses: [
        ...new Set([
          "127.0.0.1",
          "::1",
          settings.nodeIp,
          kubernetesServiceIp(settings),
          ...serverNames.filter((name) => isIP(name) > 0),
        ]),
      ],
      usage: "server",
    },
    apiServerKubeletClient: {
      commonName: "kube-apiserver-kubelet-client",
      organizations: ["system:masters"],
      usage: "client",
    },
    kubeletServer: {
      commonName: `system:node:${settings.nodeName}`,
      organizations: ["system:nodes"],
      dnsNames: [...new Set([settings.nodeName, machine, "localhost"])],
      ipAddresses: [...new Set([settings.nodeIp, "127.0.0.1"])],
      usage: "server",
    },
    node: { commonName: `system:node:${settings.nodeName}`, organizations: ["system:nodes"], usage: "client" },
    admin: { commonName: "kubernetes-admin", organizations: ["system:masters"], usage: "client" },
  };
}

async function makeServiceAccountKey(): Promise<string> {
  const { privateKey } = await promisify(generateKeyPair)("rsa", { modulusLength: 2048 });
  return privateKey.export({ type: "pkcs8", format: "pem" }).toString();
}

async function readIfThere(path: string): Promise<string | undefined> {
  return readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw new ClusterError("HOME_UNREADABLE", `cannot read ${path}: ${error.message}`, { cause: error });
  });
}

const readOr = async (path: string, make: () => Promise<string>): Promise<string> =>
  (await readIfThere(path)) ?? make();

async function readPair(folder: string, name: string): Promise<KeyPair | undefined> {
  const [certificate, key, nextKey] = await Promise.all([
    readIfThere(join(folder, `${name}.crt`)),
    readIfThere(join(folder, `${name}.key`)),
    readIfThere(join(folder, nextKeyOf(name))),
  ]);
  if (!certificate || !key) return undefined;
  return { certificate, key: nextKey !== undefined && isKeyOf(certificate, nextKey) ? nextKey : key };
}

/**
 * Two files cannot be replaced at once: the next key lies beside the old one until the certificate is replaced, and whoever
 * reads in between, or after this was killed in between, takes the one that belongs to the certificate.
 */
async function writePair(folder: string, name: string, pair: KeyPair): Promise<void> {
  const [key, next, certificate] = [
    join(folder, `${name}.key`),
    join(folder, nextKeyOf(name)),
    join(folder, `${name}.crt`),
  ];
  const before = await readPair(folder, name);
  const isComplete = before !== undefined;
  if (isComplete && before.key !== (await readIfThere(key))) await rename(next, key);
  await writeFileAtomic(isComplete ? next : key, pair.key, { mode: 0o600 });
  await writeFileAtomic(certificate, pair.certificate, { mode: 0o644 });
  if (isComplete) await rename(next, key);
}

const nextKeyOf = (name: string): string => `${name}.key.next`;

function isKeyOf(certificate: string, key: string): boolean {
  try {
    return new X509Certificate(certificate).checkPrivateKey(createPrivateKey(key));
  } catch {
    return false;
  }
}
