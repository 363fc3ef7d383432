import { Duplex, pipeline, type Readable } from "node:stream";
import { createDeflateRaw, createGunzip, createGzip, createInflateRaw } from "node:zlib";

/*
 * Pages that come through a proxy link to paths of their own server. Kubernetes puts the proxy's path before them, in HTML
 * and in redirects, so that a browser stays within the proxy.
 * https://github.com/kubernetes/apimachinery/blob/master/pkg/util/proxy/transport.go
 */

/** Attributes that hold a link, by tag. */
const links: Readonly<Record<string, readonly string[]>> = {
  a: ["href"],
  applet: ["codebase"],
  area: ["href"],
  audio: ["src"],
  base: ["href"],
  blockquote: ["cite"],
  body: ["background"],
  button: ["formaction"],
  command: ["icon"],
  del: ["cite"],
  embed: ["src"],
  form: ["action"],
  frame: ["longdesc", "src"],
  head: ["profile"],
  html: ["manifest"],
  iframe: ["longdesc", "src"],
  img: ["longdesc", "src", "usemap"],
  input: ["src", "usemap", "formaction"],
  ins: ["cite"],
  link: ["href"],
  object: ["classid", "codebase", "data", "usemap"],
  q: ["cite"],
  script: ["src"],
  source: ["src"],
  video: ["poster", "src"],
};

/** What a proxied server is reached by. */
export interface ProxiedPlace {
  /** `host:port` of the server behind the proxy, and the host that the client asked. */
  readonly hosts: ReadonlySet<string>;
  /** The proxy's own path, without a slash at its end. */
  readonly prefix: string;
}

/** A link as the client must see it: paths of the proxied server with the proxy's before them, all else as it is. */
export function rewriteLink(link: string, { hosts, prefix }: ProxiedPlace): string {
  const parts = /^(?:([a-z][a-z0-9+.-]*):)?(?:\/\/([^/?#]*))?([^?#]*)(.*)$/is.exec(link);
  const [, scheme = "", host = "", path = "", rest = ""] = parts ?? [];
  if (!path.startsWith("/") || (host !== "" && !hosts.has(host))) return link;
  if (scheme === "" && host === "" && path.startsWith(prefix)) return link;
  return `${prefix}${path}${rest}`;
}

/** Whether the answer is a page whose encoding is known. */
export const isRewritable = (contentType: string, encoding: string): boolean =>
  contentType.split(";", 1)[0]?.trim().toLowerCase() === "text/html" && ["", "gzip", "deflate"].includes(encoding);

/** A page with its links rewritten, in the encoding in which it came. */
export async function rewritePage(page: Readable, encoding: string, place: ProxiedPlace): Promise<Readable> {
  // Most servers never proxy a page.
  const { RewritingStream } = await import("parse5-html-rewriting-stream");
  const rewriting = new RewritingStream();
  rewriting.on("startTag", (tag, raw) => {
    let changed = false;
    for (const attribute of tag.attrs) {
      if (!links[tag.tagName]?.includes(attribute.name)) continue;
      const link = rewriteLink(attribute.value, place);
      changed ||= link !== attribute.value;
      attribute.value = link;
    }
    if (changed) rewriting.emitStartTag(tag);
    else rewriting.emitRaw(raw);
  });
  // It takes text: what a character's bytes are cut by must be put together first.
  const text = Duplex.from(async function* (pieces: AsyncIterable<Buffer>) {
    const decoder = new TextDecoder();
    for await (const piece of pieces) yield decoder.decode(piece, { stream: true });
    yield decoder.decode();
  });
  // A broken page shows as a broken answer to who reads it.
  const done = () => {};
  if (encoding === "gzip") return pipeline(page, createGunzip(), text, rewriting, createGzip(), done);
  if (encoding === "deflate") return pipeline(page, createInflateRaw(), text, rewriting, createDeflateRaw(), done);
  return pipeline(page, text, rewriting, done);
}
