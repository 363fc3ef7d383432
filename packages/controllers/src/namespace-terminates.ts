import { StatusError } from "@skiff/api";

/** True for the refusal of whoever makes something in a namespace that goes. */
export const namespaceTerminates = (error: unknown): boolean =>
  error instanceof StatusError &&
  (error.status.details?.causes ?? []).some(({ reason }) => reason === "NamespaceTerminating");
