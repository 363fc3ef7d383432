/** How this very program is called: the supervisor and what it starts are the same program with other arguments. */
export interface SelfCommand {
  /** Full path of the Node that runs it. */
  readonly command: string;
  /** Options of Node and the program's file, before the program's own arguments. */
  readonly args: readonly string[];
}
