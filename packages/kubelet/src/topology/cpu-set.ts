/** Numbers of CPUs, in order, each once. */
export type CpuSet = readonly number[];

export const cpuSet = (cpus: Iterable<number>): CpuSet => [...new Set(cpus)].sort((a, b) => a - b);

/** Reads the kernel's lists, as in `0-3,7`. What is no list is empty. */
export const parseCpuSet = (text: string): CpuSet =>
  cpuSet(
    text
      .split(",")
      .filter((part) => /^\d+(?:-\d+)?$/.test(part.trim()))
      .flatMap((part) => {
        const [from = 0, to = from] = part.trim().split("-").map(Number);
        return Array.from({ length: Math.max(0, to - from + 1) }, (_, at) => from + at);
      }),
  );

/** As the kernel writes it: `0-3,7`. */
export function cpuSetText(cpus: CpuSet): string {
  const ranges: [number, number][] = [];
  for (const cpu of cpus) {
    const last = ranges.at(-1);
    if (last !== undefined && last[1] === cpu - 1) last[1] = cpu;
    else ranges.push([cpu, cpu]);
  }
  return ranges.map(([from, to]) => (from === to ? String(from) : `${from}-${to}`)).join(",");
}

export const without = (cpus: CpuSet, others: CpuSet): CpuSet => cpus.filter((cpu) => !others.includes(cpu));
export const common = (cpus: CpuSet, others: CpuSet): CpuSet => cpus.filter((cpu) => others.includes(cpu));
export const union = (...sets: readonly CpuSet[]): CpuSet => cpuSet(sets.flat());
