/** Manifests of the course's chapter on storage. */

/** Every kind of volume that needs nothing but the API and the node. `SCRATCH` is a folder of the machine. */
export const volumes = `apiVersion: v1
kind: ConfigMap
metadata:
  name: game-config
data:
  game.properties: |
    lives=3
  color: blue
---
apiVersion: v1
kind: Secret
metadata:
  name: db-user-pass
type: Opaque
stringData:
  username: admin
  password: S!B\\*d$zDsb=
---
apiVersion: v1
kind: Pod
metadata:
  name: volumes
  labels:
    zone: us-est-coast
  annotations:
    build: two
spec:
  restartPolicy: Never
  containers:
  - name: writer
    image: busybox:1.28
    command: ['sh', '-c', 'echo hello from the writer > /cache/message; sleep 3600']
    volumeMounts:
    - {name: cache-volume, mountPath: /cache}
  - name: reader
    image: busybox:1.28
    command: ['sh', '-c', 'sleep 3600']
    resources:
      limits: {memory: 32Mi}
    volumeMounts:
    - {name: cache-volume, mountPath: /data}
    - {name: memory, mountPath: /memory}
    - {name: config, mountPath: /etc/config}
    - {name: secret, mountPath: /etc/secret, readOnly: true}
    - {name: podinfo, mountPath: /etc/podinfo}
    - {name: all-in-one, mountPath: /projected, readOnly: true}
    - {name: config, mountPath: /opt/color, subPath: color}
  volumes:
  - name: cache-volume
    emptyDir: {}
  - name: memory
    emptyDir: {medium: Memory, sizeLimit: 16Mi}
  - name: config
    configMap:
      name: game-config
  - name: secret
    secret:
      secretName: db-user-pass
      defaultMode: 0400
  - name: podinfo
    downwardAPI:
      items:
      - path: labels
        fieldRef: {fieldPath: metadata.labels}
      - path: annotations
        fieldRef: {fieldPath: metadata.annotations}
      - path: mem_limit
        resourceFieldRef: {containerName: reader, resource: limits.memory, divisor: 1Mi}
  - name: all-in-one
    projected:
      sources:
      - secret:
          name: db-user-pass
          items:
          - {key: username, path: my-group/my-username, mode: 0444}
      - configMap:
          name: game-config
          items:
          - {key: color, path: my-group/my-color}
      - downwardAPI:
          items:
          - path: name
            fieldRef: {fieldPath: metadata.name}
      - serviceAccountToken:
          audience: vault
          expirationSeconds: 7200
          path: vault-token
`;

const typed = (scratch: string) =>
  [
    ["", `${scratch}/any`],
    ["DirectoryOrCreate", `${scratch}/directory-made`],
    ["Directory", `${scratch}/directory`],
    ["FileOrCreate", `${scratch}/file-made`],
    ["File", `${scratch}/file`],
    ["Socket", `${scratch}/socket`],
    ["CharDevice", "/dev/null"],
  ] as const;

/** A pod with a hostPath of each type; the last is a block device, whose path the machine gives. */
export const hostPaths = (scratch: string, blockDevice: string): string => {
  const all = [...typed(scratch), ["BlockDevice", blockDevice] as const];
  return `apiVersion: v1
kind: Pod
metadata:
  name: host-paths
spec:
  containers:
  - name: main
    image: busybox:1.28
    command: ['sh', '-c', 'cat /v4; echo written > /v1/by-pod; sleep 3600']
    volumeMounts:
${all.map((_, index) => `    - {name: v${index}, mountPath: /v${index}}\n`).join("")}  volumes:
${all.map(([type, path], index) => `  - name: v${index}\n    hostPath: {path: "${path}", type: "${type}"}\n`).join("")}`;
};

/** Pods whose hostPath is not what its type says. */
export const wrongHostPaths = (scratch: string): string =>
  [
    ["directory", "Directory", `${scratch}/file`],
    ["file", "File", `${scratch}/nothing`],
    ["socket", "Socket", `${scratch}/file`],
    ["chardevice", "CharDevice", `${scratch}/file`],
    ["blockdevice", "BlockDevice", "/dev/null"],
  ]
    .map(
      ([name, type, path]) => `---
apiVersion: v1
kind: Pod
metadata: {name: wrong-${name}}
spec:
  containers:
  - name: main
    image: busybox:1.28
    command: ['sleep', '3600']
    volumeMounts: [{name: v, mountPath: /v}]
  volumes:
  - {name: v, hostPath: {path: "${path}", type: ${type}}}
`,
    )
    .join("");

/** As old notes use it. */
export const gitRepo = (repository: string): string => `apiVersion: v1
kind: Pod
metadata:
  name: git-repo
spec:
  containers:
  - name: main
    image: busybox:1.28
    command: ['sleep', '3600']
    volumeMounts:
    - {name: git-volume, mountPath: /mypath}
  volumes:
  - name: git-volume
    gitRepo:
      repository: "${repository}"
      directory: "."
`;

