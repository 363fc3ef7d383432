import assert from "node:assert/strict";
import { test } from "node:test";
import { fieldErrorText } from "../../field-error.ts";
import type { Container, Pod } from "../../generated/types/core-v1.ts";
import { Pods } from "../definitions.ts";
import { samplePod } from "../sample-objects.ts";
import { ephemeralContainersUpdate } from "./ephemeral-containers-update.ts";
import { podResize } from "./pod-resize.ts";
import { validatePodBinding } from "./pod-subresource-validation.ts";

const refused =
  "spec: Forbidden: pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)\n";

const old = (pod: Pod) => {
  pod.spec.tolerations = [{ key: "a", operator: "Exists", effect: "NoExecute", tolerationSeconds: 300 }];
  pod.spec.activeDeadlineSeconds = 60;
};

const cases: readonly {
  readonly name: string;
  readonly change: (pod: Pod) => void;
  readonly texts: readonly string[];
}[] = [
  {
    name: "image, deadline, tolerations",
    change: (pod) => {
      for (const container of pod.spec.containers) container.image = "web:2";
      pod.spec.activeDeadlineSeconds = 30;
      pod.spec.tolerations = [
        { key: "b", operator: "Exists" },
        { key: "a", operator: "Exists", effect: "NoExecute", tolerationSeconds: 5 },
      ];
    },
    texts: [],
  },
  {
    name: "hostname",
    change: (pod) => {
      pod.spec.hostname = "other";
    },
    texts: [`${refused}  core.PodSpec{\n  \t... // 9 identical fields\n+ \thostname: "other",\n  }\n`],
  },
  {
    name: "one container more",
    change: (pod) => {
      pod.spec.containers.push({ name: "more", image: "more" });
    },
    texts: ["spec.containers: Forbidden: pod updates may not add or remove containers"],
  },
  {
    name: "a toleration less",
    change: (pod) => {
      pod.spec.tolerations = [];
    },
    texts: ["spec.tolerations: Forbidden: existing toleration can not be modified except its tolerationSeconds"],
  },
  {
    name: "a later deadline",
    change: (pod) => {
      pod.spec.activeDeadlineSeconds = 61;
    },
    texts: ["spec.activeDeadlineSeconds: Invalid value: 61: must be less than or equal to previous value"],
  },
  {
    name: "a gate",
    change: (pod) => {
      pod.spec.schedulingGates = [{ name: "x.io/wait" }];
    },
    texts: [
      "spec.schedulingGates[0].name: Forbidden: only deletion is allowed, but found new scheduling gate 'x.io/wait'",
    ],
  },
];

for (const { name, change, texts } of cases) {
  test(`pod update: ${name}`, () => {
    const changed = samplePod((pod) => {
      old(pod);
      change(pod);
    });
    assert.deepEqual(Pods.validateUpdate(changed, samplePod(old)).map(fieldErrorText), texts);
  });
}

test("a gated pod may be told where to go, but not elsewhere", () => {
  const gated = (selector: Record<string, string>) =>
    samplePod((pod) => {
      pod.spec.schedulingGates = [{ name: "x.io/wait" }];
      pod.spec.nodeSelector = selector;
    });
  assert.deepEqual(Pods.validateUpdate(gated({ a: "1", b: "2" }), gated({ a: "1" })), []);
  assert.deepEqual(Pods.validateUpdate(gated({ a: "2" }), gated({ a: "1" })).map(fieldErrorText), [
    'spec.nodeSelector: Invalid value: {"a":"2"}: only additions to spec.nodeSelector are allowed (no mutations or deletions)',
  ]);
});

test("ephemeral containers only join", () => {
  const debugged = samplePod((pod) => {
    pod.metadata.resourceVersion = "1";
    pod.spec.ephemeralContainers = [{ name: "debug", image: "d" }];
  });
  assert.deepEqual(ephemeralContainersUpdate.validate(debugged, samplePod()), []);
  assert.deepEqual(ephemeralContainersUpdate.validate(samplePod(), debugged).map(fieldErrorText), [
    'spec.ephemeralContainers: Forbidden: existing ephemeral containers "debug" may not be removed\n',
  ]);
});

