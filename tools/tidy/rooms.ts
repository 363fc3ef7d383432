/**
 * Which room may import which: the architecture's picture as data. Reading: `store: ["base"]` lets the store import the
 * base room and nothing else. The cluster wires everything; the command line stands above it.
 */
export const rooms: Readonly<Record<string, readonly string[]>> = {
  base: [],
  api: ["base"],
  cel: ["base", "api"],
  grpc: ["base"],
  store: ["base", "grpc"],
  host: ["base"],
  apiserver: ["base", "api", "store", "cel"],
  client: ["base", "api"],
  "control-loop": ["base", "api", "client"],
  controllers: ["base", "api", "cel", "client", "control-loop"],
  scheduler: ["base", "api", "cel", "client"],
  runtime: ["base", "grpc", "host"],
  csi: ["base", "grpc", "host"],
  kubelet: ["base", "api", "client", "grpc", "csi", "runtime", "host"],
  network: ["base", "api", "client", "host"],
  simulation: ["base", "api", "apiserver", "client"],
  cluster: [
    "base",
    "api",
    "store",
    "cel",
    "grpc",
    "host",
    "apiserver",
    "client",
    "control-loop",
    "controllers",
    "scheduler",
    "runtime",
    "csi",
    "kubelet",
    "network",
    "simulation",
  ],
  cli: ["base", "api", "client", "cluster", "host", "runtime"],
  testing: [
    "base",
    "api",
    "store",
    "cel",
    "apiserver",
    "client",
    "control-loop",
    "controllers",
    "scheduler",
    "runtime",
    "simulation",
  ],
};

/** Calls that only the named rooms may make: everything else takes a `Clock`, a `Random` or an interface of `host`. */
export const bannedCalls: readonly {
  readonly pattern: RegExp;
  readonly instead: string;
  readonly allowedIn: readonly string[];
  readonly allowedInTests: boolean;
}[] = [
  {
    pattern: /\bDate\.now\(|\bnew Date\(\)/,
    instead: "a Clock of @skiff/base",
    allowedIn: ["base", "host"],
    allowedInTests: true,
  },
  {
    pattern: /(?<![.\w])set(?:Timeout|Interval)\(/,
    instead: "a Clock of @skiff/base",
    allowedIn: ["base", "host"],
    allowedInTests: true,
  },
  {
    pattern: /\bMath\.random\(/,
    instead: "a Random of @skiff/base",
    allowedIn: ["base", "host"],
    allowedInTests: false,
  },
  { pattern: /node:child_process/, instead: "Processes of @skiff/host", allowedIn: ["host"], allowedInTests: true },
  {
    pattern: /\bconsole\.(?:log|error|warn|info)\(/,
    instead: "a Logger, or the terminal of the cli room",
    allowedIn: [],
    allowedInTests: false,
  },
  { pattern: /\.(?:only|skip)\(\s*["'`]/, instead: "a test that runs", allowedIn: [], allowedInTests: false },
  { pattern: /\b(?:TODO|FIXME|XXX)\b/, instead: "the work itself, or an issue", allowedIn: [], allowedInTests: false },
  { pattern: /@ts-(?:ignore|expect-error|nocheck)/, instead: "types that hold", allowedIn: [], allowedInTests: false },
  { pattern: /\bas unknown as\b/, instead: "parsing at the edge", allowedIn: [], allowedInTests: false },
];
