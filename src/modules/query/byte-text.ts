// Text as its UTF-8 bytes, one character a byte ("latin1"): what is kept and sent more often than it is read. A
// socket and Redis take it and give it without looking for characters in it, and memory has a byte for each.
export const byteTextOf = (text: string): string => Buffer.from(text).toString('latin1');

export const textOf = (byteText: string): string => Buffer.from(byteText, 'latin1').toString();
