/** The node does not take the pod, for a reason that has a name. Other errors are told as `UnexpectedAdmissionError`. */
export class AdmissionRefusal extends Error {
  override readonly name = "AdmissionRefusal";
  readonly reason: string;
  constructor(reason: string, message: string) {
    super(message);
    this.reason = reason;
  }
}
