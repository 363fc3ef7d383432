import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, it } from "node:test";
import { systemClock } from "@skiff/base";
import { cdiSpec, heldClaim, TestClaimDriver } from "../fixtures/claim-driver.ts";
import { type ContainerdNode, startContainerdNode } from "../fixtures/containerd-node.ts";

const { signal } = new AbortController();
let machine: ContainerdNode;
before(async () => {
  machine = await startContainerdNode();
});
after(async () => {
  await machine[Symbol.asyncDispose]();
});

const until = async (condition: () => boolean) => {
  while (!condition()) await systemClock.sleep(10, signal);
};

it("a container sees what the devices of its claim change, and no other container does", async () => {
  const { node } = machine;
  const kind = `skiff-test-${process.pid}.example.com/card`;
  await using _ = await cdiSpec(kind, [
    {
      name: "card0",
      containerEdits: {
        env: ["CARD=card0"],
        deviceNodes: [{ path: "/dev/card0", hostPath: "/dev/null", permissions: "rw" }],
        mounts: [{ hostPath: node.folder, containerPath: "/opt/card", options: ["ro", "rbind"] }],
      },
    },
  ]);
  const name = "cards.example.com";
  await using driver = await TestClaimDriver.start({
    name,
    rootFolder: join(node.folder, "kubelet"),
    prepare: () => ({
      devices: [{ requestNames: ["card"], poolName: "node-1", deviceName: "card0", cdiDeviceIds: [`${kind}=card0`] }],
    }),
  });
  node.api.put("resourceclaims", heldClaim("held", name, ["uid-uses"]));
  const script =
    '{ echo "$CARD $KIND"; [ -c /dev/card0 ] && echo device; [ -d /opt/card/kubelet ] && echo files; } >/dev/termination-log';
  const container = (of: string, claims: readonly { name: string; request?: string }[]) => ({
    name: of,
    image: "skiff/hello:1",
    command: ["sh", "-c", script],
    resources: { claims: [...claims] },
  });
  node.create(
    "uses",
    {
      restartPolicy: "Never",
      containers: [
        container("with", [{ name: "c", request: "card" }]),
        container("all", [{ name: "c" }]),
        container("without", []),
      ],
      resourceClaims: [{ name: "c", resourceClaimName: "held" }],
    },
    { uid: "uid-uses" },
  );
  await until(() => node.pod("uses")?.status.phase === "Succeeded" || node.pod("uses")?.status.phase === "Failed");
  const said = (of: string, pod = "uses") =>
    node
      .pod(pod)
      ?.status.containerStatuses?.find((one) => one.name === of)
      ?.state?.terminated?.message?.trim();
  assert.deepEqual(
    ["with", "all", "without"].map((of) => said(of)),
    ["card0 card\ndevice\nfiles", "card0 card\ndevice\nfiles", ""],
  );
  assert.deepEqual([driver.prepared, driver.unprepared], [["held"], ["held"]]);

  // The same devices, asked for by the name of a resource.
  node.api.put("resourceclaims", heldClaim("made", name, ["uid-names"]));
  const resource = "example.com/card";
  const resources = { requests: { [resource]: "1" }, limits: { [resource]: "1" } };
  node.api.put("pods", {
    metadata: { name: "names", namespace: "default", uid: "uid-names" },
    spec: {
      nodeName: "node-1",
      restartPolicy: "Never",
      containers: [{ ...container("with", []), resources }, container("without", [])],
    },
    status: {
      extendedResourceClaimStatus: {
        requestMappings: [{ containerName: "with", resourceName: resource, requestName: "card" }],
        resourceClaimName: "made",
      },
    },
  });
  await until(() => ["Succeeded", "Failed"].includes(node.pod("names")?.status.phase ?? ""));
  assert.deepEqual([said("with", "names"), said("without", "names")], ["card0 card\ndevice\nfiles", ""]);
});
