/**
 * Images of the names that courses print (`nginx`, `busybox`, `k8s.gcr.io/hpa-example`, …), made of this machine's busybox and
 * bash, so that exercises run as printed where no registry is. What is called nginx serves the same page at the same place.
 */
import { execFileSync } from "node:child_process";
import { createWriteStream, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { arch } from "node:process";
import { pipeline } from "node:stream/promises";
import { buildImage, type ImageFile } from "@skiff/runtime";

const page =
  "<!DOCTYPE html>\n<html><head><title>Welcome to nginx!</title></head><body>Welcome to nginx!</body></html>\n";

/** Answers as the first process of a container must: it ends when it is asked to. */
const nginx = `#!/bin/sh
sed -i "s/nginx!</nginx $NGINX_VERSION!</" /usr/share/nginx/html/index.html 2>/dev/null
httpd -f -p 80 -h /usr/share/nginx/html &
server=$!
trap 'kill $server; exit 0' TERM QUIT INT
wait $server
`;

/** Tells which pod answered. */
const echo = `#!/bin/sh
body="$(hostname)"
printf 'Content-Type: text/plain\\r\\nContent-Length: %d\\r\\n\\r\\n%s\\n' $((\${#body} + 1)) "$body"
`;

/** Costs some CPU, as the autoscaling walk-through's page does. */
const busy = `#!/bin/sh
i=0
while [ $i -lt 60000 ]; do i=$((i + 1)); done
printf 'Content-Type: text/plain\\r\\nContent-Length: 4\\r\\n\\r\\nOK!\\n'
`;

const programs = ["busybox", "bash"];
const directories = [
  ..."bin dev etc proc root run sbin sys tmp usr var usr/bin usr/sbin usr/share usr/share/nginx".split(" "),
  ..."usr/share/nginx/html var/log var/log/nginx www www/cgi-bin busy busy/cgi-bin".split(" "),
].map((path) => `/${path}`);

const pathOf = (program: string): string => execFileSync("which", [program], { encoding: "utf8" }).trim();

function librariesOf(program: string): readonly string[] {
  try {
    const told = execFileSync("ldd", [program], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
    return [...told.matchAll(/(\/\S+) \(0x/g)].map(([, path = ""]) => path);
  } catch {
    // A static program.
    return [];
  }
}

function rootFiles(): readonly ImageFile[] {
  const file = (path: string, mode: number, content: string | Uint8Array): ImageFile => ({
    kind: "file",
    path,
    mode,
    content,
  });
  const libraries = new Set(programs.flatMap((name) => librariesOf(pathOf(name))));
  const folders = new Set(directories);
  for (const path of libraries) {
    for (let folder = dirname(path); folder !== "/"; folder = dirname(folder)) folders.add(folder);
  }
  const applets = execFileSync("busybox", ["--list"], { encoding: "utf8" }).split("\n");
  const links = applets.filter((name) => /^[\w[.+-]+$/.test(name) && !programs.includes(name));
  return [
    ...[...folders]
      .sort()
      .map((path): ImageFile => ({ kind: "directory", path, mode: path === "/tmp" ? 0o1777 : 0o755 })),
    ...programs.map((name) => file(`/bin/${name}`, 0o755, readFileSync(pathOf(name)))),
    ...[...libraries].map((path) => file(path, 0o755, readFileSync(path))),
    ...links.map((name): ImageFile => ({ kind: "symlink", path: `/bin/${name}`, target: "/bin/busybox" })),
    file("/etc/passwd", 0o644, "root:x:0:0:root:/root:/bin/bash\nnobody:x:65534:65534:nobody:/:/bin/sh\n"),
    file("/etc/group", 0o644, "root:x:0:\nnogroup:x:65534:\n"),
    file("/etc/nsswitch.conf", 0o644, "passwd: files\ngroup: files\nhosts: files dns\n"),
    file("/usr/share/nginx/html/index.html", 0o644, page),
    file("/usr/sbin/nginx", 0o755, nginx),
    file("/www/cgi-bin/index.cgi", 0o755, echo),
    file("/busy/cgi-bin/index.cgi", 0o755, busy),
  ];
}

interface CourseImage {
  readonly name: string;
  readonly command: readonly string[];
  readonly env?: readonly string[];
}

const httpd = (folder: string) => ["httpd", "-f", "-p", "80", "-h", folder];
const images: readonly CourseImage[] = [
  ...["latest", "1.14.2", "1.15.0", "1.16.0"].map((tag) => ({
    name: `docker.io/library/nginx:${tag}`,
    command: ["/usr/sbin/nginx"],
    env: [`NGINX_VERSION=${tag === "latest" ? "1.27.0" : tag}`],
  })),
  ...["latest", "1.28"].map((tag) => ({ name: `docker.io/library/busybox:${tag}`, command: ["sh"] })),
  { name: "docker.io/course/echo-hname:latest", command: httpd("/www") },
  { name: "registry.k8s.io/hpa-example:latest", command: httpd("/busy") },
];

const path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** Writes an archive of each image into `folder` and gives their paths. */
export async function courseImages(folder: string): Promise<readonly string[]> {
  const files = rootFiles();
  const architecture = arch === "x64" ? "amd64" : arch;
  return await Promise.all(
    images.map(async ({ name, command, env = [] }, index) => {
      const archive = join(folder, `image-${index}.tar`);
      const image = buildImage({ names: [name], architecture, files, config: { command, env: [path, ...env] } });
      await pipeline(image, createWriteStream(archive));
      return archive;
    }),
  );
}
