import "reflect-metadata";
import { webcrypto } from "node:crypto";
import {
  BasicConstraintsExtension,
  cryptoProvider,
  type Extension,
  type JsonName,
  SubjectAlternativeNameExtension,
  X509CertificateGenerator,
} from "@peculiar/x509";

/** PEM texts by which a server and its administrator know each other, and nobody else. */
export interface IssuedAccess {
  readonly ca: string;
  readonly server: { readonly cert: string; readonly key: string };
  readonly admin: { readonly cert: string; readonly key: string };
}

const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;

/** Makes an authority for one cluster, a certificate for its server on 127.0.0.1 and one for its administrator. */
export async function issueAccess(): Promise<IssuedAccess> {
  cryptoProvider.set(webcrypto);
  const keys = await newKeys();
  const root = await X509CertificateGenerator.createSelfSigned({
    name: "CN=test-cluster-ca",
    keys,
    signingAlgorithm: algorithm,
    extensions: [new BasicConstraintsExtension(true, undefined, true)],
  });
  const issue = async (subject: JsonName, extensions: Extension[]) => {
    const own = await newKeys();
    const certificate = await X509CertificateGenerator.create({
      subject,
      issuer: root.subject,
      publicKey: own.publicKey,
      signingKey: keys.privateKey,
      signingAlgorithm: algorithm,
      extensions,
    });
    return { cert: certificate.toString("pem"), key: await pemOf(own.privateKey) };
  };
  const names = new SubjectAlternativeNameExtension([
    { type: "ip", value: "127.0.0.1" },
    { type: "dns", value: "localhost" },
  ]);
  return {
    ca: root.toString("pem"),
    server: await issue([{ CN: ["kube-apiserver"] }], [names]),
    admin: await issue([{ CN: ["admin"] }, { O: ["system:masters"] }], []),
  };
}

const newKeys = () => webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);

async function pemOf(key: Parameters<typeof webcrypto.subtle.exportKey>[1]): Promise<string> {
  const der = Buffer.from(await webcrypto.subtle.exportKey("pkcs8", key)).toString("base64");
  return `-----BEGIN PRIVATE KEY-----\n${der.replace(/(.{64})/g, "$1\n")}\n-----END PRIVATE KEY-----\n`;
}
