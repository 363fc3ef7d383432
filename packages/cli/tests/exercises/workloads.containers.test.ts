/** The course's exercises on pods and workloads, as printed: stock kubectl, real containers. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { kubectls, type Workbench } from "../story/workbench.ts";
import { courseCluster, manifest } from "./course-cluster.ts";
import {
  daemonSet,
  echoHname,
  initPod,
  jobs,
  rolloutNginx,
  settings,
  statefulSet,
  twoContainers,
} from "./manifests.ts";

if (kubectls().length > 0) {
  describe("pods and workloads", { timeout: 800_000 }, () => {
    let bench: Workbench;
    const k = (...words: readonly string[]) => bench.kubectl(...words);
    const apply = async (name: string, text: string, ...words: readonly string[]) =>
      k("apply", "-f", await manifest(bench, name, text), ...words);
    const ready = (what: string) => k("wait", "--for=condition=Ready", what, "--timeout=60s");
    const node = () => k("get", "nodes", "-o", "jsonpath={.items[0].metadata.name}");

    before(async () => {
      bench = await courseCluster("course");
    });
    after(() => bench[Symbol.asyncDispose]());

    test("run, create deployment, apply, api-versions, get with columns", async () => {
      assert.match(await k("run", "nginx-pod", "--image=nginx"), /pod\/nginx-pod created/);
      await ready("pod/nginx-pod");
      assert.match(
        await k("create", "deployment", "dpy-nginx", "--image=nginx"),
        /deployment\.apps\/dpy-nginx created/,
      );
      await k("rollout", "status", "deployment/dpy-nginx", "--timeout=60s");
      await k("create", "namespace", "nginx");
      await apply("echo-hname.yaml", echoHname, "-n", "nginx");
      await k("rollout", "status", "deployment/echo-hname", "-n", "nginx", "--timeout=60s");
      assert.match(await k("api-versions"), /^apps\/v1$/m);
      const all = await k("get", "rs,deploy,po,svc", "-n", "nginx", "-o", "wide");
      assert.match(all, /deployment\.apps\/echo-hname +3\/3 +3 +3 .*app=echo-hname/);
      const columns = "NAME:.metadata.name,IP:.status.podIP,STATUS:.status.phase,NODE:.spec.nodeName";
      const rows = await k("get", "pods", `-o=custom-columns=${columns}`);
      assert.match(rows, /^NAME +IP +STATUS +NODE\n/);
      assert.match(rows, new RegExp(`nginx-pod +10\\.42\\.\\d+\\.\\d+ +Running +${await node()}`));
    });

    test("the life of a pod is told by its events, in order", async () => {
      const told = await k(
        "get",
        "events",
        "--field-selector=involvedObject.name=nginx-pod",
        "-o",
        "jsonpath={.items[*].reason}",
      );
      const reasons = new Set(told.split(" "));
      for (const reason of ["Scheduled", "Pulled", "Created", "Started"]) assert.ok(reasons.has(reason), told);
    });

    test("a deleted pod of a Deployment is replaced; a killed process is restarted", async () => {
      const name = await k("get", "pods", "-l", "app=dpy-nginx", "-o", "jsonpath={.items[0].metadata.name}");
      await k("delete", "pod", name);
      await bench.eventually("another pod runs", async () => {
        const names = await k(
          "get",
          "pods",
          "-l",
          "app=dpy-nginx",
          "--field-selector=status.phase=Running",
          "-o",
          "name",
        );
        assert.match(names, /^pod\/dpy-nginx-\S+\n$/);
        assert.doesNotMatch(names, new RegExp(name));
      });
      await bench.shell(`${bench.kubectlProgram} exec nginx-pod -- kill 1`);
      await bench.eventually("it restarted", async () =>
        assert.match(await k("get", "pod", "nginx-pod"), /1\/1 +Running +1 \(/),
      );
    });

    test("scale to ten, a shell in a pod, two containers in one", async () => {
      assert.match(await k("scale", "deployment", "dpy-nginx", "--replicas=10"), /scaled/);
      await k("rollout", "status", "deployment/dpy-nginx", "--timeout=120s");
      assert.match(await k("get", "deployment", "dpy-nginx"), /10\/10/);
      await k("scale", "deployment", "dpy-nginx", "--replicas=1");
      const line = `${bench.kubectlProgram} exec -it nginx-pod -- /bin/bash`;
      const typed = await bench.terminal(line, "cat /usr/share/nginx/html/index.html\necho $0-$((40 + 2))\nexit\n");
      assert.match(typed.stdout, /Welcome to nginx/);
      assert.match(typed.stdout, /\/bin\/bash-42/);
      await apply("two.yaml", twoContainers);
      await ready("pod/two-containers");
      assert.match(await k("get", "pod", "two-containers"), /2\/2 +Running/);
      await bench.eventually("what one writes the other serves", async () => {
        const served = await k("exec", "two-containers", "-c", "nginx", "--", "wget", "-qO-", "http://localhost/");
        assert.match(served, /from the other container/);
      });
    });

    test("rollouts: record, history, a wrong image, undo, undo to a revision", async () => {
      // In print it is 10 seconds, which a busy machine may need for one pod: then the rollout would count as failed.
      const patient = rolloutNginx.replace("progressDeadlineSeconds: 10", "progressDeadlineSeconds: 600");
      const recorded = await bench.shell(
        `${bench.kubectlProgram} apply --record -f ${await manifest(bench, "rollout.yaml", patient)}`,
      );
      assert.equal(recorded.code, 0, recorded.stderr);
      assert.match(recorded.stderr, /--record has been deprecated/);
      const rollout = (...words: readonly string[]) => k("rollout", ...words);
      const image = () => k("get", "deployment", "rollout-nginx", "-o", "jsonpath={..image}");
      assert.match(await rollout("status", "deployment", "rollout-nginx", "--timeout=60s"), /successfully rolled out/);
      await k("set", "image", "deployment", "rollout-nginx", "nginx=nginx:1.16.0", "--record");
      assert.match(await rollout("status", "deployment", "rollout-nginx", "--timeout=60s"), /successfully rolled out/);
      const history = await rollout("history", "deployment", "rollout-nginx");
      assert.match(history, /^1 +kubectl apply .*--record=true/m);
      assert.match(history, /^2 +kubectl set image deployment rollout-nginx nginx=nginx:1\.16\.0 --record=true/m);
      assert.match(await rollout("history", "deployment", "rollout-nginx", "--revision=2"), /Image:\s+nginx:1\.16\.0/);
      await k("set", "image", "deployment", "rollout-nginx", "nginx=nginx:1.222.0", "--record");
      await bench.eventually("the wrong image is seen", async () =>
        assert.match(await k("get", "pods", "-l", "app=rollout-nginx"), /ErrImagePull|ImagePullBackOff/),
      );
      await bench.eventually("its events say why", async () =>
        assert.match(await k("describe", "pods", "-l", "app=rollout-nginx"), /Failed to pull image "nginx:1\.222\.0"/),
      );
      const described = await k("describe", "deployment", "rollout-nginx");
      assert.match(described, /Replicas: +3 desired \| 1 updated \| 4 total \| 3 available \| 1 unavailable/);
      assert.match(
        described,
        /OldReplicaSets: +rollout-nginx-\w+ \(3\/3 replicas created\)|OldReplicaSets: .*rollout-nginx-\w+ \(3\/3/,
      );
      const stuck = await bench.shell(`${bench.kubectlProgram} rollout status deployment rollout-nginx --timeout=5s`);
      assert.notEqual(stuck.code, 0);
      assert.match(stuck.stdout, /1 out of 3 new replicas have been updated/);
      assert.match(await rollout("undo", "deployment", "rollout-nginx"), /rolled back/);
      await rollout("status", "deployment", "rollout-nginx", "--timeout=60s");
      assert.equal(await image(), "nginx:1.16.0");
      await rollout("undo", "deployment", "rollout-nginx", "--to-revision=1");
      await rollout("status", "deployment", "rollout-nginx", "--timeout=60s");
      assert.equal(await image(), "nginx:1.15.0");
      await k("delete", "deployment", "rollout-nginx");
    });

    test("DaemonSet, StatefulSet with names in DNS and volumes of their own", async () => {
      await apply("daemon.yaml", daemonSet);
      await k("rollout", "status", "daemonset/logger", "--timeout=60s");
      assert.match(await k("get", "ds", "logger"), /logger +1 +1 +1 +1 +1/);
      await apply("stateful.yaml", statefulSet);
      await k("rollout", "status", "statefulset/web", "--timeout=90s");
      const names = await k("get", "pods", "-l", "app=stateful", "-o", "jsonpath={.items[*].metadata.name}");
      assert.equal(names, "web-0 web-1 web-2");
      await bench.eventually("a pod is found by its name", async () => {
        const found = await k("exec", "web-0", "--", "nslookup", "web-1.stateful.default.svc.cluster.local");
        assert.match(found, new RegExp(await k("get", "pod", "web-1", "-o", "jsonpath={.status.podIP}")));
      });
      await bench.eventually("another one serves by its name", async () =>
        assert.match(await k("exec", "web-0", "--", "wget", "-qO-", "http://web-2.stateful/"), /Welcome to nginx/),
      );
      const visits = "/usr/share/nginx/visits/log";
      await k("exec", "web-1", "--", "sh", "-c", `echo first > ${visits}`);
      await k("delete", "pod", "web-1");
      await bench.eventually("it comes back under its name", async () =>
        assert.match(await k("get", "pod", "web-1"), /1\/1 +Running/),
      );
      assert.equal(await k("exec", "web-1", "--", "cat", visits), "first\n");
      await k("delete", "statefulset", "web");
      const claims = await k("get", "pvc", "-o", "jsonpath={.items[*].metadata.name}");
      assert.equal(claims, "www-web-0 www-web-1 www-web-2");
    });

    test("Job, CronJob, init containers", async () => {
      await apply("jobs.yaml", jobs);
      await k("wait", "--for=condition=complete", "job/pi", "--timeout=60s");
      assert.match(await k("logs", "job/pi"), /3\.14159/);
      assert.match(await k("get", "jobs", "pi"), /pi +Complete +1\/1/);
      assert.match(await k("get", "cronjob", "hello"), /hello +\*\/1 \* \* \* \*/);
      await k("create", "job", "by-hand", "--from=cronjob/hello");
      await k("wait", "--for=condition=complete", "job/by-hand", "--timeout=60s");
      assert.match(await k("logs", "job/by-hand"), /Hello from the Kubernetes cluster/);
      await apply("init.yaml", initPod);
      await ready("pod/with-init");
      await bench.eventually("it has read", async () =>
        assert.match(await k("logs", "with-init", "-c", "app"), /prepared/),
      );
    });

    test("ConfigMap, Secret, ServiceAccount, Role and ClusterRole", async () => {
      await k("create", "configmap", "app-config", "--from-literal=COLOR=blue");
      await k("create", "secret", "generic", "app-secret", "--from-literal=PASSWORD=s3cret");
      await k("create", "serviceaccount", "reader");
      await k("create", "role", "pod-reader", "--verb=get,list,watch", "--resource=pods");
      await k("create", "rolebinding", "reads-pods", "--role=pod-reader", "--serviceaccount=default:reader");
      await k("create", "clusterrole", "node-reader", "--verb=get,list", "--resource=nodes");
      await k(
        "create",
        "clusterrolebinding",
        "reads-nodes",
        "--clusterrole=node-reader",
        "--serviceaccount=default:reader",
      );
      await apply("settings.yaml", settings);
      await ready("pod/settings");
      assert.match(await k("exec", "settings", "--", "env"), /COLOR=blue/);
      assert.match(await k("exec", "settings", "--", "env"), /PASSWORD=s3cret/);
      assert.equal(await k("exec", "settings", "--", "cat", "/etc/config/COLOR"), "blue");
      const may = (...words: readonly string[]) =>
        bench.run(bench.kubectlProgram, ["auth", "can-i", ...words, "--as=system:serviceaccount:default:reader"]);
      assert.equal((await may("list", "pods")).stdout.trim(), "yes");
      assert.equal((await may("list", "nodes")).stdout.trim(), "yes");
      assert.equal((await may("delete", "pods")).stdout.trim(), "no");
    });

    test("cordon, drain, uncordon, node labels", async () => {
      const name = await node();
      await k("label", "nodes", name, "zone=west", "gpu-enabled=true");
      await apply(
        "picky.yaml",
        twoContainers
          .replace("two-containers", "picky")
          .replace("spec:", 'spec:\n  nodeSelector: {gpu-enabled: "true"}'),
      );
      await ready("pod/picky");
      await apply(
        "pickier.yaml",
        twoContainers.replace("two-containers", "pickier").replace("spec:", "spec:\n  nodeSelector: {zone: east}"),
      );
      await bench.eventually("nobody takes it", async () =>
        assert.match(
          await k("describe", "pod", "pickier"),
          /FailedScheduling.*0\/1 nodes are available: 1 node\(s\) didn't match Pod's node affinity\/selector/,
        ),
      );
      await k("label", "nodes", name, "zone=east", "--overwrite");
      await ready("pod/pickier");
      await k("cordon", name);
      assert.match(await k("get", "nodes"), / Ready,SchedulingDisabled /);
      const refused = await bench.run(bench.kubectlProgram, ["drain", name]);
      assert.notEqual(refused.code, 0);
      assert.match(refused.stderr, /cannot delete DaemonSet-managed Pods/);
      const drained = await k(
        "drain",
        name,
        "--ignore-daemonsets",
        "--delete-emptydir-data",
        "--force",
        "--timeout=120s",
      );
      assert.match(drained, new RegExp(`node/${name} drained`));
      await bench.eventually("only the daemon runs", async () => {
        const left = await k("get", "pods", "--field-selector=status.phase=Running", "-o", "name");
        assert.match(left, /^pod\/logger-\w+\n$/);
      });
      await k("uncordon", name);
      await k("rollout", "status", "deployment/dpy-nginx", "--timeout=60s");
    });
  });
}
