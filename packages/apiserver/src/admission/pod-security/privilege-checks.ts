import {
  type Check,
  containersOf,
  containersText,
  hasOwnUsers,
  isWindows,
  namesOf,
  pluralize,
  quotedList,
  type Subject,
  settersText,
  sortedSet,
  type Violation,
} from "./check.ts";

type Judge = (subject: Subject) => Violation | undefined;

const unlessWindows =
  (judge: Judge): Judge =>
  (subject) =>
    isWindows(subject) ? undefined : judge(subject);

const unlessOwnUsers =
  (judge: Judge): Judge =>
  (subject) =>
    hasOwnUsers(subject) ? undefined : judge(subject);

const privileged: Judge = (subject) => {
  const names = namesOf(subject, ({ securityContext }) => securityContext?.privileged === true);
  if (names.length === 0) return undefined;
  return { reason: "privileged", detail: `${containersText(names)} must not set securityContext.privileged=true` };
};

const escalation: Judge = (subject) => {
  const names = namesOf(subject, ({ securityContext }) => securityContext?.allowPrivilegeEscalation !== false);
  if (names.length === 0) return undefined;
  return {
    reason: "allowPrivilegeEscalation != false",
    detail: `${containersText(names)} must set securityContext.allowPrivilegeEscalation=false`,
  };
};

const usualCapabilities: ReadonlySet<string> = new Set([
  "AUDIT_WRITE",
  "CHOWN",
  "DAC_OVERRIDE",
  "FOWNER",
  "FSETID",
  "KILL",
  "MKNOD",
  "NET_BIND_SERVICE",
  "SETFCAP",
  "SETGID",
  "SETPCAP",
  "SETUID",
  "SYS_CHROOT",
]);

/** Who adds capabilities that may not be added, as a sentence. */
function addedText(subject: Subject, mayAdd: (capability: string) => boolean): string | undefined {
  const adding = containersOf(subject).flatMap(({ name, securityContext }) => {
    const wrong = (securityContext?.capabilities?.add ?? []).filter((capability) => !mayAdd(capability));
    return wrong.length === 0 ? [] : [{ name, wrong }];
  });
  if (adding.length === 0) return undefined;
  const names = adding.map(({ name }) => name);
  const wrong = sortedSet(adding.flatMap((one) => one.wrong));
  return `${containersText(names)} must not include ${quotedList(wrong)} in securityContext.capabilities.add`;
}

const capabilities: Judge = (subject) => {
  const detail = addedText(subject, (capability) => usualCapabilities.has(capability));
  return detail === undefined ? undefined : { reason: "non-default capabilities", detail };
};

const fewCapabilities: Judge = (subject) => {
  const keeping = namesOf(
    subject,
    ({ securityContext }) => !(securityContext?.capabilities?.drop ?? []).includes("ALL"),
  );
  const details = [
    ...(keeping.length === 0 ? [] : [`${containersText(keeping)} must set securityContext.capabilities.drop=["ALL"]`]),
    ...[addedText(subject, (capability) => capability === "NET_BIND_SERVICE") ?? []].flat(),
  ];
  return details.length === 0 ? undefined : { reason: "unrestricted capabilities", detail: details.join("; ") };
};

const nonRoot: Judge = (subject) => {
  const pod = subject.spec.securityContext?.runAsNonRoot;
  const explicit = namesOf(subject, ({ securityContext }) => securityContext?.runAsNonRoot === false);
  const reason = "runAsNonRoot != true";
  const setters = settersText(pod === false, explicit);
  if (setters !== "") return { reason, detail: `${setters} must not set securityContext.runAsNonRoot=false` };
  if (pod === true) return undefined;
  const silent = namesOf(subject, ({ securityContext }) => securityContext?.runAsNonRoot === undefined);
  if (silent.length === 0) return undefined;
  return { reason, detail: `pod or ${containersText(silent)} must set securityContext.runAsNonRoot=true` };
};

