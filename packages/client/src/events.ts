import type { KubeObject, ResourceDefinition } from "@skiff/api";

/** Writes Kubernetes Events about objects, repeated ones counted instead of written anew. Never fails its caller. */
export interface EventRecorder {
  record<T extends KubeObject>(
    resource: ResourceDefinition<T>,
    object: T,
    event: {
      readonly type: "Normal" | "Warning";
      readonly reason: string;
      readonly message: string;
      readonly fieldPath?: string;
    },
  ): void;
}
