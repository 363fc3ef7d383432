import { asMillis, isNotFound, labelSelectorOf, type MetricIdentifier, type ResourceDefinition } from "@skiff/api";
import { describeError, isAbort, isJsonObject, type JsonObject, type JsonValue } from "@skiff/base";
import type { ResourceSet } from "../resource-set.ts";
import { resourceOfKind } from "../scale-target.ts";
import type { MetricsSource, PodSample, PodSamples } from "./metrics-source.ts";

/** GETs a path with its query. Rejects with `StatusError` where nobody serves it. */
export type ReadApi = (url: string, signal: AbortSignal) => Promise<JsonObject>;

/** Custom metrics are said to be of the last minute where nothing else is told. */
const usualWindowMs = 60_000;
const customVersions = ["v1beta2", "v1beta1"];
const noCustomApi = "no custom metrics API (custom.metrics.k8s.io) registered";

/** The three metrics APIs, whoever serves them. https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/#support-for-metrics-apis */
export function metricsFrom(read: ReadApi, resources: ResourceSet): MetricsSource {
  const list = async (api: string, url: string, signal: AbortSignal): Promise<readonly JsonObject[]> => {
    let items: readonly JsonObject[];
    try {
      items = objects((await read(url, signal)).items);
    } catch (error) {
      if (isAbort(error, signal)) throw error;
      throw new Error(`unable to fetch metrics from ${api} metrics API: ${describeError(error)}`);
    }
    if (items.length === 0) throw new Error(`no metrics returned from ${api} metrics API`);
    return items;
  };
  const custom = async (path: string, signal: AbortSignal): Promise<readonly JsonObject[]> => {
    let version: string | undefined;
    for (const candidate of customVersions) {
      if (await isServed(read, `/apis/custom.metrics.k8s.io/${candidate}`, signal)) {
        version = candidate;
        break;
      }
    }
    if (version === undefined) throw new Error(`unable to fetch metrics from custom metrics API: ${noCustomApi}`);
    return await list("custom", `/apis/custom.metrics.k8s.io/${version}/${path}`, signal);
  };
  return {
    async resource(name, { namespace, selector }, signal) {
      const url = `/apis/metrics.k8s.io/v1beta1/namespaces/${namespace}/pods?${query({ labelSelector: selector })}`;
      const samples = new Map<string, PodSample>();
      for (const item of await list("resource", url, signal)) {
        const sample = podSample(item, name);
        if (sample !== undefined) samples.set(nameOf(item.metadata), sample);
      }
      return samples;
    },
    async pods(metric, { namespace, selector }, signal) {
      const asked = query({ labelSelector: selector, metricLabelSelector: textOf(metric) });
      return customSamples(await custom(`namespaces/${namespace}/pods/*/${metric.name}?${asked}`, signal));
    },
    async object(metric, { namespace = "", name, kind, apiVersion }, signal) {
      const resource = resourceOfKind(resources, { kind, apiVersion });
      if (resource === undefined) {
        throw new Error(
          `unable to fetch metrics from custom metrics API: unable to map kind ${JSON.stringify(kind)} to resource`,
        );
      }
      const place = objectPath(resource, namespace, name);
      const asked = query({ metricLabelSelector: textOf(metric) });
      const [item] = await custom(`${place}/${metric.name}${asked === "" ? "" : `?${asked}`}`, signal);
      return quantityOf(item?.value);
    },
    async external(metric, namespace, signal) {
      const asked = query({ labelSelector: textOf(metric) });
      const url = `/apis/external.metrics.k8s.io/v1beta1/namespaces/${namespace}/${metric.name}`;
      const items = await list("external", asked === "" ? url : `${url}?${asked}`, signal);
      return items.reduce((sum, { value }) => sum + quantityOf(value), 0);
    },
  };
}

async function isServed(read: ReadApi, path: string, signal: AbortSignal): Promise<boolean> {
  try {
    await read(path, signal);
    return true;
  } catch (error) {
    if (isNotFound(error)) return false;
    if (isAbort(error, signal)) throw error;
    throw new Error(`unable to fetch metrics from custom metrics API: ${describeError(error)}`);
  }
}

const objects = (value: JsonValue | undefined): JsonObject[] =>
  Array.isArray(value) ? value.filter(isJsonObject) : [];

const nameOf = (value: JsonValue | undefined): string => (isJsonObject(value) ? String(value.name) : "");

const quantityOf = (value: JsonValue | undefined): number => asMillis(String(value ?? "0"));

const query = (parameters: Readonly<Record<string, string>>): string =>
  new URLSearchParams(Object.entries(parameters).filter(([, text]) => text !== "")).toString();

const textOf = ({ selector }: MetricIdentifier): string =>
  selector === undefined ? "" : labelSelectorOf(selector).text;

/** Where the metrics of an object are: `namespaces/NAMESPACE/PLURAL.GROUP/NAME`. */
function objectPath({ group, plural, scope }: ResourceDefinition, namespace: string, name: string): string {
  const qualified = group === "" ? plural : `${plural}.${group}`;
  if (qualified === "namespaces") return `namespaces/${name}/metrics`;
  return scope === "cluster" ? `${qualified}/${name}` : `namespaces/${namespace}/${qualified}/${name}`;
}

/** `undefined` where a container's figure is missing: then nothing is known of the pod. */
function podSample({ containers, timestamp, window }: JsonObject, resource: string): PodSample | undefined {
  const millis = new Map<string, number>();
  for (const { name, usage } of objects(containers)) {
    const used = isJsonObject(usage) ? usage[resource] : undefined;
    if (used === undefined) return undefined;
    millis.set(String(name), quantityOf(used));
  }
  return { millisByContainer: millis, atMs: Date.parse(String(timestamp)), windowMs: durationMs(String(window)) };
}

function customSamples(items: readonly JsonObject[]): PodSamples {
  return new Map(
    items.map(({ describedObject, value, timestamp, windowSeconds }): [string, PodSample] => [
      nameOf(describedObject),
      {
        millisByContainer: new Map([["", quantityOf(value)]]),
        atMs: Date.parse(String(timestamp)),
        windowMs: typeof windowSeconds === "number" ? windowSeconds * 1000 : usualWindowMs,
      },
    ]),
  );
}

const unitsMs: Readonly<Record<string, number>> = {
  h: 3_600_000,
  m: 60_000,
  s: 1000,
  ms: 1,
  µs: 1e-3,
  us: 1e-3,
  ns: 1e-6,
};

/** A duration as Go writes it: `1m30.5s`. */
export function durationMs(text: string): number {
  let sum = 0;
  for (const [, number, unit = ""] of text.matchAll(/([\d.]+)(h|ms|m|s|µs|us|ns)/g)) {
    sum += Number(number) * (unitsMs[unit] ?? 0);
  }
  return sum;
}
