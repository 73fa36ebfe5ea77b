// E-mail addresses: one spelling for each, so that an account is found however its address is typed.
export const EMAIL_CHARACTERS_MAX = 254;

/** Mailboxes that differ in case only are one, as every large provider has it. */
export const normaliseEmail = (email: string): string => email.trim().normalize('NFC').toLowerCase();
