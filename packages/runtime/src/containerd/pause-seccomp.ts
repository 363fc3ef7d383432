import { arch } from "node:process";
import { isJsonObject, type JsonObject } from "@skiff/base";
import type { GrpcChannel } from "@skiff/grpc";
import { writeFileAtomic } from "@skiff/host";
import type { SandboxConfig, SeccompProfile } from "../runtime.ts";
import { Containers, nativeCall } from "./native.ts";

const nativeArchitectures: Readonly<Partial<Record<NodeJS.Architecture, string>>> = {
  x64: "SCMP_ARCH_X86_64",
  arm64: "SCMP_ARCH_AARCH64",
};

/**
 * The runtime's default profile without the architectures that are not this machine's own; `undefined` where there is nothing
 * to leave out.
 */
export function nativeProfile(profile: unknown, architecture: NodeJS.Architecture): JsonObject | undefined {
  const native = nativeArchitectures[architecture];
  if (native === undefined || !isJsonObject(profile) || !Array.isArray(profile.architectures)) return undefined;
  if (profile.architectures.length < 2 || !profile.architectures.includes(native)) return undefined;
  return { ...profile, architectures: [native] };
}

/**
 * The seccomp profile of pods' pause processes. The runtime's default one is made into a filter three times over, for programs
 * of 32 bits too, which takes a fifth of a sandbox's time; the pause program is of this machine's own architecture. So the first
 * sandbox has the default profile, and those after it the same without the other architectures: nothing more is allowed.
 */
export class PauseSeccomp {
  readonly #channel: GrpcChannel;
  readonly #path: string;
  #asked = false;
  #known: SeccompProfile | undefined;

  /** `path` is for the profile: a file that containerd can read. */
  constructor(channel: GrpcChannel, path: string) {
    this.#channel = channel;
    this.#path = path;
  }

  /** The profile to ask for, for a sandbox that is to have `wanted`. */
  inPlaceOf(wanted: SeccompProfile): SeccompProfile {
    return wanted.kind === "runtimeDefault" ? (this.#known ?? wanted) : wanted;
  }

  /** A sandbox could not be made: perhaps the file is gone, and the next one does without. */
  forget(): void {
    this.#known = undefined;
    this.#asked = false;
  }

  /** Takes the default profile from the first sandbox that was made with it. That it cannot be had is no failure. */
  async learn(id: string, config: Pick<SandboxConfig, "seccomp" | "privileged">, signal: AbortSignal): Promise<void> {
    if (this.#asked || config.seccomp.kind !== "runtimeDefault" || config.privileged) return;
    this.#asked = true;
    try {
      const { container } = await nativeCall(this.#channel, Containers.get, { id }, { signal, deadlineMs: 5000 });
      const spec: unknown = JSON.parse(Buffer.from(container?.spec?.value ?? "{}").toString());
      const profile = nativeProfile(
        isJsonObject(spec) && isJsonObject(spec.linux) ? spec.linux.seccomp : undefined,
        arch,
      );
      if (profile === undefined) return;
      await writeFileAtomic(this.#path, JSON.stringify(profile), { mode: 0o644 });
      this.#known = { kind: "localhost", path: this.#path };
    } catch {
      // The next sandbox is asked.
      this.#asked = false;
    }
  }
}
