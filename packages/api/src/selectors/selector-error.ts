/** Why a selector cannot be read, in Kubernetes' words. */
export class SelectorError extends Error {
  override name = "SelectorError";
}
