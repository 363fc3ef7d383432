export type ImageFailureReason =
  | "ErrImagePull"
  | "ImagePullBackOff"
  | "ErrImageNeverPull"
  | "InvalidImageName"
  | "ImageInspectError"
  | "RegistryUnavailable"
  | "SignatureValidationFailed";

/** A container's image cannot be had. `retryMs`: how long until it is worth asking again. */
export class ImageFailure extends Error {
  override name = "ImageFailure";
  readonly reason: ImageFailureReason;
  readonly retryMs: number;
  constructor(reason: ImageFailureReason, message: string, retryMs: number) {
    super(message);
    this.reason = reason;
    this.retryMs = retryMs;
  }
}

/** Failures that runtimes tell apart by how their message begins, each with what the kubelet makes of it. */
const special = [
  ["RegistryUnavailable", "the registry is unavailable"],
  ["SignatureValidationFailed", "the signature validation failed"],
] as const;

/** What a failed pull is called, and the message for the container's state. */
export function pullFailure(
  image: string,
  message: string,
): { readonly reason: ImageFailureReason; readonly message: string } {
  for (const [reason, why] of special)
    if (message.startsWith(reason))
      return { reason, message: `image pull failed for ${image} because ${why}${message.slice(reason.length)}` };
  return { reason: "ErrImagePull", message };
}
