import { resolve } from "node:path";
import { type ApiServerFlag, type ApiServerFlags, apiServerFlags } from "@skiff/cluster";
import { InvalidArgumentError, Option } from "commander";

/** An option of kube-apiserver on the command line. Given values are collected, in order. */
export function apiServerOption({ name, value, description, repeats }: ApiServerFlag): Option {
  const more = repeats === true ? "; may be repeated" : "";
  return new Option(`--${name} <${value}>`, `${description}${more}`)
    .helpGroup("Options of kube-apiserver:")
    .argParser((text: string, before: readonly string[] | undefined): readonly string[] => {
      if (value === "boolean" && text !== "true" && text !== "false") {
        throw new InvalidArgumentError("It is true or false.");
      }
      // The server works in another folder than this command.
      const given = value === "file" ? resolve(text) : text;
      return repeats === true ? [...(before ?? []), given] : [given];
    });
}

/** The options of kube-apiserver among all that were given. */
export function givenFlags(options: Readonly<Record<string, unknown>>): ApiServerFlags {
  const found = apiServerFlags.flatMap(({ name }): [string, string[]][] => {
    const attribute = name.replaceAll(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
    const values = options[attribute];
    return Array.isArray(values) ? [[name, values.filter((value) => typeof value === "string")]] : [];
  });
  return Object.fromEntries(found);
}
