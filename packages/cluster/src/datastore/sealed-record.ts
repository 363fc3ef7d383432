import { createCipheriv, createDecipheriv, randomBytes, scryptSync } from "node:crypto";

/*
 * A record that only those who know the cluster's token can read: AES-256-GCM with a key derived from the token by scrypt.
 *
 *   salt (16) · nonce (12) · tag (16) · encrypted text
 */
const saltBytes = 16;
const nonceBytes = 12;
const tagBytes = 16;
const cipher = "aes-256-gcm";

const keyOf = (token: string, salt: Buffer): Buffer => scryptSync(token, salt, 32);

/** Encrypts a text. */
export function seal(text: string, token: string): Buffer {
  const [salt, nonce] = [randomBytes(saltBytes), randomBytes(nonceBytes)];
  const encrypt = createCipheriv(cipher, keyOf(token, salt), nonce);
  const encrypted = Buffer.concat([encrypt.update(text, "utf8"), encrypt.final()]);
  return Buffer.concat([salt, nonce, encrypt.getAuthTag(), encrypted]);
}

/** The text, or `undefined` where the token is not the one that it was sealed with (or the record was changed). */
export function unseal(sealed: Uint8Array, token: string): string | undefined {
  const bytes = Buffer.from(sealed);
  const nonceAt = saltBytes;
  const tagAt = nonceAt + nonceBytes;
  const textAt = tagAt + tagBytes;
  if (bytes.length < textAt) return undefined;
  try {
    const decrypt = createDecipheriv(cipher, keyOf(token, bytes.subarray(0, nonceAt)), bytes.subarray(nonceAt, tagAt));
    decrypt.setAuthTag(bytes.subarray(tagAt, textAt));
    return Buffer.concat([decrypt.update(bytes.subarray(textAt)), decrypt.final()]).toString("utf8");
  } catch {
    return undefined;
  }
}
