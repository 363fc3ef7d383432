/** A `Warning` header: the text quoted in one line, with backslashes before what would end it. */
export const warningHeader = (text: string): string => {
  const line = text.replaceAll(/[^\x20-\x7e]+/g, " ").replaceAll(/["\\]/g, (character) => `\\${character}`);
  return `299 - "${line}"`;
};
