/** Where the lab tells a person what it does: one call a line, without the newline. */
export type Say = (line: string) => void;
