/** Other names that `kubectl` knows resources by, by plural and group. */
const shortNames: Readonly<Record<string, readonly string[]>> = {
  componentstatuses: ["cs"],
  configmaps: ["cm"],
  endpoints: ["ep"],
  events: ["ev"],
  "events.events.k8s.io": ["ev"],
  limitranges: ["limits"],
  namespaces: ["ns"],
  nodes: ["no"],
  persistentvolumeclaims: ["pvc"],
  persistentvolumes: ["pv"],
  pods: ["po"],
  replicationcontrollers: ["rc"],
  resourcequotas: ["quota"],
  serviceaccounts: ["sa"],
  services: ["svc"],
  "customresourcedefinitions.apiextensions.k8s.io": ["crd", "crds"],
  "daemonsets.apps": ["ds"],
  "deployments.apps": ["deploy"],
  "replicasets.apps": ["rs"],
  "statefulsets.apps": ["sts"],
  "horizontalpodautoscalers.autoscaling": ["hpa"],
  "cronjobs.batch": ["cj"],
  "certificatesigningrequests.certificates.k8s.io": ["csr"],
  "ingresses.networking.k8s.io": ["ing"],
  "ipaddresses.networking.k8s.io": ["ip"],
  "networkpolicies.networking.k8s.io": ["netpol"],
  "poddisruptionbudgets.policy": ["pdb"],
  "priorityclasses.scheduling.k8s.io": ["pc"],
  "storageclasses.storage.k8s.io": ["sc"],
  "volumeattributesclasses.storage.k8s.io": ["vac"],
};

/** What `kubectl get all` and `kubectl get api-extensions` list. */
const categories: Readonly<Record<string, readonly string[]>> = {
  all: [
    "pods",
    "replicationcontrollers",
    "services",
    "daemonsets.apps",
    "deployments.apps",
    "replicasets.apps",
    "statefulsets.apps",
    "horizontalpodautoscalers.autoscaling",
    "cronjobs.batch",
    "jobs.batch",
  ],
  "api-extensions": [
    "customresourcedefinitions.apiextensions.k8s.io",
    "apiservices.apiregistration.k8s.io",
    "mutatingadmissionpolicies.admissionregistration.k8s.io",
    "mutatingadmissionpolicybindings.admissionregistration.k8s.io",
    "mutatingwebhookconfigurations.admissionregistration.k8s.io",
    "validatingadmissionpolicies.admissionregistration.k8s.io",
    "validatingadmissionpolicybindings.admissionregistration.k8s.io",
    "validatingwebhookconfigurations.admissionregistration.k8s.io",
  ],
};

interface Place {
  readonly group: string;
  readonly plural: string;
}

const named = ({ group, plural }: Place): string => (group === "" ? plural : `${plural}.${group}`);

/** `["po"]` for pods; empty for most. */
export const shortNamesOf = (place: Place): readonly string[] => shortNames[named(place)] ?? [];

/** `["all"]` for pods; empty for most. */
export const categoriesOf = (place: Place): readonly string[] =>
  Object.keys(categories).filter((category) => categories[category]?.includes(named(place)));
