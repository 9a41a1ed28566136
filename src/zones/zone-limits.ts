/** Octets of one record's data: with owner, question and signature it still fits into a message, and into a transfer. */
export const LARGEST_DATA = 64_000;
/** Octets of a compiled set: it fits into an answer of 64 KB with question, OPT and TSIG. Nobody could be given a larger one. */
export const LARGEST_SET = 64_000;
/** Types at one name: each question for it goes through them. */
export const MOST_TYPES = 256;
