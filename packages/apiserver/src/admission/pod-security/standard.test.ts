import assert from "node:assert/strict";
import { test } from "node:test";
import type { Container, PodSpec } from "@skiff/api";
import { type Level, type Standard, violations, violationsText } from "./standard.ts";

const restrictedContext = {
  allowPrivilegeEscalation: false,
  capabilities: { drop: ["ALL"] },
  runAsNonRoot: true,
  seccompProfile: { type: "RuntimeDefault" },
};

/** A pod that every standard lets in. */
const container = (more: Partial<Container> = {}, context: Container["securityContext"] = {}): Container => ({
  name: "a",
  ...more,
  securityContext: { ...restrictedContext, ...context },
});

const found = (
  spec: Partial<PodSpec>,
  level: Level,
  version: Standard["version"] = "latest",
  annotations = {},
): string =>
  violationsText(
    violations({ level, version }, { metadata: { annotations }, spec: { containers: [container()], ...spec } }),
  );

const withContext = (context: Container["securityContext"]): Partial<PodSpec> => ({
  containers: [container({}, context)],
});
const podContext = (securityContext: PodSpec["securityContext"]): Partial<PodSpec> => ({ securityContext });

const baseline: readonly [Partial<PodSpec>, string][] = [
  [{}, ""],
  [
    { hostNetwork: true, hostIPC: true, hostPID: true },
    "host namespaces (hostNetwork=true, hostPID=true, hostIPC=true)",
  ],
  [{ volumes: [{ name: "v", hostPath: { path: "/" } }] }, 'hostPath volumes (volume "v")'],
  [
    {
      volumes: [
        { name: "v", hostPath: { path: "/" } },
        { name: "w", hostPath: { path: "/" } },
      ],
    },
    'hostPath volumes (volumes "v", "w")',
  ],
  [
    {
      containers: [
        container({
          ports: [
            { containerPort: 1, hostPort: 80 },
            { containerPort: 2, hostPort: 443 },
          ],
        }),
      ],
    },
    'hostPort (container "a" uses hostPorts 443, 80)',
  ],
  [
    {
      containers: [
        container({ ports: [{ containerPort: 1, hostPort: 80 }] }),
        container({ name: "b", ports: [{ containerPort: 1, hostPort: 80 }] }),
      ],
    },
    'hostPort (containers "a", "b" use hostPort 80)',
  ],
  [
    { containers: [container({ livenessProbe: { httpGet: { port: 1, host: "127.0.0.1" } } })] },
    'probe or lifecycle host (container "a" uses probe or lifecycle host "127.0.0.1")',
  ],
  [
    {
      containers: [
        container({
          readinessProbe: { tcpSocket: { port: 1, host: "x" } },
          lifecycle: { preStop: { httpGet: { port: 1, host: "y" } } },
        }),
      ],
    },
    'probe or lifecycle host (container "a" uses probe or lifecycle hosts "x", "y")',
  ],
  [podContext({ sysctls: [{ name: "net.ipv4.tcp_rmem", value: "1" }] }), ""],
  [
    podContext({
      sysctls: [
        { name: "kernel.x", value: "1" },
        { name: "y", value: "1" },
      ],
    }),
    "forbidden sysctls (kernel.x, y)",
  ],
  [
    {
      ...podContext({ windowsOptions: { hostProcess: true } }),
      containers: [container({}, { windowsOptions: { hostProcess: true } })],
    },
    'hostProcess (pod and container "a" must not set securityContext.windowsOptions.hostProcess=true)',
  ],
  [withContext({ privileged: true }), 'privileged (container "a" must not set securityContext.privileged=true)'],
  [
    withContext({ capabilities: { add: ["SYS_ADMIN", "CHOWN", "NET_RAW"] } }),
    'non-default capabilities (container "a" must not include "NET_RAW", "SYS_ADMIN" in securityContext.capabilities.add)',
  ],
  [
    withContext({ procMount: "Unmasked" }),
    'procMount (container "a" must not set securityContext.procMount to "Unmasked")',
  ],
  [{ ...withContext({ procMount: "Unmasked" }), hostUsers: false }, ""],
  [
    podContext({ appArmorProfile: { type: "Unconfined" } }),
    'forbidden AppArmor profile (pod must not set AppArmor profile type to "Unconfined")',
  ],
  [podContext({ seLinuxOptions: { type: "container_engine_t" } }), ""],
  [
    podContext({ seLinuxOptions: { type: "bad_t", user: "u", role: "r" } }),
    'seLinuxOptions (pod set forbidden securityContext.seLinuxOptions: type "bad_t"; user may not be set; role may not be set)',
  ],
  [
    withContext({ seLinuxOptions: { user: "u" } }),
    'seLinuxOptions (container "a" set forbidden securityContext.seLinuxOptions: user may not be set)',
  ],
  [
    {
      ...podContext({ seccompProfile: { type: "Unconfined" } }),
      ...withContext({ seccompProfile: { type: "Unconfined" } }),
    },
    'seccompProfile (pod and container "a" must not set securityContext.seccompProfile.type to "Unconfined")',
  ],
  [
    {
      initContainers: [container({ name: "i" }, { privileged: true })],
      ephemeralContainers: [{ name: "e", securityContext: { privileged: true } }],
    },
    'privileged (containers "i", "e" must not set securityContext.privileged=true)',
  ],
];

