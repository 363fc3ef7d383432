/** Rules of pods about systems, users, names and restarts. */

import { type RuleRow, testCreations } from "../../fixtures/rule-tables.ts";
import type { Container, Pod } from "../../generated/types/core-v1.ts";
import { Pods } from "../definitions.ts";
import { samplePod } from "../sample-objects.ts";

const container = (change: Partial<Container>) => (pod: Pod) => {
  Object.assign(pod.spec.containers[0] as Container, change);
};
const forWindows = (member: string) => `spec.${member}: Forbidden: cannot be set for a windows pod`;
const rules = "spec.containers[0].restartPolicyRules";
const options = "spec.securityContext.windowsOptions";

const systems: readonly RuleRow<Pod>[] = [
  [
    "windows options on linux",
    ({ spec }) => {
      spec.os = { name: "linux" };
      spec.securityContext = { windowsOptions: { runAsUserName: "me" } };
      (spec.containers[0] as Container).securityContext = { windowsOptions: {} };
    },
    `${options}: Forbidden: windows options cannot be set for a linux pod`,
    "spec.containers[0].securityContext.windowsOptions: Forbidden: windows options cannot be set for a linux pod",
  ],
  [
    "linux settings on windows",
    ({ spec }) => {
      spec.os = { name: "windows" };
      spec.hostPID = true;
      spec.hostIPC = false;
      spec.shareProcessNamespace = false;
      spec.securityContext = { fsGroup: 1, runAsUser: 2, sysctls: [], seccompProfile: { type: "Unconfined" } };
      (spec.containers[0] as Container).securityContext = { privileged: false, capabilities: {}, runAsNonRoot: true };
    },
    forWindows("hostPID"),
    forWindows("securityContext.seccompProfile"),
    forWindows("securityContext.fsGroup"),
    forWindows("shareProcessNamespace"),
    forWindows("securityContext.runAsUser"),
    forWindows("containers[0].securityContext.capabilities"),
    forWindows("containers[0].securityContext.privileged"),
  ],
  [
    "some host processes",
    ({ spec }) => {
      spec.containers.push({ name: "b", image: "b", securityContext: { windowsOptions: { hostProcess: true } } });
    },
    'spec: Invalid value: "": If pod contains any hostProcess containers then all containers must be HostProcess containers',
    "spec.hostNetwork: Invalid value: false: hostNetwork must be true if pod contains any hostProcess containers",
  ],
  [
    "host processes of two minds",
    ({ spec }) => {
      spec.securityContext = { windowsOptions: { hostProcess: true } };
      spec.hostNetwork = true;
      (spec.containers[0] as Container).securityContext = { windowsOptions: { hostProcess: false } };
    },
    "spec.containers[0].securityContext.windowsOptions.hostProcess: Invalid value: false: pod hostProcess value must be identical if both are specified, was true",
  ],
  ...(
    [
      ["", "runAsUserName cannot be an empty string"],
      ["a\tb", "runAsUserName cannot contain control characters"],
      ["a\\b\\c", "runAsUserName cannot contain more than one backslash"],
      ["a\\", "runAsUserName's User cannot be empty"],
      ["..", "runAsUserName's User cannot contain only periods or spaces"],
      ["a".repeat(105), "runAsUserName's User length must not be longer than 104 characters"],
      [".a\\b", "runAsUserName's Domain doesn't match the NetBios nor the DNS format"],
    ] as const
  ).map(
    ([runAsUserName, problem]): RuleRow<Pod> => [
      `windows user ${runAsUserName}`,
      ({ spec }) => {
        spec.securityContext = { windowsOptions: { runAsUserName } };
      },
      `${options}.runAsUserName: Invalid value: ${JSON.stringify(runAsUserName)}: ${problem}`,
    ],
  ),
  [
    "windows user with a domain",
    ({ spec }) => {
      spec.securityContext = { windowsOptions: { runAsUserName: "NT AUTHORITY\\NETWORK SERVICE" } };
    },
  ],
];

