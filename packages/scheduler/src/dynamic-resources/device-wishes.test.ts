import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Container, classesByResource, type DeviceClass } from "@skiff/api";
import { pod } from "../fixtures/objects.ts";
import { deviceResourcesOf, deviceWishes } from "./device-wishes.ts";

const deviceClass = (name: string, resource?: string, creationTimestamp = "2026-01-01T00:00:00Z"): DeviceClass => ({
  metadata: { name, uid: name, resourceVersion: "1", creationTimestamp },
  spec: resource === undefined ? {} : { extendedResourceName: resource },
});
const gpu = "example.com/gpu";
const own = "deviceclass.resource.kubernetes.io/disk";
const classes = classesByResource([deviceClass("gpus", gpu), deviceClass("disk")]);
const container = (name: string, requests: Record<string, string>, more: Partial<Container> = {}): Container => ({
  name,
  image: "i",
  resources: { requests },
  ...more,
});
const sidecar = { restartPolicy: "Always" };

/** Requests as `name=class*count`, then mappings as `container:resource=request`. */
function wished(containers: Container[], initContainers: Container[] = []): readonly string[] {
  const one = pod("p", { containers, initContainers });
  const { requests, mappings } = deviceWishes(one, [gpu, own], classes);
  return [
    requests.map(({ name, exactly }) => `${name}=${exactly?.deviceClassName}*${exactly?.count}`).join(" "),
    mappings.map((to) => `${to.containerName}:${to.resourceName.split("/")[1]}=${to.requestName}`).join(" "),
  ];
}

describe("devices by the names of resources", () => {
  for (const [what, found, expected] of [
    [
      "one container",
      wished([container("a", { cpu: "1", [gpu]: "2" })]),
      ["container-0-request-1=gpus*2", "a:gpu=container-0-request-1"],
    ],
    [
      "several resources and containers",
      wished([container("a", { [gpu]: "1", [own]: "3" }), container("b", { [gpu]: "1" })]),
      [
        "container-0-request-0=disk*3 container-0-request-1=gpus*1 container-1-request-0=gpus*1",
        "a:disk=container-0-request-0 a:gpu=container-0-request-1 b:gpu=container-1-request-0",
      ],
    ],
    ["nothing of the kind", wished([container("a", { cpu: "1", [gpu]: "0" })]), ["", ""]],
    [
      "a container that ends first, and takes what others have later",
      wished([container("a", { [gpu]: "2" })], [container("first", { [gpu]: "1" })]),
      ["container-1-request-0=gpus*2", "a:gpu=container-1-request-0 first:gpu=container-1-request-0"],
    ],
    [
      "one that takes more than that",
      wished([container("a", { [gpu]: "2" })], [container("first", { [gpu]: "5" })]),
      [
        "container-0-request-0=gpus*3 container-1-request-0=gpus*2",
        "a:gpu=container-1-request-0 first:gpu=container-1-request-0 first:gpu=container-0-request-0",
      ],
    ],
    [
      "two of them, which share what is missing",
      wished([container("a", {})], [container("first", { [gpu]: "1" }), container("second", { [gpu]: "4" })]),
      ["container-1-request-0=gpus*4", "first:gpu=container-1-request-0 second:gpu=container-1-request-0"],
    ],
    [
      "a sidecar, whose devices nobody after it has",
      wished(
        [container("a", { [gpu]: "1" })],
        [container("side", { [gpu]: "1" }, sidecar), container("last", { [gpu]: "2" })],
      ),
      [
        "container-0-request-0=gpus*1 container-1-request-0=gpus*1 container-2-request-0=gpus*1",
        "side:gpu=container-0-request-0 a:gpu=container-2-request-0 last:gpu=container-2-request-0 last:gpu=container-1-request-0",
      ],
    ],
  ] as const)
    it(`are asked for: ${what}`, () => assert.deepEqual(found, expected));

  it("are the classes' own, or those that their specs name", () => {
    const newer = "2026-02-01T00:00:00Z";
    const found = classesByResource([
      deviceClass("b", gpu, newer),
      deviceClass("a", gpu, newer),
      deviceClass("c", gpu),
      deviceClass("plain"),
    ]);
    assert.deepEqual([...found].map(([name, { metadata }]) => `${name}=${metadata.name}`).sort(), [
      "deviceclass.resource.kubernetes.io/a=a",
      "deviceclass.resource.kubernetes.io/b=b",
      "deviceclass.resource.kubernetes.io/c=c",
      "deviceclass.resource.kubernetes.io/plain=plain",
      "example.com/gpu=a",
    ]);
  });

  it("are told from other resources", () => {
    const one = pod("p", { containers: [container("a", { cpu: "1", [gpu]: "1", [own]: "2", "example.com/no": "0" })] });
    assert.deepEqual(deviceResourcesOf(one), [
      [gpu, 1],
      [own, 2],
    ]);
  });
});
