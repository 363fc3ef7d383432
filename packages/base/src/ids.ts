import { type Random, randomInt } from "./random.ts";

/** Kubernetes' alphabet for name suffixes: no vowels (no words), nothing that looks like something else. */
const nameAlphabet = "bcdfghjklmnpqrstvwxz2456789";

/** `length` characters for a generated name, as in `web-7d4b9c6f5-x2k8p`. */
export function nameSuffix(random: Random, length = 5): string {
  let suffix = "";
  for (let index = 0; index < length; index++) suffix += nameAlphabet[randomInt(random, nameAlphabet.length)];
  return suffix;
}

/** The same alphabet applied to a number: how a pod template's hash becomes `7d4b9c6f5`. */
export const encodeNameSafe = (text: string): string =>
  [...text].map((character) => nameAlphabet[character.charCodeAt(0) % nameAlphabet.length]).join("");

const hexDigits = "0123456789abcdef";

/** A version 4 UUID, lower case. */
export function uuid(random: Random): string {
  let hex = "";
  for (let index = 0; index < 32; index++) {
    const digit = randomInt(random, 16);
    hex += hexDigits.charAt(index === 12 ? 4 : index === 16 ? (digit & 3) | 8 : digit);
  }
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
