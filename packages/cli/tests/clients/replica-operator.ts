import {
  AppsV1Api,
  CoreV1Api,
  type Informer,
  type KubeConfig,
  makeInformer,
  PatchStrategy,
  setHeaderOptions,
  type V1ConfigMap,
  type V1Deployment,
} from "@kubernetes/client-node";

/**
 * A small operator as users write them: every config map with its label asks for so many replicas, and gets a Deployment of its
 * own that has them, whoever changes it.
 */
export class ReplicaOperator implements AsyncDisposable {
  static readonly label = "skiff.test/replicas";
  readonly failures: unknown[] = [];
  readonly #apps: AppsV1Api;
  readonly #namespace: string;
  readonly #wishes: Informer<V1ConfigMap> & { get(name: string, namespace?: string): V1ConfigMap | undefined };
  readonly #deployments: Informer<V1Deployment>;
  /** One name is brought about at a time. */
  #work: Promise<void> = Promise.resolve();

  private constructor(config: KubeConfig, namespace: string) {
    const core = config.makeApiClient(CoreV1Api);
    this.#apps = config.makeApiClient(AppsV1Api);
    this.#namespace = namespace;
    const labelSelector = `${ReplicaOperator.label}=true`;
    this.#wishes = makeInformer(
      config,
      `/api/v1/namespaces/${namespace}/configmaps`,
      () => core.listNamespacedConfigMap({ namespace, labelSelector }),
      labelSelector,
    );
    this.#deployments = makeInformer(
      config,
      `/apis/apps/v1/namespaces/${namespace}/deployments`,
      () => this.#apps.listNamespacedDeployment({ namespace, labelSelector }),
      labelSelector,
    );
    for (const verb of ["add", "update"] as const) {
      this.#wishes.on(verb, (wish) => this.#enqueue(wish.metadata?.name));
      this.#deployments.on(verb, (deployment) => this.#enqueue(deployment.metadata?.name));
    }
  }

  static async start(config: KubeConfig, namespace: string): Promise<ReplicaOperator> {
    const operator = new ReplicaOperator(config, namespace);
    await operator.#wishes.start();
    await operator.#deployments.start();
    return operator;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#wishes.stop();
    await this.#deployments.stop();
    await this.#work;
  }

  #enqueue(name: string | undefined): void {
    if (name === undefined) return;
    this.#work = this.#work
      .then(() => this.#reconcile(name))
      .catch((failure: unknown) => {
        this.failures.push(failure);
      });
  }

  async #reconcile(name: string): Promise<void> {
    const wish = this.#wishes.get(name, this.#namespace);
    const uid = wish?.metadata?.uid;
    if (uid === undefined) return;
    const labels = { app: name, [ReplicaOperator.label]: "true" };
    const body: V1Deployment = {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: {
        name,
        labels,
        ownerReferences: [{ apiVersion: "v1", kind: "ConfigMap", name, uid, controller: true }],
      },
      spec: {
        replicas: Number(wish?.data?.replicas ?? 0),
        selector: { matchLabels: { app: name } },
        template: { metadata: { labels }, spec: { containers: [{ name: "web", image: "skiff/hello" }] } },
      },
    };
    await this.#apps.patchNamespacedDeployment(
      { name, namespace: this.#namespace, body, fieldManager: "replica-operator", force: true },
      setHeaderOptions("Content-Type", PatchStrategy.ServerSideApply),
    );
  }
}
