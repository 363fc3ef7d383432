/**
 * `skiff/hello`: a tiny web server with a shell around it, made of the system's busybox and the libraries that needs,
 * so that a first deployment works without any registry.
 */
import { readFileSync } from "node:fs";
import { dirname } from "node:path";
import { arch } from "node:process";
import type { Readable } from "node:stream";
import { findProgram, type Processes } from "@skiff/host";
import { goArchitecture } from "./containerd/image-archive.ts";
import { buildImages, type ImageFile, type ImageVariant } from "./image-builder.ts";
import type { Runtime } from "./runtime.ts";
import { sharedLibraries } from "./shared-libraries.ts";

/** The versions that exist; they differ in what they answer. */
export type HelloVersion = 1 | 2;

const helloVersions: readonly HelloVersion[] = [1, 2];

export const helloImageName = (version: HelloVersion): string => `docker.io/skiff/hello:${version}`;

const latestName = "docker.io/skiff/hello:latest";

/**
 * As the first process of its container it gets no signal that it does not handle, so it handles those that end it. Who it is
 * it reads with the shell's own means where the hosts file tells, as in a pod: each program called for it would be a
 * fiftieth of the pod's start.
 */
const serveScript = `#!/bin/sh
read -r POD_NAME < /etc/hostname || POD_NAME=$(hostname)
while read -r address name rest; do
  case "$address $name $rest " in
    127.*) ;;
    *" $POD_NAME "*) POD_IP=$address; break;;
  esac
done < /etc/hosts
: "\${POD_IP:=$(ip -o -4 addr show dev eth0 2>/dev/null | sed -n 's|.* inet \\([0-9.]*\\)/.*|\\1|p' | head -n 1)}"
: "\${POD_IP:=$(hostname -i 2>/dev/null)}"
export POD_NAME POD_IP
httpd -f -p "\${PORT:-80}" -h /www 2>&1 &
server=$!
trap 'kill $server; exit 0' TERM INT
echo "$POD_NAME ($POD_IP), version $VERSION, serves on port \${PORT:-80}"
wait $server
`;

/**
 * Shell built-ins only: one process a request. The length is said, so that nobody has to wait for the connection's end
 * (which a forwarded port passes on a second late).
 */
const answerScript = `#!/bin/sh
body="Hello from $POD_NAME ($POD_IP), version $VERSION"
printf 'Content-Type: text/plain\\r\\nContent-Length: %d\\r\\n\\r\\n%s\\n' $((\${#body} + 1)) "$body"
echo "$REMOTE_ADDR $REQUEST_METHOD $REQUEST_URI" >&2
`;

const directories: readonly ImageFile[] = [
  ...[
    "/bin",
    "/sbin",
    "/etc",
    "/root",
    "/usr",
    "/usr/bin",
    "/usr/sbin",
    "/var",
    "/var/run",
    "/home",
    "/www",
    "/www/cgi-bin",
  ],
].map((path) => ({ kind: "directory", path, mode: 0o755 }));

const file = (path: string, mode: number, content: string | Uint8Array): ImageFile => ({
  kind: "file",
  path,
  mode,
  content,
});

/** The folders above some files that are not among `known`, outermost first. */
function foldersOf(paths: Iterable<string>, known: readonly ImageFile[]): readonly ImageFile[] {
  const folders = new Set<string>();
  for (const path of paths) {
    for (let folder = dirname(path); folder !== "/"; folder = dirname(folder)) folders.add(folder);
  }
  return [...folders]
    .filter((path) => !known.some((one) => one.path === path))
    .sort()
    .map((path) => ({ kind: "directory", path, mode: 0o755 }));
}

/** What a version is called and how it starts. */
const variantOf = (version: HelloVersion): ImageVariant => ({
  // A name without a tag means `latest`: that is the first version.
  names: version === 1 ? [helloImageName(1), latestName] : [helloImageName(version)],
  config: {
    command: ["/bin/serve"],
    env: ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", `VERSION=${version}`],
    exposedPorts: ["80/tcp"],
  },
});

/** Builds the image archive of some versions. Throws when busybox is not installed. */
export async function helloImages(
  versions: readonly HelloVersion[],
  processes: Processes,
  signal: AbortSignal,
): Promise<Readable> {
  const busybox = await findProgram("busybox");
  if (busybox === undefined) throw new Error("busybox is not installed");
  const libraries = sharedLibraries(busybox);
  const applets = (await processes.output(busybox, { args: ["--list"], timeoutMs: 10_000 }, signal)).split("\n");
  const links = applets.filter((name) => /^[\w[.+-]+$/.test(name) && name !== "busybox");
  const files = [
    ...directories,
    { kind: "directory", path: "/tmp", mode: 0o1777 } as const,
    ...foldersOf(libraries.keys(), directories),
    file("/bin/busybox", 0o755, readFileSync(busybox)),
    ...[...libraries].map(([path, content]) => file(path, 0o755, content)),
    ...links.map((name): ImageFile => ({ kind: "symlink", path: `/bin/${name}`, target: "/bin/busybox" })),
    file("/etc/passwd", 0o644, "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/sh\n"),
    file("/etc/group", 0o644, "root:x:0:\nnogroup:x:65534:\n"),
    file("/etc/nsswitch.conf", 0o644, "passwd: files\ngroup: files\nhosts: files dns\n"),
    file("/bin/serve", 0o755, serveScript),
    file("/www/cgi-bin/index.cgi", 0o755, answerScript),
    file("/www/healthz", 0o644, "ok\n"),
  ];
  return buildImages({ architecture: goArchitecture(arch), files }, versions.map(variantOf));
}

/** Builds the image archive of one version. Throws when busybox is not installed. */
export const helloImage = (version: HelloVersion, processes: Processes, signal: AbortSignal): Promise<Readable> =>
  helloImages([version], processes, signal);

/** Brings all versions to a node that lacks them. Throws when busybox is not installed. */
export async function ensureHelloImages(runtime: Runtime, processes: Processes, signal: AbortSignal): Promise<void> {
  const known = await Promise.all(helloVersions.map((version) => runtime.imageStatus(helloImageName(version), signal)));
  const missing = helloVersions.filter((_, index) => known[index] === undefined);
  if (missing.length > 0) await runtime.importImage(await helloImages(missing, processes, signal), signal);
}
