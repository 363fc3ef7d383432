import assert from "node:assert/strict";
import { test } from "node:test";
import { ConfigMaps, Pods } from "@skiff/api";
import type { AdmissionPlugin, AdmissionRequest } from "../contracts.ts";
import { admissionRequest } from "../fixtures/admission-request.ts";
import { AdmissionChain } from "./admission-chain.ts";

const request = (resource: AdmissionRequest["resource"]): AdmissionRequest => admissionRequest({ resource });

test("plugins are asked in their order, one after the other, about their resources only", async () => {
  const asked: string[] = [];
  const waits = async (name: string): Promise<void> => {
    await Promise.resolve();
    asked.push(name);
  };
  const plugins: readonly AdmissionPlugin[] = [
    { name: "all", handles: () => true, admit: () => waits("all"), validate: () => waits("all, finished") },
    { name: "pods", resources: [Pods], handles: () => true, admit: () => void asked.push("pods") },
    {
      name: "other group",
      resources: [{ group: "example.com", plural: "pods" }],
      handles: () => true,
      admit: () => void asked.push("other group"),
    },
    { name: "never", handles: () => false, admit: () => void asked.push("never") },
    { name: "last", handles: () => true, admit: () => void asked.push("last") },
  ];
  const chain = new AdmissionChain();
  await chain.admit(request(Pods));
  chain.install(plugins);
  const order = async (resource: AdmissionRequest["resource"]): Promise<string[]> => {
    asked.length = 0;
    await chain.admit(request(resource));
    await chain.validate(request(resource));
    return [...asked];
  };
  assert.deepEqual(await order(Pods), ["all", "pods", "last", "all, finished"]);
  assert.deepEqual(await order(ConfigMaps), ["all", "last", "all, finished"]);
});

test("the first refusal ends it, whether it is waited for or not", async () => {
  const chain = new AdmissionChain();
  const refuses: AdmissionPlugin["admit"][] = [
    () => Promise.reject(new Error("no")),
    () => {
      throw new Error("no");
    },
  ];
  for (const admit of refuses) {
    const after: string[] = [];
    chain.install([
      { name: "refuses", handles: () => true, ...(admit === undefined ? {} : { admit }) },
      { name: "after", handles: () => true, admit: () => void after.push("asked") },
    ]);
    await assert.rejects(async () => chain.admit(request(Pods)), /no/);
    assert.deepEqual(after, []);
  }
});
