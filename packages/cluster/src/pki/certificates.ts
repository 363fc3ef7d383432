import "reflect-metadata";
import { createPrivateKey, type KeyObject, randomBytes, type webcrypto } from "node:crypto";
import * as x509 from "@peculiar/x509";
import type { Clock } from "@skiff/base";
import type { KeyPair } from "./pki.ts";
import { usageExtensions } from "./usages.ts";

x509.cryptoProvider.set(crypto);

const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;
const dayMs = 86_400_000;
const subjectAltName = "2.5.29.17";
/** For clients whose clocks are a little behind. */
const backdateMs = 5 * 60_000;
const authorityDays = 3650;
const leafDays = 3650;

/** What a certificate is for: who it names and where it may be shown. */
export interface LeafRequest {
  readonly commonName: string;
  readonly organizations?: readonly string[];
  readonly dnsNames?: readonly string[];
  readonly ipAddresses?: readonly string[];
  readonly usage: "server" | "client";
}

/** Makes certificates that it signs itself. */
export class Authority {
  readonly pair: KeyPair;
  readonly #clock: Clock;
  readonly #key: webcrypto.CryptoKey;
  readonly #certificate: x509.X509Certificate;

  private constructor(clock: Clock, pair: KeyPair, key: webcrypto.CryptoKey) {
    this.#clock = clock;
    this.pair = pair;
    this.#key = key;
    this.#certificate = new x509.X509Certificate(pair.certificate);
  }

  /** A new authority called `commonName`. */
  static async create(commonName: string, clock: Clock): Promise<Authority> {
    const keys = await crypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
    const certificate = await x509.X509CertificateGenerator.createSelfSigned({
      serialNumber: serial(),
      name: [{ CN: [commonName] }],
      ...validity(clock, authorityDays),
      signingAlgorithm: algorithm,
      keys,
      extensions: [
        new x509.BasicConstraintsExtension(true, undefined, true),
        new x509.KeyUsagesExtension(
          x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.digitalSignature | x509.KeyUsageFlags.cRLSign,
          true,
        ),
        await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      ],
    });
    return new Authority(
      clock,
      { certificate: pem(certificate), key: await privatePem(keys.privateKey) },
      keys.privateKey,
    );
  }

  /** The authority that was written to disk earlier. */
  static async load(pair: KeyPair, clock: Clock): Promise<Authority> {
    const der = createPrivateKey(pair.key).export({ type: "pkcs8", format: "der" });
    const key = await crypto.subtle.importKey("pkcs8", new Uint8Array(der), algorithm, true, ["sign"]);
    return new Authority(clock, pair, key);
  }

  /** A certificate for `request`, with a new key. */
  async issue(request: LeafRequest): Promise<KeyPair> {
    const keys = await crypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
    const names = alternativeNames(request);
    const certificate = await x509.X509CertificateGenerator.create({
      serialNumber: serial(),
      subject: subjectOf(request),
      issuer: this.#certificate.subjectName,
      ...validity(this.#clock, leafDays),
      signingAlgorithm: algorithm,
      publicKey: keys.publicKey,
      signingKey: this.#key,
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature | x509.KeyUsageFlags.keyEncipherment, true),
        new x509.ExtendedKeyUsageExtension(
          [request.usage === "server" ? x509.ExtendedKeyUsage.serverAuth : x509.ExtendedKeyUsage.clientAuth],
          false,
        ),
        ...(names.length > 0 ? [new x509.SubjectAlternativeNameExtension(names, false)] : []),
        await x509.AuthorityKeyIdentifierExtension.create(this.#certificate.publicKey),
      ],
    });
    return { certificate: pem(certificate), key: await privatePem(keys.privateKey) };
  }

  /** A certificate (PEM) for what a client asks for in PKCS #10, with the usages as Kubernetes names them. */
  async certify(request: CertificationRequest): Promise<string> {
    const asked = new x509.Pkcs10CertificateRequest(request.der);
    const names = asked.extensions.find(({ type }) => type === subjectAltName);
    const nowMs = this.#clock.now();
    const endMs = Math.min(nowMs + request.durationMs, this.#certificate.notAfter.getTime());
    const certificate = await x509.X509CertificateGenerator.create({
      serialNumber: serial(),
      subject: asked.subjectName,
      issuer: this.#certificate.subjectName,
      notBefore: new Date(nowMs - backdateMs),
      notAfter: new Date(endMs),
      signingAlgorithm: algorithm,
      publicKey: asked.publicKey,
      signingKey: this.#key,
      extensions: [
        ...usageExtensions(request.usages),
        new x509.BasicConstraintsExtension(false, undefined, true),
        await x509.AuthorityKeyIdentifierExtension.create(this.#certificate.publicKey),
        ...(names === undefined ? [] : [names]),
      ],
    });
    return pem(certificate);
  }
}

/** A request (PKCS #10, PEM) to certify a new key, and that key. */
export async function requestFor(
  names: Omit<LeafRequest, "usage">,
): Promise<{ readonly request: string; readonly key: string }> {
  const keys = await crypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const alternatives = alternativeNames(names);
  const request = await x509.Pkcs10CertificateRequestGenerator.create({
    name: subjectOf(names),
    keys,
    signingAlgorithm: algorithm,
    extensions: alternatives.length > 0 ? [new x509.SubjectAlternativeNameExtension(alternatives, false)] : [],
  });
  return { request: `${request.toString("pem")}\n`, key: await privatePem(keys.privateKey) };
}

const subjectOf = ({ organizations = [], commonName }: Omit<LeafRequest, "usage">): x509.JsonName => [
  ...organizations.map((name) => ({ O: [name] })),
  { CN: [commonName] },
];

const alternativeNames = ({ dnsNames = [], ipAddresses = [] }: Omit<LeafRequest, "usage">): x509.JsonGeneralNames => [
  ...dnsNames.map((value) => ({ type: "dns" as const, value })),
  ...ipAddresses.map((value) => ({ type: "ip" as const, value })),
];

/** What a client asks the authority for. */
export interface CertificationRequest {
  /** PKCS #10, DER. */
  readonly der: Buffer;
  readonly usages: readonly string[];
  readonly durationMs: number;
}

/** 16 random bytes whose first bit is 0: serial numbers are positive. */
function serial(): string {
  const bytes = randomBytes(16);
  bytes.writeUInt8(bytes.readUInt8(0) & 0x7f, 0);
  return bytes.toString("hex");
}

const validity = (clock: Clock, days: number) => ({
  notBefore: new Date(clock.now() - backdateMs),
  notAfter: new Date(clock.now() + days * dayMs),
});

const pem = (certificate: x509.X509Certificate): string => `${certificate.toString("pem")}\n`;

async function privatePem(key: webcrypto.CryptoKey): Promise<string> {
  const der = await crypto.subtle.exportKey("pkcs8", key);
  const object: KeyObject = createPrivateKey({ key: Buffer.from(der), type: "pkcs8", format: "der" });
  return object.export({ type: "pkcs8", format: "pem" }).toString();
}
