/** Manifests as the course prints them. */

export const echoHname = `apiVersion: apps/v1
kind: Deployment
metadata:
  name: echo-hname
  labels:
    app: echo-hname
spec:
  replicas: 3
  selector:
    matchLabels:
      app: echo-hname
  template:
    metadata:
      labels:
        app: echo-hname
    spec:
      containers:
      - name: echo-hname
        image: course/echo-hname
        ports:
        - containerPort: 80
`;

export const rolloutNginx = `apiVersion: apps/v1
kind: Deployment
metadata:
  name: rollout-nginx
spec:
  progressDeadlineSeconds: 10
  replicas: 3
  selector:
    matchLabels:
      app: rollout-nginx
  template:
    metadata:
      labels:
        app: rollout-nginx
    spec:
      containers:
      - name: nginx
        image: nginx:1.15.0
        ports:
        - containerPort: 80
`;

export const twoContainers = `apiVersion: v1
kind: Pod
metadata:
  name: two-containers
spec:
  volumes:
  - name: shared-data
    emptyDir: {}
  containers:
  - name: nginx
    image: nginx
    volumeMounts:
    - name: shared-data
      mountPath: /usr/share/nginx/html
  - name: debian
    image: busybox
    volumeMounts:
    - name: shared-data
      mountPath: /pod-data
    command: ["/bin/sh"]
    args: ["-c", "echo Hello from the other container > /pod-data/index.html; sleep 3600"]
`;

export const daemonSet = `apiVersion: apps/v1
kind: DaemonSet
metadata:
  name: logger
spec:
  selector:
    matchLabels:
      app: logger
  template:
    metadata:
      labels:
        app: logger
    spec:
      containers:
      - name: logger
        image: busybox
        args: [/bin/sh, -c, 'while true; do date; sleep 10; done']
`;

export const statefulSet = `apiVersion: v1
kind: Service
metadata:
  name: stateful
spec:
  clusterIP: None
  selector:
    app: stateful
  ports:
  - port: 80
    name: web
---
apiVersion: apps/v1
kind: StatefulSet
metadata:
  name: web
spec:
  serviceName: stateful
  replicas: 3
  selector:
    matchLabels:
      app: stateful
  template:
    metadata:
      labels:
        app: stateful
    spec:
      containers:
      - name: nginx
        image: nginx:1.14.2
        ports:
        - containerPort: 80
          name: web
        volumeMounts:
        - name: www
          mountPath: /usr/share/nginx/visits
  volumeClaimTemplates:
  - metadata:
      name: www
    spec:
      accessModes: [ "ReadWriteOnce" ]
      resources:
        requests:
          storage: 1Gi
`;

export const jobs = `apiVersion: batch/v1
kind: Job
metadata:
  name: pi
spec:
  template:
    spec:
      containers:
      - name: pi
        image: busybox
        command: ["sh", "-c", "echo 'scale=10; 4*a(1)' | bc -l"]
      restartPolicy: Never
  backoffLimit: 4
---
apiVersion: batch/v1
kind: CronJob
metadata:
  name: hello
spec:
  schedule: "*/1 * * * *"
  jobTemplate:
    spec:
      template:
        spec:
          containers:
          - name: hello
            image: busybox:1.28
            imagePullPolicy: IfNotPresent
            command:
            - /bin/sh
            - -c
            - date; echo Hello from the Kubernetes cluster
          restartPolicy: OnFailure
`;

export const initPod = `apiVersion: v1
kind: Pod
metadata:
  name: with-init
spec:
  volumes:
  - name: work
    emptyDir: {}
  initContainers:
  - name: prepare
    image: busybox:1.28
    command: ['sh', '-c', 'echo prepared > /work/state']
    volumeMounts:
    - {name: work, mountPath: /work}
  containers:
  - name: app
    image: busybox:1.28
    command: ['sh', '-c', 'cat /work/state; sleep 3600']
    volumeMounts:
    - {name: work, mountPath: /work}
`;

export const settings = `apiVersion: v1
kind: Pod
metadata:
  name: settings
spec:
  serviceAccountName: reader
  containers:
  - name: app
    image: busybox
    command: ["sleep", "3600"]
    envFrom:
    - configMapRef:
        name: app-config
    env:
    - name: PASSWORD
      valueFrom:
        secretKeyRef:
          name: app-secret
          key: PASSWORD
    volumeMounts:
    - name: config
      mountPath: /etc/config
  volumes:
  - name: config
    configMap:
      name: app-config
`;

export const nodePortService = `apiVersion: v1
kind: Service
metadata:
  name: echo-hname
spec:
  type: NodePort
  selector:
    app: echo-hname
  ports:
  - port: 80
    targetPort: 80
    nodePort: 30000
`;

export const hpaExample = `apiVersion: apps/v1
kind: Deployment
metadata:
  name: php-apache
spec:
  selector:
    matchLabels:
      run: php-apache
  template:
    metadata:
      labels:
        run: php-apache
    spec:
      containers:
      - name: php-apache
        image: registry.k8s.io/hpa-example
        ports:
        - containerPort: 80
        resources:
          limits:
            cpu: 500m
          requests:
            cpu: 200m
---
apiVersion: v1
kind: Service
metadata:
  name: php-apache
  labels:
    run: php-apache
spec:
  ports:
  - port: 80
  selector:
    run: php-apache
`;

export const onSimulatedNodes = `apiVersion: apps/v1
kind: Deployment
metadata:
  name: simulated
spec:
  replicas: 30
  selector:
    matchLabels: {app: simulated}
  template:
    metadata:
      labels: {app: simulated}
      annotations: {kwok.x-k8s.io/usage-cpu: 250m, kwok.x-k8s.io/usage-memory: 64Mi}
    spec:
      nodeSelector: {type: kwok}
      tolerations:
      - {key: kwok.x-k8s.io/node, operator: Exists, effect: NoSchedule}
      containers:
      - {name: any, image: any}
`;