const notRoot: Judge = (subject) => {
  const names = namesOf(subject, ({ securityContext }) => securityContext?.runAsUser === 0);
  const setters = settersText(subject.spec.securityContext?.runAsUser === 0, names);
  return setters === "" ? undefined : { reason: "runAsUser=0", detail: `${setters} must not set runAsUser=0` };
};

const procMount: Judge = (subject) => {
  const isBad = (mount: string | undefined): mount is string => mount !== undefined && mount !== "Default";
  const names = namesOf(subject, ({ securityContext }) => isBad(securityContext?.procMount));
  if (names.length === 0) return undefined;
  const mounts = sortedSet(
    containersOf(subject).flatMap(({ securityContext }) => {
      const mount = securityContext?.procMount;
      return isBad(mount) ? [mount] : [];
    }),
  );
  return {
    reason: "procMount",
    detail: `${containersText(names)} must not set securityContext.procMount to ${quotedList(mounts)}`,
  };
};

const allowedSources = [
  "configMap",
  "csi",
  "downwardAPI",
  "emptyDir",
  "ephemeral",
  "image",
  "persistentVolumeClaim",
  "projected",
  "secret",
] as const;
const knownSources = [
  "hostPath",
  "gcePersistentDisk",
  "awsElasticBlockStore",
  "gitRepo",
  "nfs",
  "iscsi",
  "glusterfs",
  "rbd",
  "flexVolume",
  "cinder",
  "cephfs",
  "flocker",
  "fc",
  "azureFile",
  "vsphereVolume",
  "quobyte",
  "azureDisk",
  "photonPersistentDisk",
  "portworxVolume",
  "scaleIO",
  "storageos",
] as const;

const volumes: Judge = ({ spec }) => {
  const bad = (spec.volumes ?? []).filter((volume) => allowedSources.every((source) => volume[source] === undefined));
  if (bad.length === 0) return undefined;
  const types = sortedSet(
    bad.map((volume) => knownSources.find((source) => volume[source] !== undefined) ?? "unknown"),
  );
  const names = bad.map(({ name }) => name);
  const who = `${pluralize("volume", "volumes", names.length)} ${quotedList(names)} ${pluralize("uses", "use", names.length)}`;
  const what = pluralize("restricted volume type", "restricted volume types", types.length);
  return { reason: "restricted volume types", detail: `${who} ${what} ${quotedList(types)}` };
};

/** Controls of what processes in pods may do. */
export const privilegeChecks: readonly Check[] = [
  { id: "privileged", level: "baseline", versions: [{ since: 0, judge: privileged }] },
  { id: "capabilities_baseline", level: "baseline", versions: [{ since: 0, judge: capabilities }] },
  {
    id: "procMount",
    level: "baseline",
    versions: [
      { since: 0, judge: procMount },
      { since: 35, judge: unlessOwnUsers(procMount) },
    ],
  },
  {
    id: "allowPrivilegeEscalation",
    level: "restricted",
    versions: [
      { since: 8, judge: escalation },
      { since: 25, judge: unlessWindows(escalation) },
    ],
  },
  {
    id: "capabilities_restricted",
    level: "restricted",
    overrides: ["capabilities_baseline"],
    versions: [
      { since: 22, judge: fewCapabilities },
      { since: 25, judge: unlessWindows(fewCapabilities) },
    ],
  },
  {
    id: "procMount_restricted",
    level: "restricted",
    overrides: ["procMount"],
    versions: [{ since: 35, judge: procMount }],
  },
  {
    id: "restrictedVolumes",
    level: "restricted",
    overrides: ["hostPathVolumes"],
    versions: [{ since: 0, judge: volumes }],
  },
  {
    id: "runAsNonRoot",
    level: "restricted",
    versions: [
      { since: 0, judge: nonRoot },
      { since: 35, judge: unlessOwnUsers(nonRoot) },
    ],
  },
  {
    id: "runAsUser",
    level: "restricted",
    versions: [
      { since: 23, judge: notRoot },
      { since: 35, judge: unlessOwnUsers(notRoot) },
    ],
  },
];
