/** A module of our own around the package, so that it can be imported late in a checkout and in a bundle alike. */
export { parse, stringify } from "yaml";
