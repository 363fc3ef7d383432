/**
 * Loaded into a process before its program: kills it with SIGKILL right before it makes, opens or renames something to the
 * path whose end the environment tells. Processes that it starts go on undisturbed.
 */
import promises from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";

const { KILL_BEFORE: moment = "" } = process.env;
delete process.env.KILL_BEFORE;
delete process.env.NODE_OPTIONS;

const reached = (path: unknown): void => {
  // What a file is written as before it is whole has the process' number in its name.
  const name = String(path).replace(/\.\d+\.\d+\.tmp$/, ".tmp");
  if (name.endsWith(moment)) process.kill(process.pid, "SIGKILL");
};

const { mkdir, open, rename } = promises;
Object.assign(promises, {
  mkdir: (...words: Parameters<typeof mkdir>) => {
    reached(words[0]);
    return mkdir(...words);
  },
  open: (...words: Parameters<typeof open>) => {
    reached(words[0]);
    return open(...words);
  },
  rename: (...words: Parameters<typeof rename>) => {
    reached(words[1]);
    return rename(...words);
  },
});
syncBuiltinESMExports();
