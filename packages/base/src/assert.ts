/** Thrown when the program itself is wrong. Nobody catches it on purpose: a process that holds a bug ends and is restarted. */
export class AssertionFailure extends Error {
  override name = "AssertionFailure";
}

/** States what must be true here whatever the input was. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new AssertionFailure(message);
}

/** The `default` of a switch over a union: a compile error when a case was forgotten. */
export function assertNever(value: never): never {
  throw new AssertionFailure(`unreachable case: ${JSON.stringify(value)}`);
}

/** The value, where it cannot be missing; `what` names it for the bug report. */
export function present<T>(value: T | undefined | null, what: string): T {
  assert(value !== undefined && value !== null, `${what} is missing`);
  return value;
}
