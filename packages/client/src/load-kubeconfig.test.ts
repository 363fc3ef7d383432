import assert from "node:assert/strict";
import { test } from "node:test";
import { KubeconfigError, loadKubeconfig } from "./load-kubeconfig.ts";

const text = `
clusters:
- name: c
  cluster: { server: "https://10.0.0.1:6443", certificate-authority-data: ${Buffer.from("CA").toString("base64")} }
users:
- name: by-token
  user: { token: secret }
- name: by-file
  user: { client-certificate: /pki/cert, client-key: /pki/key }
contexts:
- name: one
  context: { cluster: c, user: by-token }
- name: two
  context: { cluster: c, user: by-file, namespace: shop }
- name: three
  context: { cluster: missing, user: by-token }
current-context: one
`;

test("the current context is read, or the one asked for", () => {
  assert.deepEqual(loadKubeconfig(text), {
    context: "one",
    endpoint: "https://10.0.0.1:6443",
    namespace: "default",
    ca: "CA",
    token: "secret",
  });
  const two = loadKubeconfig(text, { context: "two", readFile: (path) => `content of ${path}` });
  assert.equal(two.namespace, "shop");
  assert.equal(two.cert, "content of /pki/cert");
  assert.equal(two.key, "content of /pki/key");
});

const broken = [
  { name: "nothing", text: "", options: {}, message: /empty/ },
  { name: "no context", text: "clusters: []", options: {}, message: /no current context/ },
  { name: "unknown context", text, options: { context: "x" }, message: /no context called "x"/ },
  { name: "unknown cluster", text, options: { context: "three" }, message: /no cluster called "missing"/ },
  { name: "files without a reader", text, options: { context: "two" }, message: /kept in the file \/pki\/cert/ },
];

for (const { name, text, options, message } of broken) {
  test(`a kubeconfig that leads nowhere says why: ${name}`, () => {
    assert.throws(
      () => loadKubeconfig(text, options),
      (error) => error instanceof KubeconfigError && message.test(error.message),
    );
  });
}
