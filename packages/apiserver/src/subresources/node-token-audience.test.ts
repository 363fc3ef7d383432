import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type CSIDriver,
  CSIDrivers,
  type PersistentVolume,
  type PersistentVolumeClaim,
  PersistentVolumeClaims,
  PersistentVolumes,
  type Pod,
} from "@skiff/api";
import type { AccessRequest } from "../authorization/access.ts";
import { fakeTable } from "../fixtures/fake-table.ts";
import { clusterMeta, namespacedMeta } from "../fixtures/objects.ts";
import { refusedAudience } from "./node-token-audience.ts";

const kubelet = { name: "system:node:n1", groups: ["system:nodes"] };

const driver: CSIDriver = {
  metadata: clusterMeta("vault.example.com"),
  spec: { tokenRequests: [{ audience: "vault" }] },
};
const successor: CSIDriver = {
  metadata: clusterMeta("ebs.csi.aws.com"),
  spec: { tokenRequests: [{ audience: "aws" }] },
};
const claim = (name: string, volumeName: string): PersistentVolumeClaim => ({
  metadata: namespacedMeta(name),
  spec: { volumeName },
  status: {},
});
const volume = (name: string, source: PersistentVolume["spec"]): PersistentVolume => ({
  metadata: clusterMeta(name),
  spec: source,
  status: {},
});
const table = fakeTable([
  [CSIDrivers, [driver, successor]],
  [
    PersistentVolumeClaims,
    [claim("data", "pv-csi"), claim("web-scratch", "pv-csi"), claim("old", "pv-aws"), claim("waits", "")],
  ],
  [
    PersistentVolumes,
    [
      volume("pv-csi", { csi: { driver: "vault.example.com", volumeHandle: "1" } }),
      volume("pv-aws", { awsElasticBlockStore: { volumeID: "1" } }),
    ],
  ],
]);

type Volumes = NonNullable<NonNullable<Pod["spec"]>["volumes"]>;

/** Asks as a kubelet would; only the audience `granted` is allowed by authorization. */
async function ask(volumes: Volumes, audiences: readonly string[]): Promise<string | undefined> {
  const pod: Pod = { metadata: namespacedMeta("web"), spec: { containers: [], volumes }, status: {} };
  const authorizer = {
    authorize: ({ user, request }: AccessRequest) => {
      assert.equal(user, kubelet);
      assert.ok(request.kind === "resource" && request.verb === "request-serviceaccounts-token-audience");
      assert.deepEqual([request.group, request.namespace, request.name], ["", "default", "robot"]);
      return { kind: request.plural === "granted" ? "allowed" : "noOpinion", reason: "" } as const;
    },
  };
  return await refusedAudience({ table, authorizer }, { user: kubelet, pod, account: "robot", audiences });
}

const token = (audience?: string): Volumes[number] => ({
  name: "token",
  projected: { sources: [{ serviceAccountToken: { path: "token", ...(audience === undefined ? {} : { audience }) } }] },
});
const none = (audience: string) =>
  `audience "${audience}" not found in pod spec volume, system:node:n1 is not authorized to request tokens for this audience`;
const scratch = { volumeClaimTemplate: { spec: { accessModes: ["ReadWriteOnce"], resources: {} } } };

for (const [what, volumes, audiences, expected] of [
  ["the API's own audience, projected", [token()], [], undefined],
  ["another one, projected", [token("vault")], ["vault"], undefined],
  ["one that is not projected", [token("vault")], ["other"], none("other")],
  ["the API's own where only another is projected", [token("vault")], [], none("")],
  ["any, by a pod without volumes", [], [], none("")],
  ["two", [token()], ["a", "b"], "node may only request 0 or 1 audiences"],
  ["one that the node was granted", [], ["granted"], undefined],
  ["a driver's, in line", [{ name: "v", csi: { driver: "vault.example.com" } }], ["vault"], undefined],
  ["a driver's, by claim", [{ name: "v", persistentVolumeClaim: { claimName: "data" } }], ["vault"], undefined],
  ["a driver's, by a claim of the pod's own", [{ name: "scratch", ephemeral: scratch }], ["vault"], undefined],
  ["that of an old volume's driver", [{ name: "v", persistentVolumeClaim: { claimName: "old" } }], ["aws"], undefined],
  [
    "that of an old volume's driver, in line",
    [{ name: "v", awsElasticBlockStore: { volumeID: "1" } }],
    ["aws"],
    undefined,
  ],
  ["another than the driver's", [{ name: "v", csi: { driver: "vault.example.com" } }], ["aws"], none("aws")],
  [
    "one with volumes that are not there",
    [
      { name: "a", persistentVolumeClaim: { claimName: "none" } },
      { name: "b", persistentVolumeClaim: { claimName: "waits" } },
    ],
    ["vault"],
    'error validating audience "vault": [persistentvolumeclaim "none" not found, persistentvolume "" not found]',
  ],
  [
    "one with a driver that is not there",
    [{ name: "a", csi: { driver: "none.example.com" } }],
    ["granted"],
    'error validating audience "granted": csidriver.storage.k8s.io "none.example.com" not found',
  ],
  [
    "one that is found behind a volume that is not there",
    [{ name: "a", persistentVolumeClaim: { claimName: "none" } }, token("vault")],
    ["vault"],
    undefined,
  ],
] satisfies readonly (readonly [string, Volumes, readonly string[], string | undefined])[])
  test(`a kubelet asks for an audience: ${what}`, async () => {
    assert.equal(await ask(volumes, audiences), expected);
  });
