/**
 * Session affinity. Where a client went is learned by the kernel itself, in a map whose entries run out: client . Service
 * address . protocol . port → the endpoint's number. The next connection looks the number up among the endpoints that the
 * Service has now; one that is gone is not found there, and the client gets another. So the table never has to be searched
 * for entries that lead nowhere, and what was learned outlives the process that wrote the rules.
 *
 * How long an entry lives is written into a rule, so there is a fixed list of times; a Service gets the next one up from
 * its own `timeoutSeconds`. As in Kubernetes, the time counts from the client's last new connection.
 */
export const affinityTimeouts: readonly number[] = [
  ...Array.from({ length: 10 }, (_, index) => index + 1),
  ...[12, 15, 20, 25, 30, 40, 50, 60, 90, 120, 150, 180, 240, 300, 450, 600, 900, 1_200, 1_800, 2_700, 3_600],
  ...[5_400, 7_200, 10_800, 14_400, 21_600, 28_800, 43_200, 64_800, 86_400],
];

const defaultTimeoutSeconds = 10_800;
const longestTimeoutSeconds = 86_400;

/** The time of the list that keeps a client for at least so long. */
export const affinityTimeoutFor = (seconds: number = defaultTimeoutSeconds): number =>
  affinityTimeouts.find((one) => one >= seconds) ?? longestTimeoutSeconds;

/**
 * An endpoint's number: its address, in the notation that nft uses for packet priorities, the register in which the number
 * travels from one lookup to the next. `10.42.0.7` is `a2a:7`.
 */
export function endpointId(address: string): string {
  const [a = 0, b = 0, c = 0, d = 0] = address.split(".").map(Number);
  const [major, minor] = [a * 256 + b, c * 256 + d];
  return `${major.toString(16)}:${minor === 0 ? "" : minor.toString(16)}`;
}
