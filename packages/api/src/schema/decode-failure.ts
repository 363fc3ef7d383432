/** Why a body cannot be read as its kind, in the words of Kubernetes' decoder; it becomes part of a 400's message. */
export class DecodeFailure extends Error {
  override name = "DecodeFailure";
}