const asking = (change: (pod: Pod) => void) =>
  samplePod((pod) => {
    pod.metadata.resourceVersion = "1";
    pod.spec.initContainers = [{ name: "first", image: "f", resources: { requests: { cpu: "1" } } }];
    pod.spec.containers = [{ name: "web", image: "web:1", resources: { requests: { cpu: "1" } } }];
    pod.status = { qosClass: "Burstable" };
    change(pod);
  });
const withWeb = (container: Partial<Container>) =>
  asking(({ spec }) => {
    spec.containers = [{ name: "web", image: "web:1", resources: { requests: { cpu: "1" } }, ...container }];
  });

const resizes: readonly (readonly [name: string, pod: Pod, ...found: readonly string[]])[] = [
  ["more cpu, and memory", withWeb({ resources: { requests: { cpu: "2", memory: "1Gi" } } })],
  [
    "nothing left",
    withWeb({ resources: {} }),
    "spec.containers[0].resources.requests: Forbidden: resource requests cannot be removed",
  ],
  [
    "another resource",
    withWeb({ resources: { requests: { cpu: "1", "ephemeral-storage": "1Gi" } } }),
    "spec: Forbidden: only cpu and memory resources are mutable",
  ],
  [
    "another policy",
    withWeb({ resizePolicy: [{ resourceName: "cpu", restartPolicy: "NotRequired" }] }),
    "spec: Forbidden: only cpu and memory resources are mutable",
  ],
  [
    "a container that ends before the others begin",
    asking(({ spec }) => {
      spec.initContainers = [{ name: "first", image: "f", resources: { requests: { cpu: "2" } } }];
    }),
  ],
  [
    "another resource of it, and one less",
    asking(({ spec }) => {
      spec.initContainers = [{ name: "first", image: "f", resources: { requests: { "ephemeral-storage": "2" } } }];
    }),
    "spec.initContainers[0].resources.requests: Forbidden: resource requests cannot be removed",
    "spec.initContainers[0]: Forbidden: only cpu and memory resources for init or sidecar containers are mutable",
  ],
  [
    "another class",
    asking(({ spec, status }) => {
      const amounts = { cpu: "1", memory: "1Gi" };
      spec.initContainers = [{ name: "first", image: "f", resources: { requests: amounts, limits: amounts } }];
      spec.containers = [{ name: "web", image: "web:1", resources: { requests: amounts, limits: amounts } }];
      status.qosClass = "Burstable";
    }),
    'spec: Invalid value: "Burstable": Pod QOS Class may not change as a result of resizing',
  ],
];

for (const [name, pod, ...found] of resizes) {
  test(`resize: ${name}`, () =>
    assert.deepEqual(
      podResize
        .validate(
          pod,
          asking(() => {}),
        )
        .map(fieldErrorText),
      found,
    ));
}

test("a resize keeps the containers and their order", () => {
  const container = (name: string): Container => ({ name, image: "i:1", resources: { requests: { cpu: "1" } } });
  const withThese = (init: readonly string[], ...names: readonly string[]) =>
    asking(({ spec }) => {
      spec.initContainers = init.map(container);
      spec.containers = names.map(container);
    });
  const refused = (next: Pod) => {
    const old = withThese(["first"], "a", "b");
    podResize.prepare(next, old, { nowMs: 0 });
    return podResize.validate(next, old).map(fieldErrorText);
  };
  const moved = (field: string) => {
    const list = field.slice(0, field.indexOf("["));
    return `spec.${field}.name: Forbidden: ${list} may not be renamed or reordered on resize`;
  };
  assert.deepEqual(refused(withThese(["first"], "a", "b")), []);
  assert.deepEqual(refused(withThese(["first"], "b", "a")), [moved("containers[0]"), moved("containers[1]")]);
  assert.deepEqual(refused(withThese(["other"], "a", "c")), [moved("containers[1]"), moved("initContainers[0]")]);
  assert.deepEqual(refused(withThese([], "a")), [
    "spec.containers: Forbidden: containers may not be added or removed on resize",
    "spec.initContainers: Forbidden: initContainers may not be added or removed on resize",
  ]);
});

test("a resize changes nothing else", () => {
  const old = asking(() => {});
  const next = withWeb({ image: "other", resources: { requests: { cpu: "3" } } });
  next.metadata.labels = { a: "b" };
  next.status = {};
  podResize.prepare(next, old, { nowMs: 0 });
  assert.equal(next.spec.containers[0]?.image, "web:1");
  assert.deepEqual(next.spec.containers[0]?.resources, { requests: { cpu: "3" } });
  assert.deepEqual([next.metadata.labels, next.status], [undefined, { qosClass: "Burstable" }]);
});