const restarts: readonly RuleRow<Pod>[] = [
  [
    "rules without a policy",
    container({ restartPolicyRules: [{ action: "Restart", exitCodes: { operator: "In", values: [3] } }] }),
    "spec.containers[0].restartPolicy: Required value: must specify restartPolicy when restart rules are used",
  ],
  [
    "wrong rules",
    container({
      restartPolicy: "Never",
      restartPolicyRules: [
        { action: "DoNotRestart" },
        { action: "RestartAllContainers", exitCodes: { operator: "Equals", values: [3] } },
      ],
    }),
    `${rules}[0].action: Unsupported value: "DoNotRestart": supported values: "Restart", "RestartAllContainers"`,
    `${rules}[0].exitCodes: Required value: must be specified`,
    `${rules}[1].exitCodes.operator: Unsupported value: "Equals": supported values: "In", "NotIn"`,
  ],
  [
    "too many rules",
    container({
      restartPolicy: "Never",
      restartPolicyRules: Array.from({ length: 21 }, () => ({ action: "Restart", exitCodes: { operator: "In" } })),
    }),
    `${rules}: Too many: 21: must have at most 20 items`,
  ],
];

const names: readonly RuleRow<Pod>[] = [
  [
    "a hostname besides others",
    ({ spec }) => {
      spec.hostnameOverride = `${"a".repeat(65)}_`;
      spec.setHostnameAsFQDN = true;
      spec.hostNetwork = true;
    },
    "spec.hostnameOverride: Forbidden: may not be specified when setHostnameAsFQDN is true",
    "spec.hostnameOverride: Forbidden: may not be specified when hostNetwork is true",
    "spec.hostnameOverride: Too long: may not be more than 64 bytes",
    `spec.hostnameOverride: Invalid value: "${"a".repeat(65)}_": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')`,
  ],
  [
    "users of its own with much of the host",
    ({ spec }) => {
      Object.assign(spec, { hostUsers: false, hostPID: true, hostIPC: true });
      spec.volumes = [{ name: "disk", persistentVolumeClaim: { claimName: "disk" } }];
      (spec.containers[0] as Container).volumeDevices = [{ name: "disk", devicePath: "/dev/disk" }];
    },
    "spec.hostPID: Forbidden: when `hostUsers` is false",
    "spec.hostIPC: Forbidden: when `hostUsers` is false",
    "spec.containers[0].volumeDevices: Forbidden: when `hostUsers` is false",
  ],
  [
    "variables from files of other volumes",
    ({ spec }) => {
      spec.volumes = [{ name: "map", configMap: { name: "map" } }];
      (spec.containers[0] as Container).env = ["map", "none"].map((volumeName) => ({
        name: "A",
        valueFrom: { fileKeyRef: { volumeName, path: "a", key: "b" } },
      }));
    },
    'spec.containers[0].env[0].valueFrom.fileKeyRef.volumeName: Invalid value: "map": referenced volume must be of type emptyDir',
    'spec.containers[0].env[1].valueFrom.fileKeyRef.volumeName: Not found: "none"',
  ],
];

const seccomp = "seccomp.security.alpha.kubernetes.io";
const appArmor = "container.apparmor.security.beta.kubernetes.io";

const profiles: readonly RuleRow<Pod>[] = [
  [
    "profiles in annotations",
    ({ metadata }) => {
      metadata.annotations = {
        [`${appArmor}/web`]: "localhost/strict",
        [`${appArmor}/other`]: "strict",
        [`${seccomp}/pod`]: "strict",
        [`container.${seccomp}/web`]: "localhost/../strict",
        [`container.${seccomp}/other`]: "docker/default",
      };
    },
    `metadata.annotations.${seccomp}/pod: Invalid value: "strict": must be a valid seccomp profile`,
    `metadata.annotations.container.${seccomp}/web: Invalid value: "../strict": must not contain '..'`,
    `metadata.annotations[${appArmor}/other]: Invalid value: "other": container not found`,
    `metadata.annotations[${appArmor}/other]: Invalid value: "strict": invalid AppArmor profile name: "strict"`,
  ],
];

testCreations(Pods, samplePod(), [...systems, ...restarts, ...names, ...profiles]);
