/** Reads certificate requests (PKCS #10, RFC 2986) as they stand in CertificateSigningRequests. */
import { createPublicKey, verify } from "node:crypto";
import { type DerElement, derTag, readDer, readOid, readOne } from "./der.ts";

/** What a client asks to be certified. */
export interface CertificateRequest {
  readonly commonName: string;
  readonly organizations: readonly string[];
  readonly dnsNames: readonly string[];
  readonly emailAddresses: readonly string[];
  /** `10.0.0.1`, `fd00:0:0:0:0:0:0:1`. */
  readonly ipAddresses: readonly string[];
  readonly uris: readonly string[];
  /** The request itself, DER. */
  readonly der: Buffer;
  /** Whether whoever asks has the key that the request names. */
  isSigned(): boolean;
}

const oids = {
  commonName: "2.5.4.3",
  organization: "2.5.4.10",
  extensionRequest: "1.2.840.113549.1.9.14",
  subjectAltName: "2.5.29.17",
} as const;

const digests: Readonly<Record<string, string | undefined>> = {
  "1.2.840.113549.1.1.5": "sha1",
  "1.2.840.113549.1.1.11": "sha256",
  "1.2.840.113549.1.1.12": "sha384",
  "1.2.840.113549.1.1.13": "sha512",
  "1.2.840.10045.4.3.2": "sha256",
  "1.2.840.10045.4.3.3": "sha384",
  "1.2.840.10045.4.3.4": "sha512",
};
const ed25519 = "1.3.101.112";

/** From base64 of PEM, as `spec.request` has it. Throws with Kubernetes' words where it is no request. */
export function parseCertificateRequest(request: string): CertificateRequest {
  const pem = Buffer.from(request, "base64").toString("latin1");
  const block = /-----BEGIN CERTIFICATE REQUEST-----\s*([A-Za-z0-9+/=\s]+?)-----END CERTIFICATE REQUEST-----/.exec(pem);
  if (block === null) throw new Error("PEM block type must be CERTIFICATE REQUEST");
  const der = Buffer.from(block[1] ?? "", "base64");
  const whole = readOne(der);
  const [info, algorithm, signature, ...more] = readDer(whole.content);
  if (info === undefined || algorithm === undefined || signature === undefined || more.length > 0) {
    throw structureError();
  }
  if ([whole, info, algorithm].some(({ tag }) => tag !== derTag.sequence)) throw structureError();
  // The first byte of a bit string counts the bits that are left over: a signature is whole bytes.
  if (signature.tag !== derTag.bitString || signature.content[0] !== 0) throw structureError();
  const [version, subject, publicKey, attributes] = readDer(info.content);
  if (version === undefined || subject === undefined || publicKey === undefined) throw structureError();
  const names = subjectOf(subject);
  return {
    commonName: names.filter(([type]) => type === oids.commonName).at(-1)?.[1] ?? "",
    organizations: names.filter(([type]) => type === oids.organization).map(([, value]) => value),
    ...alternativeNames(attributes),
    der,
    isSigned: () => isSigned({ info, algorithm, signature, publicKey }),
  };
}

const structureError = () => new Error("asn1: structure error: not a certificate request");

function subjectOf(subject: DerElement): [type: string, value: string][] {
  return readDer(subject.content).flatMap((set) =>
    readDer(set.content).map(({ content }): [string, string] => {
      const [type, value] = readDer(content);
      if (type === undefined || value === undefined) throw structureError();
      return [readOid(type), value.content.toString("utf8")];
    }),
  );
}

function alternativeNames(attributes: DerElement | undefined) {
  const found = {
    dnsNames: [] as string[],
    emailAddresses: [] as string[],
    ipAddresses: [] as string[],
    uris: [] as string[],
  };
  for (const { tag, content } of attributes?.tag === derTag.context0 ? generalNames(attributes) : []) {
    if (tag === 0x81) found.emailAddresses.push(content.toString("latin1"));
    else if (tag === 0x82) found.dnsNames.push(content.toString("latin1"));
    else if (tag === 0x86) found.uris.push(content.toString("latin1"));
    else if (tag === 0x87) found.ipAddresses.push(addressText(content));
  }
  return found;
}

/** The names of the extension `subjectAltName` that the attributes ask for. */
function generalNames(attributes: DerElement): DerElement[] {
  const extensions = readDer(attributes.content).flatMap(({ content }) => {
    const [type, values] = readDer(content);
    if (type === undefined || values === undefined || readOid(type) !== oids.extensionRequest) return [];
    return readDer(values.content).flatMap((list) => readDer(list.content));
  });
  return extensions.flatMap(({ content }) => {
    const parts = readDer(content);
    const [type] = parts;
    const value = parts.at(-1);
    if (type === undefined || value === undefined || readOid(type) !== oids.subjectAltName) return [];
    return readDer(readOne(value.content).content);
  });
}

function addressText(bytes: Buffer): string {
  if (bytes.length === 4) return [...bytes].join(".");
  const groups = Array.from({ length: bytes.length >> 1 }, (_, index) => bytes.readUInt16BE(index * 2).toString(16));
  return groups.join(":");
}

function isSigned(parts: {
  readonly info: DerElement;
  readonly algorithm: DerElement;
  readonly signature: DerElement;
  readonly publicKey: DerElement;
}): boolean {
  const [name] = readDer(parts.algorithm.content);
  const oid = name === undefined ? "" : readOid(name);
  const digest = digests[oid];
  if (digest === undefined && oid !== ed25519) return false;
  try {
    const key = createPublicKey({ key: parts.publicKey.raw, format: "der", type: "spki" });
    return verify(digest ?? null, parts.info.raw, key, parts.signature.content.subarray(1));
  } catch {
    return false;
  }
}