test("a binding names a node", () => {
  const binding = { metadata: { ...samplePod().metadata }, target: { kind: "Pod", name: "" } };
  assert.deepEqual(validatePodBinding(binding).map(fieldErrorText), [
    'target.kind: Unsupported value: "Pod": supported values: "Node", "<empty>"',
    "target.name: Required value",
  ]);
});

test("a claim for resources is mapped to those that containers ask for", () => {
  const told = (status: Pod["status"]["extendedResourceClaimStatus"]) =>
    samplePod((pod) => {
      const requests = { "example.com/gpu": "1" };
      pod.spec.containers = [{ name: "web", image: "web:1", resources: { requests, limits: requests } }];
      pod.status = { extendedResourceClaimStatus: status };
    });
  const found = (...of: Parameters<typeof told>) =>
    Pods.validateStatusUpdate(told(...of), told(undefined)).map(fieldErrorText);
  const mapping = { containerName: "web", resourceName: "example.com/gpu", requestName: "container-0-request-0" };
  assert.deepEqual(found({ requestMappings: [mapping], resourceClaimName: "c" }), []);
  const at = "status.extendedResourceClaimStatus";
  assert.deepEqual(found({ requestMappings: [], resourceClaimName: "" }), [
    `${at}.requestMappings: Required value: at least one request mapping is required`,
    `${at}.resourceClaimName: Required value`,
  ]);
  const other = { ...mapping, resourceName: "example.com/fpga" };
  assert.deepEqual(
    found({
      requestMappings: [mapping, mapping, other, { ...mapping, containerName: "db" }],
      resourceClaimName: "c",
    }),
    [
      `${at}.requestMappings[1].containerName: Duplicate value: "web"`,
      `${at}.requestMappings[1].resourceName: Duplicate value: "example.com/gpu"`,
      `${at}.requestMappings[1].requestName: Duplicate value: "container-0-request-0"`,
      `${at}.requestMappings[2].resourceName: Invalid value: "example.com/fpga": must match the extended resource name of an entry in spec.initContainers.resources.requests or spec.containers.resources.requests`,
      `${at}.requestMappings[3].containerName: Invalid value: "db": must match the name of an entry in spec.initContainers.name or spec.containers.name`,
    ],
  );
});

test("containers that ended for good do not begin again", () => {
  const reported = (state: "ended" | "running", change: (spec: Pod["spec"]) => void = () => {}) =>
    samplePod((pod) => {
      pod.spec.restartPolicy = "Never";
      change(pod.spec);
      const container = { name: "web", image: "", imageID: "", ready: false, restartCount: 0 };
      const now = state === "ended" ? { terminated: { exitCode: 1 } } : { running: {} };
      pod.status = { containerStatuses: [{ ...container, state: now }] };
    });
  assert.deepEqual(Pods.validateStatusUpdate(reported("running"), reported("ended")).map(fieldErrorText), [
    "status.containerStatuses[0].state: Forbidden: may not be transitioned to non-terminated state",
  ]);
  assert.deepEqual(Pods.validateStatusUpdate(reported("ended"), reported("running")), []);
  const refused = (change: (spec: Pod["spec"]) => void) =>
    Pods.validateStatusUpdate(reported("running", change), reported("ended", change)).length > 0;
  const own = (container: Partial<Container>) => (spec: Pod["spec"]) => {
    spec.containers = spec.containers.map((one) => ({ ...one, ...container }));
  };
  const rule = (action: string, values: number[]) => ({ action, exitCodes: { operator: "In", values } });
  assert.equal(refused(own({ restartPolicy: "OnFailure" })), false);
  assert.equal(refused(own({ restartPolicy: "Never", restartPolicyRules: [rule("Restart", [1])] })), false);
  assert.equal(refused(own({ restartPolicy: "Never", restartPolicyRules: [rule("Restart", [2])] })), true);
  assert.equal(
    refused(own({ restartPolicy: "Never", restartPolicyRules: [rule("RestartAllContainers", [2])] })),
    false,
  );
  const never = own({ restartPolicy: "Never" });
  assert.equal(
    refused((spec) => {
      spec.restartPolicy = "Always";
      never(spec);
    }),
    true,
  );
});
