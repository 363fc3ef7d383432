/** One number of a metric. */
export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
  /** When it was measured (epoch milliseconds), where that is said. */
  readonly atMs?: number;
}

const escaped = (text: string): string => text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");

/** A metric's line. */
export function sampleLine(name: string, { labels, value, atMs }: Sample): string {
  const text = Object.entries(labels).map(([label, one]) => `${label}="${escaped(one)}"`);
  return `${name}${text.length === 0 ? "" : `{${text.join(",")}}`} ${value}${atMs === undefined ? "" : ` ${atMs}`}\n`;
}

/** The lines of one metric; nothing where it has no samples. */
export function family(name: string, type: "counter" | "gauge", help: string, samples: readonly Sample[]): string {
  if (samples.length === 0) return "";
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${samples.map((one) => sampleLine(name, one)).join("")}`;
}

/** The one sample of a metric that is about the whole node. */
export const one = (value: number): readonly Sample[] => [{ labels: {}, value }];
