import type { CustomResourceDefinition } from "@skiff/api";

const group = "snapshot.storage.k8s.io";
const text = { type: "string" };
const flag = { type: "boolean" };
const time = { type: "string", format: "date-time" };
const bytes = { type: "integer", format: "int64", minimum: 0 };
const policy = { type: "string", enum: ["Delete", "Retain"] };
const error = { type: "object", properties: { message: text, time } };
const fixed = (message: string) => [{ rule: "self == oldSelf", message }];

interface Kind {
  readonly kind: string;
  readonly plural: string;
  readonly scope: "Namespaced" | "Cluster";
  readonly shortNames: string[];
  readonly columns: readonly (readonly [name: string, type: string, path: string])[];
  readonly properties: Record<string, object>;
  readonly required: string[];
  readonly hasStatus: boolean;
}

const age = ["Age", "date", ".metadata.creationTimestamp"] as const;

const snapshots: Kind = {
  kind: "VolumeSnapshot",
  plural: "volumesnapshots",
  scope: "Namespaced",
  shortNames: ["vs"],
  hasStatus: true,
  columns: [
    ["ReadyToUse", "boolean", ".status.readyToUse"],
    ["SourcePVC", "string", ".spec.source.persistentVolumeClaimName"],
    ["SourceSnapshotContent", "string", ".spec.source.volumeSnapshotContentName"],
    ["RestoreSize", "string", ".status.restoreSize"],
    ["SnapshotClass", "string", ".spec.volumeSnapshotClassName"],
    ["SnapshotContent", "string", ".status.boundVolumeSnapshotContentName"],
    ["CreationTime", "date", ".status.creationTime"],
    age,
  ],
  required: ["spec"],
  properties: {
    spec: {
      type: "object",
      required: ["source"],
      properties: {
        source: {
          type: "object",
          properties: {
            persistentVolumeClaimName: {
              ...text,
              "x-kubernetes-validations": fixed("persistentVolumeClaimName is immutable"),
            },
            volumeSnapshotContentName: {
              ...text,
              "x-kubernetes-validations": fixed("volumeSnapshotContentName is immutable"),
            },
          },
          oneOf: [{ required: ["persistentVolumeClaimName"] }, { required: ["volumeSnapshotContentName"] }],
        },
        volumeSnapshotClassName: {
          ...text,
          "x-kubernetes-validations": [
            { rule: "size(self) > 0", message: "volumeSnapshotClassName must not be the empty string when set" },
          ],
        },
      },
    },
    status: {
      type: "object",
      properties: {
        boundVolumeSnapshotContentName: text,
        creationTime: time,
        error,
        readyToUse: flag,
        restoreSize: {
          anyOf: [{ type: "integer" }, { type: "string" }],
          "x-kubernetes-int-or-string": true,
        },
        volumeGroupSnapshotName: text,
      },
    },
  },
};

const reference = {
  apiVersion: text,
  fieldPath: text,
  kind: text,
  name: text,
  namespace: text,
  resourceVersion: text,
  uid: text,
};

const contents: Kind = {
  kind: "VolumeSnapshotContent",
  plural: "volumesnapshotcontents",
  scope: "Cluster",
  shortNames: ["vsc", "vscs"],
  hasStatus: true,
  columns: [
    ["ReadyToUse", "boolean", ".status.readyToUse"],
    ["RestoreSize", "integer", ".status.restoreSize"],
    ["DeletionPolicy", "string", ".spec.deletionPolicy"],
    ["Driver", "string", ".spec.driver"],
    ["VolumeSnapshotClass", "string", ".spec.volumeSnapshotClassName"],
    ["VolumeSnapshot", "string", ".spec.volumeSnapshotRef.name"],
    ["VolumeSnapshotNamespace", "string", ".spec.volumeSnapshotRef.namespace"],
    age,
  ],
  required: ["spec"],
  properties: {
    spec: {
      type: "object",
      required: ["deletionPolicy", "driver", "source", "volumeSnapshotRef"],
      properties: {
        deletionPolicy: policy,
        driver: text,
        source: {
          type: "object",
          properties: {
            snapshotHandle: { ...text, "x-kubernetes-validations": fixed("snapshotHandle is immutable") },
            volumeHandle: { ...text, "x-kubernetes-validations": fixed("volumeHandle is immutable") },
          },
          oneOf: [{ required: ["volumeHandle"] }, { required: ["snapshotHandle"] }],
        },
        sourceVolumeMode: { ...text, "x-kubernetes-validations": fixed("sourceVolumeMode is immutable") },
        volumeSnapshotClassName: text,
        volumeSnapshotRef: { type: "object", properties: reference, "x-kubernetes-map-type": "atomic" },
      },
    },
    status: {
      type: "object",
      properties: {
        creationTime: { type: "integer", format: "int64" },
        error,
        readyToUse: flag,
        restoreSize: bytes,
        snapshotHandle: text,
        volumeGroupSnapshotHandle: text,
      },
    },
  },
};

const classes: Kind = {
  kind: "VolumeSnapshotClass",
  plural: "volumesnapshotclasses",
  scope: "Cluster",
  shortNames: ["vsclass", "vsclasses"],
  hasStatus: false,
  columns: [["Driver", "string", ".driver"], ["DeletionPolicy", "string", ".deletionPolicy"], age],
  required: ["deletionPolicy", "driver"],
  properties: {
    deletionPolicy: policy,
    driver: text,
    parameters: { type: "object", additionalProperties: text },
  },
};

const definition = (kind: Kind): CustomResourceDefinition => {
  const names = {
    kind: kind.kind,
    listKind: `${kind.kind}List`,
    plural: kind.plural,
    singular: kind.kind.toLowerCase(),
    shortNames: kind.shortNames,
  };
  return {
    metadata: {
      name: `${kind.plural}.${group}`,
      annotations: { "api-approved.kubernetes.io": "https://github.com/kubernetes-csi/external-snapshotter/pull/814" },
      uid: "",
      resourceVersion: "",
      creationTimestamp: "",
    },
    spec: {
      group,
      names,
      scope: kind.scope,
      versions: [
        {
          name: "v1",
          served: true,
          storage: true,
          additionalPrinterColumns: kind.columns.map(([name, type, jsonPath]) => ({ name, type, jsonPath })),
          schema: {
            openAPIV3Schema: {
              type: "object",
              required: kind.required,
              properties: { apiVersion: text, kind: text, metadata: { type: "object" }, ...kind.properties },
            },
          },
          ...(kind.hasStatus ? { subresources: { status: {} } } : {}),
        },
      ],
    },
    status: { acceptedNames: names, conditions: [], storedVersions: ["v1"] },
  };
};

/** The definitions of VolumeSnapshots, their contents and classes, as clusters with snapshots have them. */
export const snapshotDefinitions = [snapshots, contents, classes].map(definition);
