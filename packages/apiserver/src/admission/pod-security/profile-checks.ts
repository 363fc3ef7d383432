import type { SELinuxOptions } from "@skiff/api";
import {
  type Check,
  containersOf,
  containersText,
  isWindows,
  namesOf,
  pluralize,
  quotedList,
  type Subject,
  settersText,
  sortedSet,
  type Violation,
} from "./check.ts";

const isConfined = (type: string): boolean => type === "RuntimeDefault" || type === "Localhost";

const armorPrefix = "container.apparmor.security.beta.kubernetes.io/";
const isArmor = (profile: string): boolean =>
  profile === "" || profile === "runtime/default" || profile.startsWith("localhost/");

function appArmor(subject: Subject): Violation | undefined {
  const pod = subject.spec.securityContext?.appArmorProfile?.type;
  const wrong = (type: string | undefined): type is string => type !== undefined && !isConfined(type);
  const names = namesOf(subject, ({ securityContext }) => wrong(securityContext?.appArmorProfile?.type));
  const types = [pod, ...containersOf(subject).map((one) => one.securityContext?.appArmorProfile?.type)].filter(wrong);
  const annotations = Object.entries(subject.metadata?.annotations ?? {})
    .filter(([key, profile]) => key.startsWith(armorPrefix) && !isArmor(profile))
    .map(([key, profile]) => `${key}=${JSON.stringify(profile)}`)
    .sort();
  const setters = [
    ...[settersText(wrong(pod), names)].filter((text) => text !== ""),
    ...(annotations.length === 0 ? [] : [pluralize("annotation", "annotations", annotations.length)]),
  ];
  if (setters.length === 0) return undefined;
  const values = [...sortedSet(types), ...annotations];
  return {
    reason: pluralize("forbidden AppArmor profile", "forbidden AppArmor profiles", values.length),
    detail: `${setters.join(" and ")} must not set AppArmor profile type to ${quotedList(values)}`,
  };
}

const selinux = (since: number, types: readonly string[]): Check["versions"][number] => ({
  since,
  judge(subject) {
    const { seLinuxOptions: pod } = subject.spec.securityContext ?? {};
    const isBad = (options: SELinuxOptions | undefined): options is SELinuxOptions =>
      options !== undefined && (!types.includes(options.type ?? "") || !!options.user || !!options.role);
    const names = namesOf(subject, ({ securityContext }) => isBad(securityContext?.seLinuxOptions));
    const setters = settersText(isBad(pod), names);
    if (setters === "") return undefined;
    const given = [pod, ...containersOf(subject).map((one) => one.securityContext?.seLinuxOptions)].filter(isBad);
    const wrong = sortedSet(given.map(({ type = "" }) => type).filter((type) => !types.includes(type)));
    const said = [
      ...(wrong.length === 0 ? [] : [`${pluralize("type", "types", wrong.length)} ${quotedList(wrong)}`]),
      ...(given.some(({ user }) => !!user) ? ["user may not be set"] : []),
      ...(given.some(({ role }) => !!role) ? ["role may not be set"] : []),
    ];
    return {
      reason: "seLinuxOptions",
      detail: `${setters} set forbidden securityContext.seLinuxOptions: ${said.join("; ")}`,
    };
  },
});

const selinuxTypes = ["", "container_t", "container_init_t", "container_kvm_t"];

function seccomp(subject: Subject): Violation | undefined {
  const wrong = (type: string | undefined): type is string => type !== undefined && !isConfined(type);
  const pod = subject.spec.securityContext?.seccompProfile?.type;
  const names = namesOf(subject, ({ securityContext }) => wrong(securityContext?.seccompProfile?.type));
  const setters = settersText(wrong(pod), names);
  if (setters === "") return undefined;
  const types = [pod, ...containersOf(subject).map((one) => one.securityContext?.seccompProfile?.type)].filter(wrong);
  return {
    reason: "seccompProfile",
    detail: `${setters} must not set securityContext.seccompProfile.type to ${quotedList(sortedSet(types))}`,
  };
}

function mustHaveSeccomp(subject: Subject): Violation | undefined {
  const explicit = seccomp(subject);
  if (explicit !== undefined || subject.spec.securityContext?.seccompProfile !== undefined) return explicit;
  const silent = namesOf(subject, ({ securityContext }) => securityContext?.seccompProfile === undefined);
  if (silent.length === 0) return undefined;
  const what = 'must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost"';
  return { reason: "seccompProfile", detail: `pod or ${containersText(silent)} ${what}` };
}

const seccompPrefix = "container.seccomp.security.alpha.kubernetes.io/";

/** Before there was a field for it. */
function seccompAnnotations(subject: Subject): Violation | undefined {
  const { annotations = {} } = subject.metadata ?? {};
  const keys = [
    "seccomp.security.alpha.kubernetes.io/pod",
    ...containersOf(subject).map(({ name }) => seccompPrefix + name),
  ];
  const wrong = keys.flatMap((key) => {
    const profile = annotations[key];
    const fine = profile === undefined || profile === "docker/default" || (profile !== "" && isArmor(profile));
    return fine ? [] : [`${key}=${JSON.stringify(profile)}`];
  });
  if (wrong.length === 0) return undefined;
  const shown = sortedSet(wrong);
  return {
    reason: "seccompProfile",
    detail: `forbidden ${pluralize("annotation", "annotations", shown.length)} ${shown.join(", ")}`,
  };
}

/** Controls of what confines processes in pods. */
export const profileChecks: readonly Check[] = [
  { id: "appArmorProfile", level: "baseline", versions: [{ since: 0, judge: appArmor }] },
  {
    id: "seLinuxOptions",
    level: "baseline",
    versions: [selinux(0, selinuxTypes), selinux(31, [...selinuxTypes, "container_engine_t"])],
  },
  {
    id: "seccompProfile_baseline",
    level: "baseline",
    versions: [
      { since: 0, judge: seccompAnnotations },
      { since: 19, judge: seccomp },
    ],
  },
  {
    id: "seccompProfile_restricted",
    level: "restricted",
    overrides: ["seccompProfile_baseline"],
    versions: [
      { since: 19, judge: mustHaveSeccomp },
      { since: 25, judge: (subject) => (isWindows(subject) ? undefined : mustHaveSeccomp(subject)) },
    ],
  },
];
