/** Measures what webhooks cost that are configured but not meant. */
import { ConfigMaps, MutatingWebhookConfigurations, ValidatingWebhookConfigurations } from "@skiff/api";
import { adminUser, testServer } from "../../packages/apiserver/src/fixtures/test-server.ts";
import { type BenchRow, median, spread } from "./row.ts";

const batches = 60;
const perBatch = 2_000;
const { signal } = new AbortController();

/** A create takes so long at the 4,000 a second that the server promises. */
const createMicroseconds = 1e6 / 4_000;

type Server = Awaited<ReturnType<typeof testServer>>;

/** Share of a create that ten webhooks take which are for something else. */
export async function benchAdmission(): Promise<BenchRow[]> {
  process.stderr.write("admission: ten webhooks\n");
  await using plain = await prepared(0);
  await using hooked = await prepared(10);
  const times: number[] = [];
  for (let batch = 0; batch < batches; batch++) {
    // Side by side, so that whatever else the machine does befalls both.
    const [without, withHooks] =
      batch % 2 === 0 ? await pair(plain, hooked, batch) : (await pair(hooked, plain, batch)).reverse();
    if (batch < 10 || without === undefined || withHooks === undefined) continue;
    times.push(withHooks - without);
  }
  const shares = times.map((microseconds) => (100 * microseconds) / createMicroseconds);
  return [
    {
      what: "10 webhooks that are not meant: share of a create",
      value: median(shares),
      unit: "%",
      floor: undefined,
      ceiling: 5,
      detail: `${median(times).toFixed(2)} µs; ${spread(shares, 1)}`,
    },
  ];
}

const pair = async (first: Server, second: Server, batch: number): Promise<number[]> => [
  await microseconds(first, batch),
  await microseconds(second, batch),
];

/** A server in this process with half its webhooks for other resources, half for other namespaces. */
async function prepared(webhooks: number): Promise<Server> {
  const server = await testServer();
  const transport = server.transport(adminUser);
  const core = { verb: "create", group: "", version: "v1" } as const;
  await transport.send({ ...core, plural: "namespaces", body: { metadata: { name: "default" } } }, signal);
  for (let index = 0; index < webhooks; index++) {
    const { group, version, plural } =
      index % 2 === 0 ? MutatingWebhookConfigurations : ValidatingWebhookConfigurations;
    const near = index >= webhooks / 2;
    const webhook = {
      name: `hook-${index}.example.com`,
      clientConfig: { url: "https://127.0.0.1:1/never" },
      rules: [{ operations: ["*"], apiGroups: ["*"], apiVersions: ["*"], resources: [near ? "configmaps" : "pods"] }],
      namespaceSelector: { matchLabels: { team: "other" } },
      admissionReviewVersions: ["v1"],
      sideEffects: "None",
    };
    const body = { metadata: { name: `hook-${index}` }, webhooks: [webhook] };
    await transport.send({ verb: "create", group, version, plural, body }, signal);
  }
  return server;
}

/** Of one create, in a batch of many, one after the other. */
async function microseconds(server: Server, batch: number): Promise<number> {
  const transport = server.transport(adminUser);
  const { group, version, plural } = ConfigMaps;
  // Processor time: what else the machine does is none of it.
  const start = process.cpuUsage();
  for (let index = 0; index < perBatch; index++) {
    const body = { metadata: { name: `map-${batch}-${index}` }, data: { text: "x".repeat(1_900) } };
    await transport.send({ verb: "create", group, version, plural, namespace: "default", body }, signal);
  }
  const { user, system } = process.cpuUsage(start);
  return (user + system) / perBatch;
}
