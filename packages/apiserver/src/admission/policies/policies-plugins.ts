import {
  MutatingAdmissionPolicies,
  MutatingAdmissionPolicyBindings,
  ValidatingAdmissionPolicies,
  ValidatingAdmissionPolicyBindings,
} from "@skiff/api";
import type { AdmissionPlugin, AdmissionRequest } from "../../contracts.ts";
import { ConfiguredPolicies } from "./configured-policies.ts";
import type { MutatingProgress } from "./mutating-policies.ts";
import type { PolicyPluginOptions } from "./policy-options.ts";

/**
 * Refuses what ValidatingAdmissionPolicies do not hold for. The engine behind it is loaded with the first request that a policy
 * is for: clusters without policies neither wait for it nor keep it in memory.
 */
export function validatingAdmissionPolicy(options: PolicyPluginOptions): AdmissionPlugin {
  const configured = new ConfiguredPolicies(
    options.table,
    ValidatingAdmissionPolicies,
    ValidatingAdmissionPolicyBindings,
  );
  return {
    name: "ValidatingAdmissionPolicy",
    handles: (request) => configured.candidates(request).length > 0,
    async validate(request) {
      const { validateRequest } = await import("./validating-policies.ts");
      await validateRequest(options, request, configured.candidates(request));
    },
  };
}

/** Changes objects as MutatingAdmissionPolicies say. */
export function mutatingAdmissionPolicy(options: PolicyPluginOptions): AdmissionPlugin {
  const configured = new ConfiguredPolicies(options.table, MutatingAdmissionPolicies, MutatingAdmissionPolicyBindings);
  const inProgress = new WeakMap<AdmissionRequest, MutatingProgress>();
  return {
    name: "MutatingAdmissionPolicy",
    handles: (request) => configured.candidates(request).length > 0,
    async admit(request, round) {
      const { mutateRequest } = await import("./mutating-policies.ts");
      const progress = inProgress.get(request) ?? { called: new Set(), again: new Set(), output: undefined };
      inProgress.set(request, progress);
      await mutateRequest(options, { request, round, progress }, configured.candidates(request));
    },
  };
}
