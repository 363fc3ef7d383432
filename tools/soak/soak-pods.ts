import type { New, Pod } from "@skiff/api";
import type { Random } from "@skiff/base";

const image = "skiff/hello:1";
type Spec = Partial<Pod["spec"]>;
type Container = Pod["spec"]["containers"][number];

const shell = (script: string, more: Partial<Container> = {}): Container => ({
  name: "main",
  image,
  command: ["sh", "-c", script],
  ...more,
});
const mounts = (...names: readonly string[]) => names.map((name) => ({ name, mountPath: `/${name}` }));

/** What pods of a soak are: of everything that leaves traces on a machine, a bit. */
const shapes: readonly ((random: Random) => Spec)[] = [
  () => ({}),
  () => ({ restartPolicy: "Never", containers: [shell("exit 0")] }),
  () => ({ restartPolicy: "Never", containers: [shell("exit 3")] }),
  () => ({ containers: [shell("sleep 1; exit 1")] }),
  () => ({ containers: [shell("trap '' TERM; while true; do sleep 1; done")] }),
  () => ({
    initContainers: [shell("true", { name: "init" }), { name: "side", image, restartPolicy: "Always" }],
    containers: [shell("sleep 3600")],
  }),
  () => ({
    containers: [shell("echo x >/disk/x; echo y >/memory/y; sleep 3600", { volumeMounts: mounts("disk", "memory") })],
    volumes: [
      { name: "disk", emptyDir: {} },
      { name: "memory", emptyDir: { medium: "Memory" } },
    ],
  }),
  () => ({
    containers: [
      shell("cat /files/key /part; sleep 3600", {
        volumeMounts: [...mounts("files"), { name: "files", mountPath: "/part", subPath: "key" }],
      }),
    ],
    volumes: [
      { name: "files", projected: { sources: [{ configMap: { name: "soak" } }, { secret: { name: "soak" } }] } },
    ],
  }),
  (random) => ({
    containers: [
      { name: "main", image, ports: [{ containerPort: 80, hostPort: 40_000 + Math.floor(random.next() * 9000) }] },
    ],
  }),
  () => ({
    containers: [
      {
        name: "main",
        image,
        resources: { requests: { cpu: "10m", memory: "16Mi" }, limits: { cpu: "500m", memory: "64Mi" } },
        livenessProbe: { exec: { command: ["true"] }, periodSeconds: 1 },
        readinessProbe: { httpGet: { path: "/", port: 80 }, periodSeconds: 1 },
        lifecycle: { preStop: { exec: { command: ["sleep", "0.2"] } } },
      },
    ],
  }),
  () => ({ hostNetwork: true, shareProcessNamespace: true, containers: [shell("sleep 3600")] }),
];

/** A pod of a shape by chance. The same chance gives the same pods. */
export function soakPod(name: string, random: Random): New<Pod> {
  const spec = shapes[Math.floor(random.next() * shapes.length)]?.(random) ?? {};
  return {
    metadata: { name, namespace: "default" },
    spec: { terminationGracePeriodSeconds: 1, containers: [{ name: "main", image }], ...spec },
  };
}
