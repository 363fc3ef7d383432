const suffixes: Readonly<Record<string, number>> = {
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  "": 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
};

/** The number that a quantity says, as in 0.5 for `500m` and 1048576 for `1Mi`. Quantities were validated by the server. */
export function quantityValue(text: string): number {
  const match = /^([+-]?[0-9.]+)(?:([numkMGTPE]i?)|[eE]([+-]?\d+))?$/.exec(text);
  if (match === null) return Number.NaN;
  const [, digits = "", suffix = "", exponent] = match;
  if (exponent !== undefined) return Number(`${digits}e${exponent}`);
  return Number(digits) * (suffixes[suffix] ?? Number.NaN);
}

/** Thousandths, rounded up: how CPU is counted. Rounding guards against binary fractions (`0.1` is 100, not 101). */
export const milliValue = (text: string): number => Math.ceil(Number((quantityValue(text) * 1000).toFixed(6)));
