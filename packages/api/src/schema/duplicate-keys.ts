/**
 * Duplicate members of JSON objects, which `JSON.parse` swallows. Counting is cheap and says whether there are any; only then is
 * the text read again to find where.
 */

/** The number of members that a JSON text writes: its colons outside of strings. `text` must be valid JSON. */
export function countMembersInText(text: string): number {
  let members = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 58) members++;
    else if (code === 34) at = endOfString(text, at);
  }
  return members;
}

/** How deeply a JSON text nests objects and arrays. `text` must be valid JSON. */
export function nestingOf(text: string): number {
  let depth = 0;
  let deepest = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 34) at = endOfString(text, at);
    else if (code === 123 || code === 91) deepest = Math.max(deepest, ++depth);
    else if (code === 125 || code === 93) depth--;
  }
  return deepest;
}

/** The index of the quote that ends the string which begins at `start`. */
function endOfString(text: string, start: number): number {
  let end = text.indexOf('"', start + 1);
  for (;;) {
    if (end === -1) return text.length;
    let backslashes = 0;
    while (text.charCodeAt(end - 1 - backslashes) === 92) backslashes++;
    if (backslashes % 2 === 0) return end;
    end = text.indexOf('"', end + 1);
  }
}

/** The number of members of all objects in a value. The depth of `value` must have been bounded by whoever parsed it. */
export function countMembers(value: unknown): number {
  if (typeof value !== "object" || value === null) return 0;
  let members = 0;
  if (Array.isArray(value)) {
    for (const item of value) members += countMembers(item);
    return members;
  }
  for (const member of Object.values(value)) members += 1 + countMembers(member);
  return members;
}

/** The paths of members that a valid JSON text writes more than once; `value` is what it was read as, with all its members. */
export function duplicateMembers(text: string, value: unknown): readonly string[] {
  if (countMembersInText(text) === countMembers(value)) return [];
  return [...new Set(membersInText(text).flatMap(({ path, duplicate }) => (duplicate ? [path] : [])))];
}

/** One member as the text writes it. */
export interface WrittenMember {
  /** As in `spec.containers[0].image`. */
  readonly path: string;
  /** The same object had a member of this name before. */
  readonly duplicate: boolean;
}

interface Frame {
  readonly path: string;
  /** Names seen so far; `undefined` in an array. */
  readonly seen: Set<string> | undefined;
  index: number;
  /** Path of the member whose value comes next. */
  member: string;
}

/** All members of a valid JSON text in the order of writing. */
export function membersInText(text: string): WrittenMember[] {
  const members: WrittenMember[] = [];
  const frames: Frame[] = [];
  for (let at = 0; at < text.length; at++) {
    const frame = frames.at(-1);
    switch (text.charAt(at)) {
      case "{":
      case "[": {
        const inArray = frame !== undefined && frame.seen === undefined;
        const path = frame === undefined ? "" : inArray ? `${frame.path}[${frame.index}]` : frame.member;
        frames.push({ path, seen: text.charAt(at) === "{" ? new Set() : undefined, index: 0, member: "" });
        break;
      }
      case "}":
      case "]":
        frames.pop();
        break;
      case ",":
        if (frame !== undefined) frame.index++;
        break;
      case '"': {
        const end = endOfString(text, at);
        if (frame?.seen !== undefined && /^\s*:/.test(text.slice(end + 1, end + 100))) {
          const name: string = JSON.parse(text.slice(at, end + 1));
          frame.member = frame.path === "" ? name : `${frame.path}.${name}`;
          members.push({ path: frame.member, duplicate: frame.seen.has(name) });
          frame.seen.add(name);
        }
        at = end;
        break;
      }
      default:
    }
  }
  return members;
}
