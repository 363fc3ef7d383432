import assert from "node:assert/strict";
import { Readable } from "node:stream";
import { test } from "node:test";
import { gunzipSync, gzipSync } from "node:zlib";
import { isRewritable, rewriteLink, rewritePage } from "./rewrite-links.ts";

const place = { hosts: new Set(["10.0.0.7:80", "api:6443"]), prefix: "/api/v1/namespaces/d/pods/p/proxy" };

test("paths of the proxied server lead through the proxy, all else stays", () => {
  const cases: readonly (readonly [string, string])[] = [
    ["/a", `${place.prefix}/a`],
    ["/", `${place.prefix}/`],
    ["/a/?q=1#f", `${place.prefix}/a/?q=1#f`],
    ["a/b", "a/b"],
    ["?q", "?q"],
    ["#f", "#f"],
    ["", ""],
    ["mailto:somebody@example.com", "mailto:somebody@example.com"],
    ["http://10.0.0.7:80/a", `${place.prefix}/a`],
    ["//api:6443/a", `${place.prefix}/a`],
    ["https://example.com/a", "https://example.com/a"],
    [`${place.prefix}/a`, `${place.prefix}/a`],
  ];
  for (const [link, expected] of cases) assert.equal(rewriteLink(link, place), expected, link);
});

async function rewritten(page: Buffer, encoding: string, piece = 3): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for (let at = 0; at < page.length; at += piece) pieces.push(page.subarray(at, at + piece));
  const chunks: Buffer[] = [];
  for await (const chunk of await rewritePage(Readable.from(pieces), encoding, place)) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

test("pages are rewritten where they link, and are otherwise as they were", async () => {
  const page =
    '<!doctype html><A HREF="/x">é — ü</a><p title="/x">/x<br><img src=/i.png alt="&amp;"><script>"</a>"</script>';
  const expected = page
    .replace('<A HREF="/x">', `<a href="${place.prefix}/x">`)
    .replace("<img src=/i.png", `<img src="${place.prefix}/i.png"`);
  assert.equal((await rewritten(Buffer.from(page), "")).toString(), expected);
  assert.equal(gunzipSync(await rewritten(gzipSync(page), "gzip")).toString(), expected);
});

test("only pages in encodings that are known", () => {
  assert.ok(isRewritable("text/html; charset=utf-8", ""));
  assert.ok(isRewritable("Text/HTML", "gzip"));
  assert.ok(!isRewritable("text/html", "br"));
  assert.ok(!isRewritable("application/json", ""));
});
