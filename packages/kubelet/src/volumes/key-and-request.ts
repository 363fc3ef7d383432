import { type AsymmetricKeyDetails, createPublicKey, generateKeyPair, type KeyObject, sign } from "node:crypto";
import { promisify } from "node:util";

const generate = promisify(generateKeyPair);

/** A private key and the proof that whoever asks has it. */
export interface KeyAndRequest {
  /** PKCS#8, PEM. */
  readonly keyPem: string;
  /** PKCS#10, DER: an empty request, signed with the key. */
  readonly request: Buffer;
}

interface KeyType {
  readonly make: () => Promise<KeyObject>;
  readonly hash: string | null;
  /** Content of the identifier of the signature's algorithm. */
  readonly algorithm: Buffer;
}

const oid = (...bytes: readonly number[]): Buffer => Buffer.from([0x06, bytes.length, ...bytes]);
const ecdsaWith = (hash: number): Buffer => oid(0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, hash);
/** sha256WithRSAEncryption, which has a parameter: nothing. */
const rsaAlgorithm = Buffer.concat([
  oid(0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0b),
  Buffer.from([0x05, 0x00]),
]);

const rsa = (modulusLength: number): KeyType => ({
  make: async () => (await generate("rsa", { modulusLength })).privateKey,
  hash: "sha256",
  algorithm: rsaAlgorithm,
});

const ecdsa = (namedCurve: NonNullable<AsymmetricKeyDetails["namedCurve"]>, hash: string, code: number): KeyType => ({
  make: async () => (await generate("ec", { namedCurve })).privateKey,
  hash,
  algorithm: ecdsaWith(code),
});

const keyTypes: Readonly<Record<string, KeyType>> = {
  RSA3072: rsa(3072),
  RSA4096: rsa(4096),
  ECDSAP256: ecdsa("prime256v1", "sha256", 2),
  ECDSAP384: ecdsa("secp384r1", "sha384", 3),
  ECDSAP521: ecdsa("secp521r1", "sha512", 4),
  ED25519: {
    make: async () => (await generate("ed25519")).privateKey,
    hash: null,
    algorithm: oid(0x2b, 0x65, 0x70),
  },
};

function element(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  const head = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...head]), content]);
}

const sequence = (...parts: readonly Buffer[]): Buffer => element(0x30, ...parts);

/** Makes a key of a type that Kubernetes has a name for, as in `ECDSAP256`, and its request. Throws for other names. */
export async function keyAndRequest(name: string): Promise<KeyAndRequest> {
  const type = keyTypes[name];
  if (type === undefined) throw new Error(`unknown key type ${JSON.stringify(name)}`);
  const key = await type.make();
  const publicKey = createPublicKey(key).export({ type: "spki", format: "der" });
  // Version 0, a subject without names, the key, no attributes.
  const version = Buffer.from([0x02, 0x01, 0x00]);
  const told = sequence(version, sequence(), publicKey, Buffer.from([0xa0, 0x00]));
  const signature = element(0x03, Buffer.from([0]), sign(type.hash, told, key));
  return {
    keyPem: key.export({ type: "pkcs8", format: "pem" }).toString(),
    request: sequence(told, sequence(type.algorithm), signature),
  };
}
