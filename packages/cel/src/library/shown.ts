import type { CelValue } from "../values/cel-value.ts";
import { Uint } from "../values/uint.ts";

/** A key as `no such key` says it. */
export function shownKey(key: CelValue): string {
  if (key instanceof Uint) return key.value.toString();
  return typeof key === "object" && key !== null ? "" : String(key);
}

/** A double as Go's `%g` writes it: shortest digits, an exponent of at least two digits from 1e6 and below 1e-4 on. */
export function doubleText(value: number, from = 6): string {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "+Inf" : "-Inf";
  if (value === 0) return Object.is(value, -0) ? "-0" : "0";
  const [digits = "", exponentText = "0"] = value.toExponential().split("e");
  const exponent = Number(exponentText);
  if (exponent < -4 || exponent >= from) {
    const size = Math.abs(exponent).toString().padStart(2, "0");
    return `${digits}e${exponent < 0 ? "-" : "+"}${size}`;
  }
  return plainDecimal(digits, exponent);
}

function plainDecimal(mantissa: string, exponent: number): string {
  const sign = mantissa.startsWith("-") ? "-" : "";
  const digits = mantissa.replace("-", "").replace(".", "");
  if (exponent < 0) return `${sign}0.${"0".repeat(-exponent - 1)}${digits}`;
  const padded = digits.padEnd(exponent + 1, "0");
  const fraction = padded.slice(exponent + 1);
  return `${sign}${padded.slice(0, exponent + 1)}${fraction === "" ? "" : `.${fraction}`}`;
}
