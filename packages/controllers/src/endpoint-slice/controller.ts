import { EndpointSlices, type Node, Nodes, type Pod, Pods, type Service, Services } from "@skiff/api";
import { jsonEqual } from "@skiff/base";
import { defineController, done, type Loop, type Outcome, type ReconcileContext, watching } from "@skiff/control-loop";
import { isNodeReady } from "../node-lifecycle/plan.ts";
import { familiesOf, selects, servicesOf } from "../service-pods/service-pods.ts";
import { sharesByZone } from "./endpoint.ts";
import {
  managedBy,
  managedByLabel,
  planEndpointSlices,
  planSharedSlices,
  podsWithoutNode,
  serviceNameLabel,
} from "./plan.ts";
import { writeSlices } from "./write-slices.ts";
import { zoneShares } from "./zone-allocations.ts";
import type { HintsOutcome } from "./zone-hints.ts";

const byService = "service, of this controller";

/** Says where each Service's pods are. https://kubernetes.io/docs/concepts/services-networking/endpoint-slices/ */
export function endpointSliceController(): Loop {
  const hints = new HintEvents();
  return defineController<Service>({
    name: "endpoint-slice",
    component: "endpoint-slice-controller",
    for: Services,
    restMs: 50,
    watches: [
      watching(Pods, (pod, caches) => servicesOf(pod, caches).map(({ metadata }) => metadata)),
      watching(EndpointSlices, ({ metadata }) => {
        const name = metadata.labels?.[serviceNameLabel];
        const own = metadata.labels?.[managedByLabel] === managedBy;
        return name === undefined || !own ? [] : [{ namespace: metadata.namespace, name }];
      }),
      watching(
        Nodes,
        (_, { cached }) =>
          cached(Services)
            .list()
            .filter(({ metadata }) => sharesByZone(metadata.annotations))
            .map(({ metadata }) => metadata),
        (old, node) => !jsonEqual(capacityOf(old), capacityOf(node)),
      ),
    ],
    async reconcile(service, context) {
      const { cached } = context;
      const { selector, type } = service.spec;
      const leaves = service.metadata.deletionTimestamp !== undefined;
      if (selector === undefined || type === "ExternalName" || leaves) return done;
      const { namespace, name } = service.metadata;
      const cache = cached(EndpointSlices);
      cache.addIndex(byService, ({ metadata: { labels, namespace } }) =>
        labels?.[managedByLabel] === managedBy ? [`${namespace}/${labels[serviceNameLabel]}`] : [],
      );
      const nodeNamed = (node: string) => cached(Nodes).get(node);
      const pods = cached(Pods)
        .list(namespace)
        .filter(({ metadata }) => selects(selector, metadata.labels));
      const lost = podsWithoutNode({ service, pods, nodeNamed });
      const observed = {
        service,
        pods: lost.length === 0 ? pods : pods.filter((pod) => !lost.includes(pod)),
        slices: cache
          .byIndex(byService, `${namespace}/${name}`)
          .filter(({ metadata }) => metadata.deletionTimestamp === undefined),
        nodeNamed,
      };
      if (!sharesByZone(service.metadata.annotations)) {
        await writeSlices(planEndpointSlices(observed), context);
        hints.tell(service, new Map(), context);
        return outcomeOf(service, lost, context);
      }
      const { plan, outcomes } = planSharedSlices(observed, zoneShares(cached(Nodes).list()));
      await writeSlices(plan, context);
      hints.tell(service, outcomes, context);
      return outcomeOf(service, lost, context);
    },
    async gone({ namespace, name }) {
      hints.forget(`${namespace}/${name}`);
      return done;
    },
  });
}

/** Nodes of pods may be new, and be heard of in a moment: it is tried again, after a growing delay. */
function outcomeOf(service: Service, lost: readonly Pod[], { recorder }: ReconcileContext): Outcome {
  if (lost.length === 0) return done;
  const who = `${service.metadata.namespace}/${service.metadata.name}`;
  const skipped = lost.map(
    ({ metadata, spec }) => `skipping Pod ${metadata.name} for Service ${who}: Node ${spec.nodeName ?? ""} Not Found`,
  );
  const why = skipped.length === 1 ? skipped.join("") : `[${skipped.join(", ")}]`;
  const message = `Error updating Endpoint Slices for Service ${who}: ${why}`;
  recorder.record(Services, service, { type: "Warning", reason: "FailedToUpdateEndpointSlices", message });
  throw new Error(message);
}

/** What of a node decides how endpoints are shared out. */
const capacityOf = (node: Node) => [node.metadata.labels, isNodeReady(node), node.status?.allocatable?.cpu];

/** Tells of Services whose endpoints are shared out among zones, and of those where that is not possible. */
class HintEvents {
  /** Services with hints. */
  readonly #hinted = new Set<string>();

  tell(service: Service, outcomes: ReadonlyMap<string, HintsOutcome>, { recorder }: ReconcileContext): void {
    const key = `${service.metadata.namespace}/${service.metadata.name}`;
    const record = (type: "Normal" | "Warning", reason: string, text: string, family: string) =>
      recorder.record(Services, service, { type, reason, message: `${text}, addressType: ${family}` });
    const disabled = "TopologyAwareHintsDisabled";
    if (outcomes.size === 0 && this.#hinted.delete(key)) {
      for (const family of familiesOf(service)) {
        record("Warning", disabled, "Topology Aware Hints has been disabled", family);
      }
    }
    for (const [family, outcome] of outcomes) {
      if (outcome.kind === "disabled") {
        this.#hinted.delete(key);
        record("Warning", disabled, outcome.why, family);
      } else if (!this.#hinted.has(key)) {
        this.#hinted.add(key);
        record("Normal", "TopologyAwareHintsEnabled", "Topology Aware Hints has been enabled", family);
      }
    }
  }

  forget(key: string): void {
    this.#hinted.delete(key);
  }
}
