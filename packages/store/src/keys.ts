import { InvalidRequestError, maximumKeyBytes, type Range } from "./store.ts";

/**
 * Orders keys by their UTF-8 bytes, which is their order by code point. JavaScript compares UTF-16 units, and those order
 * differently where a surrogate (a character beyond U+FFFF) meets a character from U+E000 on.
 */
export function compareKeys(a: string, b: string): number {
  if (a === b) return 0;
  const length = Math.min(a.length, b.length);
  for (let index = 0; index < length; index++) {
    const x = a.charCodeAt(index);
    const y = b.charCodeAt(index);
    if (x !== y) return codePointOrder(x) - codePointOrder(y);
  }
  return a.length - b.length;
}

/** Moves surrogates above all other units, keeping everything else in order. */
const codePointOrder = (unit: number): number => (unit < 0xd800 ? unit : unit < 0xe000 ? unit + 0x2000 : unit - 0x800);

const aboveAll = "\u{10FFFF}";
const aboveAllBytes = 4;

/** A test for keys in `range`; ranges made by `prefixRange` are recognised and tested as prefixes, which is cheaper. */
export function inRange({ start, end }: Range): (key: string) => boolean {
  if (end.length === start.length + aboveAll.length && end.startsWith(start) && end.endsWith(aboveAll)) {
    return (key) => key.startsWith(start) && !key.startsWith(aboveAll, start.length);
  }
  return (key) => compareKeys(key, start) >= 0 && compareKeys(key, end) < 0;
}

/** Throws `InvalidRequestError` for a key that no engine could keep. */
export function checkKey(key: string): void {
  if (key.length === 0) throw new InvalidRequestError("a key must not be empty");
  // Three bytes per unit is the most that UTF-8 needs, so that most keys need not be measured.
  if (key.length * 3 > maximumKeyBytes && Buffer.byteLength(key) > maximumKeyBytes) {
    throw new InvalidRequestError(`a key has at most ${maximumKeyBytes} bytes`);
  }
  if (!key.isWellFormed()) throw new InvalidRequestError("a key must be well-formed Unicode");
}

/** Throws `InvalidRequestError` for what is not a revision. */
export function checkRevision(revision: number): void {
  if (!Number.isSafeInteger(revision) || revision < 1) {
    throw new InvalidRequestError(`a revision is a whole number from 1, not ${revision}`);
  }
}

/** Throws `InvalidRequestError` for a range whose bounds no engine could look up. */
export function checkRange({ start, end }: Range): void {
  if (start !== "") checkKey(start);
  // The end may be a prefix as long as a key with U+10FFFF behind it, or a key with NUL behind it.
  if (end.length * 3 > maximumKeyBytes && Buffer.byteLength(end) > maximumKeyBytes + aboveAllBytes) {
    throw new InvalidRequestError(`the end of a range has at most ${maximumKeyBytes + aboveAllBytes} bytes`);
  }
  if (!end.isWellFormed()) throw new InvalidRequestError("the end of a range must be well-formed Unicode");
}
