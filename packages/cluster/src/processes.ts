/**
 * The processes of a cluster, and commands that speak to its API. Each is loaded only when it is run: what one of them needs costs the others, and the commands
 * that merely look, neither time nor memory.
 */
type RunServer = typeof import("./server/run-server.ts").runServer;
type RunAgent = typeof import("./agent/run-agent.ts").runAgent;
type Connect = typeof import("./agent/runtime-connection.ts").connectNodeRuntime;
type Backup = typeof import("./backup/backup.ts");
type Join = typeof import("./lifecycle/join.ts").joinCluster;
type Tokens = typeof import("./join/tokens.ts");
type RunSupervisor = typeof import("./supervise/run-supervisor.ts").runSupervisor;

/** Runs the store, API server, controllers and scheduler of a cluster until the signal is aborted. */
export const runServer: RunServer = async (...words) => (await import("./server/run-server.ts")).runServer(...words);

/** Runs a node's kubelet, service proxy and DNS until the signal is aborted. Containers go on running after it. */
export const runAgent: RunAgent = async (...words) => (await import("./agent/run-agent.ts")).runAgent(...words);

/** Runs the processes of a cluster until the signal is aborted. */
export const runSupervisor: RunSupervisor = async (...words) =>
  (await import("./supervise/run-supervisor.ts")).runSupervisor(...words);

/** Connects to the cluster's containerd, waiting at most `timeoutMs` for it to come up. */
export const connectNodeRuntime: Connect = async (...words) =>
  (await import("./agent/runtime-connection.ts")).connectNodeRuntime(...words);

/** Writes what the cluster consists of to a file, running or not. */
export const backupCluster: Backup["backupCluster"] = async (...words) =>
  (await import("./backup/backup.ts")).backupCluster(...words);

/** Puts a backup in the place of a cluster that does not run. */
export const restoreCluster: Backup["restoreCluster"] = async (...words) =>
  (await import("./backup/backup.ts")).restoreCluster(...words);

/** Makes this machine a node of a cluster, or starts it again as that. Throws `ClusterError` with what to do. */
export const joinCluster: Join = async (...words) => (await import("./lifecycle/join.ts")).joinCluster(...words);

/** Makes a token with which machines join. Throws `ClusterError` where there is one with that ID. */
export const createToken: Tokens["createToken"] = async (...words) =>
  (await import("./join/tokens.ts")).createToken(...words);

/** All tokens, by their IDs. */
export const listTokens: Tokens["listTokens"] = async (...words) =>
  (await import("./join/tokens.ts")).listTokens(...words);

/** Takes tokens away, each named by its ID or whole. Throws `ClusterError` for one that is not there. */
export const deleteTokens: Tokens["deleteTokens"] = async (...words) =>
  (await import("./join/tokens.ts")).deleteTokens(...words);
