const subprotocolPrefix = "base64url.bearer.authorization.k8s.io.";

/**
 * The bearer token of a request: from its `Authorization` header or, for browsers, which cannot set that on a WebSocket,
 * from the list of subprotocols.
 */
export function bearerToken(headers: Readonly<Record<string, string | undefined>>): string | undefined {
  const match = /^bearer +(\S+) *$/i.exec(headers.authorization ?? "");
  if (match !== null) return match[1];
  const protocols = headers["sec-websocket-protocol"]?.split(",").map((protocol) => protocol.trim());
  const encoded = protocols?.find((protocol) => protocol.startsWith(subprotocolPrefix));
  return encoded === undefined
    ? undefined
    : Buffer.from(encoded.slice(subprotocolPrefix.length), "base64url").toString("utf8");
}
