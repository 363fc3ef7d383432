import type { DefineCommand } from "../command-line.ts";
import { backupCommand, restoreCommand } from "./backup.ts";
import { deleteCommand } from "./delete.ts";
import { doctorCommand } from "./doctor.ts";
import { downCommand } from "./down.ts";
import { imageCommand } from "./image.ts";
import { joinCommand } from "./join.ts";
import { kubeconfigCommand } from "./kubeconfig.ts";
import { logsCommand } from "./logs.ts";
import { agentCommand, serverCommand, superviseCommand } from "./processes.ts";
import { statusCommand } from "./status.ts";
import { tokenCommand } from "./token.ts";
import { upCommand } from "./up.ts";
import { whyCommand } from "./why.ts";

/** All commands, in the order of the help text. */
export const commands: readonly DefineCommand[] = [
  upCommand,
  downCommand,
  deleteCommand,
  statusCommand,
  logsCommand,
  kubeconfigCommand,
  tokenCommand,
  joinCommand,
  whyCommand,
  imageCommand,
  backupCommand,
  restoreCommand,
  doctorCommand,
  serverCommand,
  agentCommand,
  superviseCommand,
];
