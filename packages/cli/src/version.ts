/** Skiff's own version; the Kubernetes version that it serves is the API server's to say. */
export const version = "0.1.0";
