/**
 * A count that is given as a number or as a percentage of `total` (`25%`). Throws `Error` with Kubernetes' text for strings that
 * are not percentages.
 *
 * @example scaledValue("25%", 10, "up") // 3
 */
export function scaledValue(value: number | string, total: number, round: "up" | "down"): number {
  if (typeof value === "number") return value;
  const percent = /^([+-]?[0-9]+)%$/.exec(value)?.[1];
  if (percent === undefined) {
    const why = value.endsWith("%")
      ? `invalid value ${JSON.stringify(value)}: strconv.Atoi: parsing ${JSON.stringify(value.slice(0, -1))}: invalid syntax`
      : "invalid type: string is not a percentage";
    throw new Error(`invalid value for IntOrString: ${why}`);
  }
  const exact = (Number(percent) * total) / 100;
  return round === "up" ? Math.ceil(exact) : Math.floor(exact);
}
