/** What differs between kubectls (encodings, streaming protocols, validation): each one found here drives one real cluster. */
import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { after, before, describe, test } from "node:test";
import { kubectls, Workbench } from "./workbench.ts";

const [, ...others] = kubectls();

if (others.length > 0) {
  describe("every kubectl", { timeout: 600_000 }, () => {
    let bench: Workbench;

    before(async () => {
      bench = await Workbench.create("kubectls");
      const up = await bench.skiff("up");
      assert.equal(up.code, 0, up.stderr);
    });
    after(() => bench[Symbol.asyncDispose]());

    for (const program of others) {
      const version = basename(program).replace("kubectl.", "").replace(".", "-");

      test(`kubectl ${version} creates, reads and changes`, async () => {
        bench.kubectlProgram = program;
        const k = (...words: readonly string[]) => bench.kubectl(...words);
        const name = `web-${version}`;
        await k("create", "deployment", name, "--image=skiff/hello", "--replicas=2");
        assert.match(await k("rollout", "status", `deployment/${name}`, "--timeout=60s"), /successfully rolled out/);
        await k("expose", "deployment", name, "--port=80", "--type=NodePort");
        await k("create", "configmap", name, "--from-literal=key=value");
        await k("create", "secret", "generic", name, "--from-literal=key=value");
        assert.equal(await k("get", "configmap", name, "-o", "jsonpath={.data.key}"), "value");
        const file = join(bench.folder, `${name}.yaml`);
        await writeFile(file, `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}-applied}\ndata: {a: "1"}\n`);
        for (const server of ["false", "true"])
          await k("apply", `--server-side=${server}`, "--force-conflicts=false", "-f", file);
        const wrong = await bench.shell(
          `printf 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: wrong}\nnodata: {}\n' | ${program} apply -f -`,
        );
        assert.notEqual(wrong.code, 0);
        assert.match(wrong.stderr, /unknown field "nodata"/);
        assert.match(await k("explain", "pod.spec.containers.image"), /image <string>/);
        assert.match(await k("get", "events"), /LAST SEEN +TYPE +REASON/);
        assert.match(
          await k("describe", "deployment", name),
          /RollingUpdateStrategy: +25% max unavailable, 25% max surge/,
        );
        await k("scale", "deployment", name, "--replicas=1");
        await k("set", "image", `deployment/${name}`, "hello=skiff/hello:2");
        await k("rollout", "status", `deployment/${name}`, "--timeout=60s");
        await k("rollout", "undo", `deployment/${name}`);
        await k("rollout", "status", `deployment/${name}`, "--timeout=60s");
      });

      test(`kubectl ${version} streams`, async () => {
        bench.kubectlProgram = program;
        const k = (...words: readonly string[]) => bench.kubectl(...words);
        const pod = `pod-${version}`;
        await k("run", pod, "--image=skiff/hello");
        await k("wait", "--for=condition=Ready", `pod/${pod}`, "--timeout=60s");
        assert.match(await k("exec", pod, "--", "id"), /uid=0\(root\)/);
        assert.equal((await bench.shell(`${program} exec ${pod} -- sh -c 'exit 3'`)).code, 3);
        const counted = await bench.shell(`head -c 300000 /dev/zero | ${program} exec -i ${pod} -- wc -c`);
        assert.equal(counted.stdout.trim(), "300000", counted.stderr);
        const typed = await bench.terminal(
          `${program} exec -it ${pod} -- sh`,
          // What is typed is seen, too: it must not look like what is answered. The size comes after the shell has begun.
          "until stty size | grep '^[3]3 91'; do sleep 0.1; done\nexit\n",
          { columns: 91, rows: 33 },
        );
        assert.match(typed.stdout, /33 91/);
        const there = join(bench.folder, "there.txt");
        await writeFile(there, "x".repeat(100_000));
        await k("cp", there, `${pod}:/tmp/there.txt`);
        await k("cp", `${pod}:/tmp/there.txt`, `${there}.back`);
        assert.equal(await readFile(`${there}.back`, "utf8"), "x".repeat(100_000));
        const piped = await bench.shell(
          `echo through-attach | ${program} run -i --rm cat-${version} --image=skiff/hello --restart=Never -- cat`,
        );
        assert.match(piped.stdout, /through-attach/, piped.stderr);
        const port = 19_000 + (process.pid % 900) + Number(version.split("-")[1]);
        const forwarding = bench.start(program, ["port-forward", `pod/${pod}`, `${port}:80`]);
        await bench.eventually("the forwarded port answers", async () => {
          const response = await fetch(`http://localhost:${port}/`, { headers: { connection: "close" } });
          assert.match(await response.text(), new RegExp(pod));
        });
        forwarding.kill();
        assert.match(await k("logs", pod), /serves on port 80/);
        await k("delete", "pod", pod, "--now");
      });
    }
  });
}
