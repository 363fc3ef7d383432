import { WebSocket } from "ws";

/** How the server is reached. */
interface Access {
  readonly endpoint: string;
  readonly ca?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
}

/** Runs `true` in a pod over WebSocket, to the end of the connection; throws where it did not succeed. */
export async function execTrue({ endpoint, ca, cert, key }: Access, path: string): Promise<void> {
  const url = `${endpoint.replace(/^http/, "ws")}${path}?command=true&stdout=true&stderr=true`;
  const tls = { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) };
  const socket = new WebSocket(url, "v5.channel.k8s.io", tls);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let status = "";
  socket.on("message", (data: Buffer) => {
    if (data[0] === 3) status += data.subarray(1).toString();
  });
  socket.on("error", reject);
  socket.on("close", () => resolve());
  await promise;
  if (!status.includes('"Success"')) throw new Error(`exec: ${status}`);
}
