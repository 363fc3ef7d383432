import type { ResourceDefinition } from "@skiff/api";
import { definePlugin, type Plugin } from "../framework.ts";
import { extenderName } from "./extender.ts";

/** Speaks for extenders: nobody knows what they wait for, so whatever happens may help pods that they rejected. */
export const extenderRetries = (watched: Iterable<ResourceDefinition>): Plugin =>
  definePlugin({
    name: extenderName,
    retryOn: [
      { kind: "nodeAdded" },
      { kind: "nodeUpdated", helps: () => true },
      { kind: "podPlaced", helps: () => true },
      { kind: "podGone", helps: () => true },
      ...[...watched].map((resource) => ({ kind: "object", resource, helps: () => true }) as const),
    ],
  });
