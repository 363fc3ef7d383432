/** One media type that a client takes, with its parameters (`q` aside). */
export interface AcceptedType {
  /** `application/json`, `application/*`, or the same with wildcards. */
  readonly type: string;
  readonly parameters: Readonly<Record<string, string>>;
  readonly quality: number;
}

/** Reads an `Accept` header: best first, in the order given among equals. Nothing given accepts everything. */
export function acceptedTypes(header: string | undefined): readonly AcceptedType[] {
  if (header === undefined || header.trim() === "") return [{ type: "*/*", parameters: {}, quality: 1 }];
  return header
    .split(",")
    .map((item): AcceptedType => {
      const [type = "", ...pairs] = item.split(";").map((part) => part.trim());
      const parameters: Record<string, string> = {};
      let quality = 1;
      for (const pair of pairs) {
        const [name = "", value = ""] = pair.split("=", 2).map((part) => part.trim());
        if (name === "q") quality = Number.isNaN(Number(value)) ? 1 : Number(value);
        else parameters[name] = value;
      }
      return { type: type.toLowerCase(), parameters, quality };
    })
    .filter(({ quality }) => quality > 0)
    .sort((a, b) => b.quality - a.quality);
}

/** True when an accepted type takes `type` (without parameters). */
export const takes = (accepted: AcceptedType, type: string): boolean =>
  accepted.type === "*/*" ||
  accepted.type === type ||
  (accepted.type.endsWith("/*") && type.startsWith(accepted.type.slice(0, -1)));
