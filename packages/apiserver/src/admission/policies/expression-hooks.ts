import {
  type DeviceClass,
  DeviceClasses,
  MutatingAdmissionPolicies,
  MutatingWebhookConfigurations,
  ResourceClaims,
  ResourceClaimTemplates,
  ValidatingAdmissionPolicies,
  ValidatingWebhookConfigurations,
} from "@skiff/api";
import type { StorageTable } from "../../storage/storage-table.ts";

/**
 * Has the expressions of policies and webhooks checked before they are stored. The engine is loaded with the first of them:
 * most clusters have none.
 */
export function checkExpressions(table: StorageTable): void {
  const findings = () => import("./expression-findings.ts");
  if (table.find(ValidatingAdmissionPolicies) !== undefined) {
    table.hook(ValidatingAdmissionPolicies, {
      check: async (policy) => (await findings()).validatingPolicyFindings(policy),
    });
  }
  if (table.find(MutatingAdmissionPolicies) !== undefined) {
    table.hook(MutatingAdmissionPolicies, {
      check: async (policy) => (await findings()).mutatingPolicyFindings(policy),
    });
  }
  const conditional = (webhooks: readonly { readonly matchConditions?: readonly unknown[] | undefined }[]): boolean =>
    webhooks.some(({ matchConditions }) => (matchConditions?.length ?? 0) > 0);
  if (table.find(ValidatingWebhookConfigurations) !== undefined) {
    table.hook(ValidatingWebhookConfigurations, {
      check: ({ webhooks = [] }) =>
        conditional(webhooks) ? findings().then(({ webhookFindings }) => webhookFindings(webhooks)) : [],
    });
  }
  if (table.find(MutatingWebhookConfigurations) !== undefined) {
    table.hook(MutatingWebhookConfigurations, {
      check: ({ webhooks = [] }) =>
        conditional(webhooks) ? findings().then(({ webhookFindings }) => webhookFindings(webhooks)) : [],
    });
  }
  checkDeviceSelectors(table);
}

function checkDeviceSelectors(table: StorageTable): void {
  const findings = () => import("./device-selector-findings.ts");
  if (table.find(DeviceClasses) !== undefined) {
    const placed = (of: DeviceClass | undefined) => [["spec.selectors", of?.spec?.selectors] as const];
    table.hook(DeviceClasses, {
      check: async (now, old) => (await findings()).deviceSelectorFindings(placed(now), placed(old)),
    });
  }
  if (table.find(ResourceClaims) !== undefined) {
    table.hook(ResourceClaims, {
      async check(claim, old) {
        const { deviceSelectorFindings, selectorsOfClaim } = await findings();
        return deviceSelectorFindings(selectorsOfClaim("spec", claim.spec), selectorsOfClaim("spec", old?.spec));
      },
    });
  }
  if (table.find(ResourceClaimTemplates) !== undefined) {
    table.hook(ResourceClaimTemplates, {
      async check(template, old) {
        const { deviceSelectorFindings, selectorsOfClaim } = await findings();
        const placed = (of: typeof template | undefined) => selectorsOfClaim("spec.spec", of?.spec?.spec);
        return deviceSelectorFindings(placed(template), placed(old));
      },
    });
  }
}
