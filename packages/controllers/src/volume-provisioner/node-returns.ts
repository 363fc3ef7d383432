/** What has to wait while a node is down, whose driver alone can do it. */
import { type KubeObject, type Node, Nodes, type ObjectRef, PersistentVolumes } from "@skiff/api";
import { type Caches, type Watch, watching } from "@skiff/control-loop";
import { isNodeReady } from "../node-lifecycle/plan.ts";
import { isOnlyAt } from "./places.ts";

/** Has these objects of a node looked at when it is Ready again. */
export const watchingReturns = (keys: (node: Node, caches: Caches) => readonly ObjectRef[]): Watch =>
  watching(Nodes, keys, (old, node) => isNodeReady(old) !== isNodeReady(node));

/** The volumes that can be had from the node and not from everywhere. */
export const volumesOn = (node: Node, { cached }: Caches): readonly KubeObject["metadata"][] =>
  cached(PersistentVolumes)
    .list()
    .filter((volume) => isOnlyAt(volume, node))
    .map(({ metadata }) => metadata);

/** The claims of these volumes. */
export const claimsOn = (node: Node, { cached }: Caches): readonly ObjectRef[] =>
  cached(PersistentVolumes)
    .list()
    .filter((volume) => isOnlyAt(volume, node))
    .flatMap(({ spec }) => (spec.claimRef?.name === undefined ? [] : [{ ...spec.claimRef, name: spec.claimRef.name }]));
