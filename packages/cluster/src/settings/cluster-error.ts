/** An operating failure that the user can mend; the message says how. */
export class ClusterError extends Error {
  override name = "ClusterError";
  readonly code: string;
  constructor(code: string, message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}
