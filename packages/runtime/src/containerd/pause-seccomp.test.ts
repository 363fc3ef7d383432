import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { nativeProfile } from "./pause-seccomp.ts";

describe("the seccomp profile of pause processes", () => {
  const architectures = ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"];
  const profile = {
    defaultAction: "SCMP_ACT_ERRNO",
    architectures,
    syscalls: [{ names: ["read"], action: "SCMP_ACT_ALLOW" }],
  };

  it("is the runtime's default one for this machine's own architecture alone", () => {
    assert.deepEqual(nativeProfile(profile, "x64"), { ...profile, architectures: ["SCMP_ARCH_X86_64"] });
  });

  for (const [what, from, architecture] of [
    ["without seccomp", undefined, "x64"],
    ["on an architecture that the profile does not have", profile, "arm64"],
    ["on one that it does not know the name of", profile, "riscv64"],
    ["where nothing can be left out", { ...profile, architectures: ["SCMP_ARCH_X86_64"] }, "x64"],
  ] as const)
    it(`stays what the runtime has ${what}`, () => assert.equal(nativeProfile(from, architecture), undefined));
});
