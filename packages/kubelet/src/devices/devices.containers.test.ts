import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, it } from "node:test";
import { systemClock } from "@skiff/base";
import { type ContainerdNode, startContainerdNode } from "../fixtures/containerd-node.ts";
import { healthy, TestDevicePlugin } from "../fixtures/device-plugin.ts";

const { signal } = new AbortController();
let machine: ContainerdNode;
before(async () => {
  machine = await startContainerdNode();
});
after(async () => {
  await machine[Symbol.asyncDispose]();
});

it("a container sees the variables, files and devices that come with what it was given", async () => {
  const { node } = machine;
  const library = join(node.folder, "library");
  await mkdir(library);
  await writeFile(join(library, "driver.so"), "made for cards");
  const resource = "example.com/card";
  await using plugin = await TestDevicePlugin.start({
    folder: join(node.folder, "kubelet/device-plugins"),
    resource,
    devices: healthy("card0", "card1"),
    options: { preStartRequired: true, getPreferredAllocationAvailable: false },
    respond: (ids) => ({
      envs: { CARDS: ids.join(), OWN: "of the plugin" },
      mounts: [{ containerPath: "/opt/library", hostPath: library, readOnly: true }],
      devices: ids.map((id) => ({ containerPath: `/dev/${id}`, hostPath: "/dev/null", permissions: "rw" })),
    }),
  });
  // Whoever binds pods waits for this: one that comes before the devices are known runs without any.
  while (!JSON.stringify(node.api.get("nodes", "", "node-1")).includes(`"${resource}":"2"`))
    await systemClock.sleep(10, signal);
  const script = [
    'echo "$CARDS $OWN"; cat /opt/library/driver.so; echo',
    "echo x >/dev/card1 && echo written; test -c /dev/card0 && echo character",
    "touch /opt/library/x 2>/dev/null || echo read-only",
  ];
  node.create("uses", {
    restartPolicy: "Never",
    containers: [
      {
        name: "main",
        image: "skiff/hello:1",
        command: ["sh", "-c", `{ ${script.join("; ")}; } >/dev/termination-log`],
        env: [{ name: "OWN", value: "of the pod" }],
        resources: { limits: { [resource]: "2" } },
      },
    ],
  });
  while (node.pod("uses")?.status.phase !== "Succeeded" && node.pod("uses")?.status.phase !== "Failed")
    await systemClock.sleep(10, signal);
  const said = node.pod("uses")?.status.containerStatuses?.[0]?.state?.terminated?.message ?? "";
  assert.deepEqual(said.trim().split("\n"), [
    "card0,card1 of the pod",
    "made for cards",
    "written",
    "character",
    "read-only",
  ]);
  assert.deepEqual(plugin.preStarts, [["card0", "card1"]]);
});
