/** The Kubernetes version that this release is, as nodes report it. */
export const kubernetesVersion = "v1.36.0";

/** The version as the API server tells it: Kubernetes' first, so that tools that compare versions understand it. */
export const gitVersion = `${kubernetesVersion}+skiff`;
