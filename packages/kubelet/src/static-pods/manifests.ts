import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { decodeObject, definitionSchema, type Pod, Pods } from "@skiff/api";
import { describeError, type JsonObject, timestamp } from "@skiff/base";
import { sourceAnnotations } from "./static-pod.ts";

/** What lies in a folder of manifests: the pods, and what could not be read as one. */
export interface Manifests {
  readonly pods: readonly Pod[];
  /** One line for each file that is not a pod. */
  readonly problems: readonly string[];
}

/** Reads every file of a folder as the manifest of a pod, in JSON or YAML; those whose name begins with a dot aside. */
export async function readManifests(folder: string, nodeName: string, nowMs: number): Promise<Manifests> {
  const pods: Pod[] = [];
  const problems: string[] = [];
  const entries = await readdir(folder, { withFileTypes: true });
  for (const { name } of entries.filter((one) => !one.isDirectory() && !one.name.startsWith(".")).sort(byName)) {
    const file = join(folder, name);
    try {
      pods.push(staticPod(await readFile(file, "utf8"), { file, nodeName, nowMs }));
    } catch (error) {
      problems.push(`${file}: ${describeError(error)}`);
    }
  }
  return { pods, problems };
}

const byName = (a: { readonly name: string }, b: { readonly name: string }) => (a.name < b.name ? -1 : 1);

/** The pod of one manifest, as it runs on this node. Throws for what is not a pod, or not a valid one. */
export function staticPod(
  text: string,
  { file, nodeName, nowMs }: { readonly file: string; readonly nodeName: string; readonly nowMs: number },
): Pod {
  const schema = definitionSchema("core.v1.Pod");
  const { value } = decodeObject({
    text,
    format: "yaml",
    schema,
    group: "",
    version: "v1",
    kind: "Pod",
    fieldValidation: "Ignore",
  });
  if (!isWritten(value)) throw new Error("a pod has metadata and a spec");
  // The same text in the same file on the same node is the same pod, also after a restart.
  const hash = createHash("md5")
    .update(JSON.stringify([nodeName, file, value]))
    .digest("hex");
  const seen = timestamp(nowMs);
  const { metadata, spec } = value;
  const pod: Pod = {
    ...value,
    metadata: {
      ...metadata,
      name: `${metadata.name}-${nodeName.toLowerCase()}`,
      namespace: metadata.namespace ?? "default",
      uid: hash,
      resourceVersion: "",
      creationTimestamp: seen,
      annotations: {
        ...metadata.annotations,
        [sourceAnnotations.hash]: hash,
        [sourceAnnotations.seen]: seen,
        [sourceAnnotations.source]: "file",
      },
    },
    spec: {
      ...spec,
      nodeName,
      tolerations: [...(spec.tolerations ?? []), { operator: "Exists", effect: "NoExecute" }],
    },
    status: { phase: "Pending" },
  };
  Pods.defaults(pod);
  const [finding] = Pods.validate(pod);
  if (finding !== undefined) throw new Error(`${finding.field}: ${finding.detail}`);
  return pod;
}

/** A decoded pod before a server has seen it. The schema has been checked by decoding. */
type Written = Pick<Pod, "spec"> & {
  readonly metadata: { readonly name: string } & Partial<Pod["metadata"]>;
};

function isWritten(value: JsonObject): value is JsonObject & Written {
  const { metadata, spec } = value;
  return typeof metadata === "object" && metadata !== null && "name" in metadata && typeof spec === "object";
}
