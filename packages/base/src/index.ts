/** The ground under every room: time, chance, queues, failure, text. No Kubernetes words here. */
export { abortable, aborted, isAbort, resolvedOrAborted } from "./abort.ts";
export { AssertionFailure, assert, assertNever, present } from "./assert.ts";
export { Background } from "./background.ts";
export { type BackoffPolicy, backoffDelayMs, KeyedBackoff } from "./backoff.ts";
export { type Clock, microTimestamp, sleepOn, systemClock, type Timer, timestamp } from "./clock.ts";
export { durationText } from "./duration-text.ts";
export { Heap } from "./heap.ts";
export { encodeNameSafe, nameSuffix, uuid } from "./ids.ts";
export {
  addressText,
  contains,
  type IpAddress,
  type IpRange,
  macOf,
  overlaps,
  parseAddress,
  parseRange,
  rangeText,
  sizeOf,
  subnet,
  subnetCount,
} from "./ip-range.ts";
export {
  deepCopy,
  deepFreeze,
  isJsonObject,
  type JsonObject,
  type JsonValue,
  jsonEqual,
  parseJson,
  sharedWith,
} from "./json.ts";
export { createLogger, describeError, type LogFields, type Logger, type LogLevel, silentLogger } from "./logger.ts";
export { Mailbox, MailboxFull } from "./mailbox.ts";
export { parseDuration } from "./parse-duration.ts";
export { type Random, randomInt, seededRandom, systemRandom } from "./random.ts";
export { Turns } from "./turns.ts";
export { VirtualClock } from "./virtual-clock.ts";