/** A volume over NFS, its claim, and four replicas that write audit logs to it. */
export const nfsVolume = `apiVersion: v1
kind: PersistentVolume
metadata:
  name: pv-nfs
spec:
  capacity:
    storage: 1Gi
  accessModes: [ReadWriteMany]
  persistentVolumeReclaimPolicy: Retain
  storageClassName: manual
  mountOptions: [hard, nfsvers=4.1]
  nfs:
    server: 127.0.0.1
    path: /exports/audit
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata:
  name: pvc-nfs
spec:
  accessModes: [ReadWriteMany]
  storageClassName: manual
  resources:
    requests:
      storage: 1Gi
---
apiVersion: v1
kind: Pod
metadata:
  name: nfs-direct
spec:
  containers:
  - name: main
    image: busybox:1.28
    command: ['sleep', '3600']
    volumeMounts: [{name: nfs, mountPath: /mnt}]
  volumes:
  - name: nfs
    nfs: {server: 127.0.0.1, path: /exports/direct}
`;

/** The four replicas, on a claim of that name. */
export const auditLogs = (claim: string): string => `apiVersion: apps/v1
kind: Deployment
metadata:
  name: audit
spec:
  replicas: 4
  selector:
    matchLabels: {app: audit}
  template:
    metadata:
      labels: {app: audit}
    spec:
      terminationGracePeriodSeconds: 1
      containers:
      - name: audit
        image: busybox:1.28
        command:
        - sh
        - -c
        - while true; do echo "$(date -Iseconds) $(hostname) audited" >> /var/log/audit/$(hostname).log; sleep 1; done
        volumeMounts:
        - {name: logs, mountPath: /var/log/audit}
      volumes:
      - name: logs
        persistentVolumeClaim:
          claimName: ${claim}
`;

/** The cluster's shared class with a policy of one's own, and a claim for many writers. */
export const sharedClaim = `apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata:
  name: nfs-retain
provisioner: hostpath.csi.skiff.dev
reclaimPolicy: Retain
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata:
  name: audit
spec:
  accessModes: [ReadWriteMany]
  storageClassName: nfs-retain
  resources:
    requests:
      storage: 1Gi
`;

/** Provisioning on demand with a class of one's own, late and growing, and a pod that uses it. */
export const dynamic = `apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata:
  name: late
provisioner: hostpath.csi.skiff.dev
volumeBindingMode: WaitForFirstConsumer
allowVolumeExpansion: true
parameters:
  enforceSize: "true"
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata:
  name: myclaim
spec:
  accessModes: [ReadWriteOnce]
  storageClassName: late
  resources:
    requests:
      storage: 32Mi
`;

/** A pod that has a claim at /data. */
export const claimPod = (name: string, claim: string): string => `apiVersion: v1
kind: Pod
metadata:
  name: ${name}
spec:
  terminationGracePeriodSeconds: 1
  containers:
  - name: main
    image: busybox:1.28
    command: ['sleep', '3600']
    volumeMounts: [{name: data, mountPath: /data}]
  volumes:
  - name: data
    persistentVolumeClaim: {claimName: ${claim}}
`;

/** A database of two, each with a disk of its own. */
export const database = `apiVersion: v1
kind: Service
metadata:
  name: db
spec:
  clusterIP: None
  selector: {app: db}
  ports: [{port: 80}]
---
apiVersion: apps/v1
kind: StatefulSet
metadata:
  name: db
spec:
  serviceName: db
  replicas: 2
  persistentVolumeClaimRetentionPolicy: {whenDeleted: Retain, whenScaled: Delete}
  selector:
    matchLabels: {app: db}
  template:
    metadata:
      labels: {app: db}
    spec:
      terminationGracePeriodSeconds: 1
      containers:
      - name: db
        image: busybox:1.28
        command: ['sh', '-c', 'echo $(hostname) >> /var/lib/db/starts; sleep 3600']
        volumeMounts:
        - {name: data, mountPath: /var/lib/db}
  volumeClaimTemplates:
  - metadata:
      name: data
    spec:
      accessModes: [ReadWriteOnce]
      resources:
        requests:
          storage: 10Mi
`;

/** A snapshot of the first member's disk, and a claim made of it. */
export const snapshot = `apiVersion: snapshot.storage.k8s.io/v1
kind: VolumeSnapshotClass
metadata:
  name: snapclass
driver: hostpath.csi.skiff.dev
deletionPolicy: Delete
---
apiVersion: snapshot.storage.k8s.io/v1
kind: VolumeSnapshot
metadata:
  name: db-snapshot
spec:
  volumeSnapshotClassName: snapclass
  source:
    persistentVolumeClaimName: data-db-0
`;

export const restored = `apiVersion: v1
kind: PersistentVolumeClaim
metadata:
  name: restored
spec:
  dataSource:
    apiGroup: snapshot.storage.k8s.io
    kind: VolumeSnapshot
    name: db-snapshot
  accessModes: [ReadWriteOnce]
  resources:
    requests:
      storage: 10Mi
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata:
  name: clone
spec:
  dataSource:
    kind: PersistentVolumeClaim
    name: data-db-0
  accessModes: [ReadWriteOnce]
  resources:
    requests:
      storage: 10Mi
`;

/** Two classes of attributes, the second of which the driver does not offer, and a claim without any. */
export const attributes = `apiVersion: storage.k8s.io/v1
kind: VolumeAttributesClass
metadata:
  name: durable
driverName: hostpath.csi.skiff.dev
parameters:
  syncWrites: "true"
---
apiVersion: storage.k8s.io/v1
kind: VolumeAttributesClass
metadata:
  name: gold
driverName: hostpath.csi.skiff.dev
parameters:
  iops: "10000"
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata:
  name: changing
spec:
  accessModes: [ReadWriteOnce]
  resources:
    requests:
      storage: 10Mi
`;