const restricted: readonly [Partial<PodSpec>, string][] = [
  [{}, ""],
  [
    { containers: [{ name: "a" }, { name: "b" }] },
    [
      'allowPrivilegeEscalation != false (containers "a", "b" must set securityContext.allowPrivilegeEscalation=false)',
      'unrestricted capabilities (containers "a", "b" must set securityContext.capabilities.drop=["ALL"])',
      'runAsNonRoot != true (pod or containers "a", "b" must set securityContext.runAsNonRoot=true)',
      'seccompProfile (pod or containers "a", "b" must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")',
    ].join(", "),
  ],
  [
    {
      ...podContext({ runAsNonRoot: true, seccompProfile: { type: "Localhost", localhostProfile: "p" } }),
      containers: [
        {
          name: "a",
          securityContext: {
            allowPrivilegeEscalation: false,
            capabilities: { drop: ["ALL"], add: ["NET_BIND_SERVICE"] },
          },
        },
      ],
    },
    "",
  ],
  [
    withContext({ capabilities: { drop: ["NET_RAW"], add: ["CHOWN"] } }),
    'unrestricted capabilities (container "a" must set securityContext.capabilities.drop=["ALL"]; container "a" must not include "CHOWN" in securityContext.capabilities.add)',
  ],
  [
    {
      volumes: [
        { name: "v", hostPath: { path: "/" } },
        { name: "n", nfs: { path: "/", server: "s" } },
        { name: "e", emptyDir: {} },
        { name: "i", image: {} },
      ],
    },
    'restricted volume types (volumes "v", "n" use restricted volume types "hostPath", "nfs")',
  ],
  [podContext({ runAsNonRoot: false }), "runAsNonRoot != true (pod must not set securityContext.runAsNonRoot=false)"],
  [
    { ...podContext({ runAsUser: 0 }), ...withContext({ runAsUser: 0 }) },
    'runAsUser=0 (pod and container "a" must not set runAsUser=0)',
  ],
  [{ ...withContext({ runAsUser: 0 }), hostUsers: false }, ""],
  [
    { ...withContext({ procMount: "Unmasked" }), hostUsers: false },
    'procMount (container "a" must not set securityContext.procMount to "Unmasked")',
  ],
  [
    withContext({ seccompProfile: { type: "Unconfined" } }),
    'seccompProfile (container "a" must not set securityContext.seccompProfile.type to "Unconfined")',
  ],
  [{ os: { name: "windows" }, containers: [{ name: "a", securityContext: { runAsNonRoot: true } }] }, ""],
  [
    { hostNetwork: true, ...withContext({ privileged: true, allowPrivilegeEscalation: true }) },
    'host namespaces (hostNetwork=true), privileged (container "a" must not set securityContext.privileged=true), allowPrivilegeEscalation != false (container "a" must set securityContext.allowPrivilegeEscalation=false)',
  ],
];

test("each control of the baseline", () => {
  for (const [spec, expected] of baseline) {
    assert.equal(found(spec, "baseline"), expected);
    assert.equal(found(spec, "privileged"), "");
  }
});

test("each control of the restricted standard", () => {
  for (const [spec, expected] of restricted) assert.equal(found(spec, "restricted"), expected);
});

test("standards are as they were in a version", () => {
  const rmem = podContext({ sysctls: [{ name: "net.ipv4.tcp_rmem", value: "1" }] });
  assert.equal(found(rmem, "baseline", 31), "forbidden sysctls (net.ipv4.tcp_rmem)");
  assert.equal(found(rmem, "baseline", 32), "");
  const probe = { containers: [container({ livenessProbe: { httpGet: { port: 1, host: "h" } } })] };
  assert.equal(found(probe, "baseline", 33), "");
  assert.notEqual(found(probe, "baseline", 34), "");
  assert.equal(found(withContext({ runAsUser: 0 }), "restricted", 22), "");
  assert.notEqual(found({ ...withContext({ runAsUser: 0 }), hostUsers: false }, "restricted", 34), "");
  const engine = podContext({ seLinuxOptions: { type: "container_engine_t" } });
  assert.match(found(engine, "baseline", 30), /type "container_engine_t"/);
});

test("profiles in annotations", () => {
  const key = "container.apparmor.security.beta.kubernetes.io/a";
  assert.equal(found({}, "baseline", "latest", { [key]: "runtime/default" }), "");
  assert.equal(
    found({}, "baseline", "latest", { [key]: "unconfined" }),
    `forbidden AppArmor profile (annotation must not set AppArmor profile type to "${key}="unconfined"")`,
  );
  assert.equal(
    found({}, "baseline", 18, { "seccomp.security.alpha.kubernetes.io/pod": "unconfined" }),
    'seccompProfile (forbidden annotation seccomp.security.alpha.kubernetes.io/pod="unconfined")',
  );
});
