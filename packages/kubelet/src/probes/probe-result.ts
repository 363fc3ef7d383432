/** What one run of a probe found. `errored`: the probe itself could not be run, which counts as neither. */
export type ProbeResult =
  | { readonly kind: "success" /** For an event: it counts, but somebody should know. */; readonly warning?: string }
  | { readonly kind: "failure"; readonly message: string }
  | { readonly kind: "errored"; readonly message: string };
