import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { driverParameters, secretRef } from "./secret-refs.ts";

const key = (name: string) => `csi.storage.k8s.io/${name}`;
const claim = {
  metadata: {
    name: "data",
    namespace: "team",
    uid: "u",
    resourceVersion: "1",
    creationTimestamp: "2026-01-01T00:00:00Z",
    annotations: { owner: "ann" },
  },
};
/** As in `${pv.name}`. */
const token = (name: string) => `\${${name}}`;
const about = { volume: "pvc-u", claim };

describe("the secrets that a class names", () => {
  it("are those of their use, else those for all uses", () => {
    const all = { [key("secret-name")]: "any", [key("secret-namespace")]: "vault" };
    const own = { [key("node-stage-secret-name")]: "stage", [key("node-stage-secret-namespace")]: "vault" };
    assert.equal(secretRef("node-stage", {}, about), undefined);
    assert.deepEqual(secretRef("node-stage", all, about), { name: "any", namespace: "vault" });
    assert.deepEqual(secretRef("node-stage", { ...all, ...own }, about), { name: "stage", namespace: "vault" });
    assert.deepEqual(secretRef("node-publish", { ...all, ...own }, about), { name: "any", namespace: "vault" });
    assert.equal(secretRef("node-publish", own, about), undefined);
  });

  it("are called after the claim and its volume", () => {
    const named = (name: string, namespace: string) =>
      secretRef(
        "provisioner",
        { [key("provisioner-secret-name")]: name, [key("provisioner-secret-namespace")]: namespace },
        about,
      );
    assert.deepEqual(named(`of-${token("pvc.name")}-${token("pvc.annotations['owner']")}`, token("pvc.namespace")), {
      name: "of-data-ann",
      namespace: "team",
    });
    assert.deepEqual(named(token("pv.name"), `ns-${token("pv.name")}`), { name: "pvc-u", namespace: "ns-pvc-u" });
    assert.throws(
      () => named("n", token("pvc.name")),
      /error resolving value "\$\{pvc.name\}": invalid tokens: \["pvc.name"\]/,
    );
    assert.throws(() => named(token("pvc.annotations['none']"), "n"), /invalid tokens/);
    assert.throws(() => named("A", "n"), /^Error: "A" is not a valid secret name$/);
    assert.throws(() => named("", "n"), /is empty$/);
    assert.throws(
      () => secretRef("provisioner", { [key("provisioner-secret-name")]: "n" }, about),
      /Both must be specified/,
    );
  });

  it("are no parameters of the driver", () => {
    const mine = { tier: "gold", [key("fstype")]: "xfs", [key("node-expand-secret-name")]: "n" };
    assert.deepEqual(driverParameters(mine), { tier: "gold" });
    assert.throws(() => driverParameters({ [key("fstypo")]: "xfs" }), /found unknown parameter key/);
  });
});
