// Text as PostgreSQL can hold it: what else a request names could be found nowhere, or would be compared as
// something that it is not.
import { z } from 'zod';

export const NOT_TEXT = 'must hold neither U+0000 nor half a surrogate pair';

export const isText = (value: string): boolean => value.isWellFormed() && !value.includes('\0');

export const text = z.string().refine(isText, NOT_TEXT);
