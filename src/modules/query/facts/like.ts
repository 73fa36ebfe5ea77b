// Texts as patterns of LIKE.

/** Matches the text itself. */
export const likeLiteral = (text: string): string => text.replace(/[\\%_]/g, '\\$&');

/** `*` stands for any characters; matched from beginning to end. */
export const likeWildcard = (text: string): string => text.split('*').map(likeLiteral).join('%');
