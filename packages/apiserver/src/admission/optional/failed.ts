import { StatusError } from "@skiff/api";

/** What a plugin of Kubernetes says that cannot do its work, or has not thought of how to refuse: 500, without a reason. */
export const failed = (message: string): StatusError =>
  new StatusError({ kind: "Status", apiVersion: "v1", metadata: {}, status: "Failure", message, code: 500 });
