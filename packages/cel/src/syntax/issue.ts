/** One finding of parsing or checking. */
export interface Issue {
  /** Offset in code points. */
  readonly at: number;
  readonly message: string;
}

/** So many findings of parsing or checking are shown. */
const shownIssues = 100;

/**
 * Findings as CEL prints them: where, what, the line, and a mark under the place.
 *
 * @example
 * ERROR: <input>:1:1: undeclared reference to 'x' (in container '')
 *  | x + 1
 *  | ^
 */
export function issuesText(source: string, issues: readonly Issue[]): string {
  const points = [...source];
  const sorted = issues
    .map((issue, order) => ({ issue, order, ...placeOf(points, issue.at) }))
    .sort((a, b) => a.line - b.line || a.column - b.column || a.order - b.order);
  const texts = sorted.slice(0, shownIssues).map(({ issue, line, column, text }) => {
    const dots = [...text.slice(0, column)].map((point) => (isWide(point) ? "．" : ".")).join("");
    const under = text[column];
    const mark = under !== undefined && isWide(under) ? "＾" : "^";
    const shown = text.map((point) => (point === "\t" ? " " : point)).join("");
    return `ERROR: <input>:${line}:${column + 1}: ${issue.message}\n | ${shown}\n | ${dots}${mark}`;
  });
  if (issues.length > shownIssues) {
    const more = issues.length - shownIssues;
    texts.push(`${more} more error${more > 1 ? "s" : ""} were truncated`);
  }
  return texts.join("\n");
}

const isWide = (point: string): boolean => (point.codePointAt(0) ?? 0) > 0x7f;

function placeOf(points: readonly string[], at: number): { line: number; column: number; text: readonly string[] } {
  let line = 1;
  let begin = 0;
  for (let index = 0; index < at && index < points.length; index++) {
    if (points[index] !== "\n") continue;
    line++;
    begin = index + 1;
  }
  const end = points.indexOf("\n", begin);
  return { line, column: Math.max(0, at - begin), text: points.slice(begin, end < 0 ? points.length : end) };
}
