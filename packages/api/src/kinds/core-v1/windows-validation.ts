import { fieldError } from "../../field-error.ts";
import type { PodSpec, WindowsSecurityContextOptions } from "../../generated/types/core-v1.ts";
import { type Findings, invalidFor } from "../../validation/checks.ts";
import { dnsSubdomainName } from "../../validation/names.ts";
import { containersWithPaths } from "./pod-containers.ts";

const specKiB = 64;
const domainLength = 256;
const userLength = 104;
const controlCharacter = /\p{Cc}/u;
const netBiosName = /^[^\\/:*?"<>|.][^\\/:*?"<>|]{0,14}$/;
const dnsName = /^([A-Za-z0-9][A-Za-z0-9-]{0,61}[A-Za-z0-9]?\.)*[A-Za-z0-9][A-Za-z0-9-]{0,61}[A-Za-z0-9]?$/;
const onlyDotsOrSpaces = /^[. ]+$/;
const userForbidden = /["/\\[\]:;|=,+*?<>@]/;

/** What containers of Windows nodes can be told about users and credentials. */
export function* checkWindowsOptions(field: string, options: WindowsSecurityContextOptions | undefined): Findings {
  if (options === undefined) return;
  const { gmsaCredentialSpecName: name, gmsaCredentialSpec: spec, runAsUserName } = options;
  if (name !== undefined) yield* invalidFor(`${field}.gmsaCredentialSpecName`, name, dnsSubdomainName(name, false));
  if (spec === "") {
    yield fieldError.invalid(`${field}.gmsaCredentialSpec`, spec, "gmsaCredentialSpec cannot be an empty string");
  } else if (spec !== undefined && Buffer.byteLength(spec) > specKiB * 1024) {
    const message = `gmsaCredentialSpec size must be under ${specKiB} KiB`;
    yield fieldError.invalid(`${field}.gmsaCredentialSpec`, spec, message);
  }
  if (runAsUserName !== undefined) {
    yield* invalidFor(`${field}.runAsUserName`, runAsUserName, userNameProblems(runAsUserName));
  }
}

function userNameProblems(name: string): readonly string[] {
  if (name === "") return ["runAsUserName cannot be an empty string"];
  if (controlCharacter.test(name)) return ["runAsUserName cannot contain control characters"];
  const parts = name.split("\\");
  if (parts.length > 2) return ["runAsUserName cannot contain more than one backslash"];
  const user = parts.at(-1) ?? "";
  return [...(parts.length === 2 ? domainProblems(parts[0] ?? "") : []), ...userProblems(user)];
}

function domainProblems(domain: string): readonly string[] {
  if (domain.length >= domainLength) {
    return [`runAsUserName's Domain length must be under ${domainLength} characters`];
  }
  if (netBiosName.test(domain) || dnsName.test(domain)) return [];
  return ["runAsUserName's Domain doesn't match the NetBios nor the DNS format"];
}

function userProblems(user: string): readonly string[] {
  if (user === "") return ["runAsUserName's User cannot be empty"];
  if (user.length > userLength) {
    return [`runAsUserName's User length must not be longer than ${userLength} characters`];
  }
  if (onlyDotsOrSpaces.test(user)) return ["runAsUserName's User cannot contain only periods or spaces"];
  if (!userForbidden.test(user)) return [];
  return [`runAsUserName's User cannot contain the following characters: "/\\:;|=,+*?<>@[]`];
}

/** Processes of the host: all containers of a pod are such, or none. */
export function* checkHostProcess(field: string, spec: PodSpec): Findings {
  const ofPod = spec.securityContext?.windowsOptions?.hostProcess;
  const containers = [...containersWithPaths(field, spec)];
  let count = 0;
  for (const [path, { securityContext }] of containers) {
    const own = securityContext?.windowsOptions?.hostProcess;
    if (ofPod !== undefined && own !== undefined && own !== ofPod) {
      const message = `pod hostProcess value must be identical if both are specified, was ${ofPod}`;
      yield fieldError.invalid(`${path}.securityContext.windowsOptions.hostProcess`, own, message);
    }
    if (own ?? ofPod) count += 1;
  }
  if (count === 0) return;
  if (count !== containers.length) {
    const message = "If pod contains any hostProcess containers then all containers must be HostProcess containers";
    yield fieldError.invalid(field, "", message);
  }
  if (!spec.hostNetwork) {
    const message = "hostNetwork must be true if pod contains any hostProcess containers";
    yield fieldError.invalid(`${field}.hostNetwork`, false, message);
  }
}
