import assert from "node:assert/strict";
import { test } from "node:test";
import { deepCopy } from "@skiff/base";
import { fieldErrorText } from "../../field-error.ts";
import type { Service } from "../../generated/types/core-v1.ts";
import { Services } from "../definitions.ts";
import { sampleService } from "../sample-objects.ts";

const context = { nowMs: 0 };

const findings: readonly {
  readonly name: string;
  readonly change: (service: Service) => void;
  readonly texts: readonly string[];
}[] = [
  { name: "as it is", change: () => {}, texts: [] },
  {
    name: "no ports",
    change: ({ spec }) => {
      spec.ports = [];
    },
    texts: ["spec.ports: Required value"],
  },
  {
    name: "headless needs no ports",
    change: ({ spec }) => {
      spec.ports = [];
      spec.clusterIP = "None";
      spec.clusterIPs = ["None"];
    },
    texts: [],
  },
  {
    name: "two ports need names, and other numbers",
    change: ({ spec }) => {
      spec.ports = [{ port: 80 }, { port: 80, name: "b" }];
    },
    texts: ["spec.ports[0].name: Required value", 'spec.ports[1]: Duplicate value: {"protocol":"TCP","port":80}'],
  },
  {
    name: "port out of range",
    change: ({ spec }) => {
      spec.ports = [{ port: 0, targetPort: 70_000 }];
    },
    texts: [
      "spec.ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive",
      "spec.ports[0].targetPort: Invalid value: 70000: must be between 1 and 65535, inclusive",
    ],
  },
  {
    name: "node port of an inner Service",
    change: ({ spec }) => {
      spec.ports = [{ port: 80, nodePort: 30_000 }];
    },
    texts: ["spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'"],
  },
  {
    name: "headless node port",
    change: ({ spec }) => {
      spec.type = "NodePort";
      spec.clusterIP = "None";
      spec.clusterIPs = ["None"];
    },
    texts: [`spec.clusterIPs[0]: Invalid value: "None": may not be set to 'None' for NodePort services`],
  },
  {
    name: "name without a name",
    change: ({ spec }) => {
      spec.type = "ExternalName";
    },
    texts: [
      "spec.clusterIPs: Forbidden: may not be set for ExternalName services",
      "spec.externalName: Required value",
    ],
  },
  {
    name: "unknown type",
    change: ({ spec }) => {
      spec.type = "Public";
    },
    texts: [
      'spec.type: Unsupported value: "Public": supported values: "ClusterIP", "ExternalName", "LoadBalancer", "NodePort"',
    ],
  },
  {
    name: "address of the machine itself",
    change: ({ spec }) => {
      spec.externalIPs = ["127.0.0.1"];
    },
    texts: ['spec.externalIPs[0]: Invalid value: "127.0.0.1": may not be in the loopback range (127.0.0.0/8, ::1/128)'],
  },
  {
    name: "patience without end",
    change: ({ spec }) => {
      spec.sessionAffinity = "ClientIP";
      spec.sessionAffinityConfig = { clientIP: { timeoutSeconds: 86_401 } };
    },
    texts: [
      "spec.sessionAffinityConfig.clientIP.timeoutSeconds: Invalid value: 86401: must be greater than 0 and less than 86400",
    ],
  },
];

for (const { name, change, texts } of findings) {
  test(`service: ${name}`, () => {
    assert.deepEqual(Services.validate(sampleService(change)).map(fieldErrorText), texts);
  });
}

test("an address cannot change", () => {
  const changed = sampleService(({ spec }) => {
    spec.clusterIP = "10.0.0.10";
    spec.clusterIPs = ["10.0.0.10"];
  });
  assert.deepEqual(Services.validateUpdate(changed, sampleService()).map(fieldErrorText), [
    'spec.clusterIPs[0]: Invalid value: ["10.0.0.10"]: may not change once set',
  ]);
});

/** What an update becomes before it is validated. */
function updated(old: Service, change: (service: Service) => void): Service {
  const service = deepCopy(old);
  change(service);
  Services.defaults(service);
  Services.prepareUpdate(service, old, context);
  return service;
}

test("who leaves out address and node ports keeps them", () => {
  const old = sampleService(({ spec }) => {
    spec.type = "NodePort";
    spec.ports = [{ port: 80, nodePort: 30_080 }];
  });
  const service = updated(old, ({ spec }) => {
    delete spec.clusterIP;
    delete spec.clusterIPs;
    spec.ports = [{ port: 80, targetPort: "http" }];
  });
  assert.equal(service.spec.clusterIP, "10.0.0.9");
  assert.deepEqual(service.spec.clusterIPs, ["10.0.0.9"]);
  assert.deepEqual(service.spec.ports, [{ port: 80, targetPort: "http", protocol: "TCP", nodePort: 30_080 }]);
});

test("a Service that becomes a name gives its address back", () => {
  const service = updated(sampleService(), ({ spec }) => {
    spec.type = "ExternalName";
    spec.externalName = "example.com";
  });
  assert.deepEqual(
    [service.spec.clusterIP, service.spec.clusterIPs, service.spec.internalTrafficPolicy],
    [undefined, undefined, undefined],
  );
  assert.deepEqual(Services.validate(service), []);
});

test("a Service that is no longer reached from outside gives its node ports back", () => {
  const old = sampleService(({ spec }) => {
    spec.type = "NodePort";
    spec.ports = [{ port: 80, nodePort: 30_080 }];
  });
  const service = updated(old, ({ spec }) => {
    spec.type = "ClusterIP";
  });
  assert.equal(service.spec.ports?.[0]?.nodePort, undefined);
  assert.equal(service.spec.externalTrafficPolicy, undefined);
  assert.deepEqual(Services.validate(service), []);
});
