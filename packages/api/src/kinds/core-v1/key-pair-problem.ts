import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";

interface Block {
  readonly type: string;
  readonly bytes: Buffer;
}

const blockPattern = /-----BEGIN ([^-\n]+)-----[ \t]*\r?\n([\s\S]*?)-----END \1-----/g;

function blocksOf(pem: string): readonly Block[] {
  const blocks: Block[] = [];
  for (const [, type = "", body = ""] of pem.matchAll(blockPattern)) {
    const text = body.replace(/^[^\n]*:[^\n]*$/gm, "").replace(/\s/g, "");
    if (/^[A-Za-z0-9+/]*={0,2}$/.test(text)) blocks.push({ type, bytes: Buffer.from(text, "base64") });
  }
  return blocks;
}

const skippedTypes = (blocks: readonly Block[]): string => `[${blocks.map(({ type }) => type).join(" ")}]`;

/** What is wrong with a certificate and its key in PEM, in the words of Go's `tls.X509KeyPair`; `undefined` when they fit. */
export function keyPairProblem(certificatePem: string, keyPem: string): string | undefined {
  const inCertificate = blocksOf(certificatePem);
  const certificate = inCertificate.find(({ type }) => type === "CERTIFICATE");
  if (certificate === undefined) return noCertificateProblem(inCertificate);
  const inKey = blocksOf(keyPem);
  const key = inKey.find(({ type }) => /(?:^| )PRIVATE KEY$/.test(type));
  if (key === undefined) return noKeyProblem(inKey);
  const parsed = parsedCertificate(certificate.bytes);
  if (parsed === undefined) return "x509: malformed certificate";
  const privateKey = parsedKey(key.bytes);
  if (privateKey === undefined) return "tls: failed to parse private key";
  if (parsed.publicKey.asymmetricKeyType !== privateKey.asymmetricKeyType) {
    return "tls: private key type does not match public key type";
  }
  return parsed.checkPrivateKey(privateKey) ? undefined : "tls: private key does not match public key";
}

function noCertificateProblem(blocks: readonly Block[]): string {
  if (blocks.length === 0) return "tls: failed to find any PEM data in certificate input";
  if (blocks.length === 1 && blocks[0]?.type.endsWith("PRIVATE KEY")) {
    return "tls: failed to find certificate PEM data in certificate input, but did find a private key; PEM inputs may have been switched";
  }
  return `tls: failed to find "CERTIFICATE" PEM block in certificate input after skipping PEM blocks of the following types: ${skippedTypes(blocks)}`;
}

function noKeyProblem(blocks: readonly Block[]): string {
  if (blocks.length === 0) return "tls: failed to find any PEM data in key input";
  if (blocks.length === 1 && blocks[0]?.type === "CERTIFICATE") {
    return "tls: found a certificate rather than a key in the PEM for the private key";
  }
  return `tls: failed to find PEM block with type ending in "PRIVATE KEY" in key input after skipping PEM blocks of the following types: ${skippedTypes(blocks)}`;
}

function parsedCertificate(bytes: Buffer): X509Certificate | undefined {
  try {
    return new X509Certificate(bytes);
  } catch {
    return undefined;
  }
}

/** Keys say by their form, not by their header, what they are. */
function parsedKey(bytes: Buffer): KeyObject | undefined {
  for (const type of ["pkcs1", "pkcs8", "sec1"] as const) {
    try {
      return createPrivateKey({ key: bytes, format: "der", type });
    } catch {
      // Another form, then.
    }
  }
  return undefined;
}
