// What several settings, or long ones, are checked by: text in, value out, or what is wrong with it.
import { z } from 'zod';

export const wholeNumber = (min: number, max: number) =>
  z
    .string()
    .regex(/^\d+$/, 'must be a whole number')
    .transform(Number)
    .pipe(z.number().min(min, `must be at least ${min}`).max(max, `must be at most ${max}`));

export const postgresUrl = z
  .string()
  .regex(/^postgres(ql)?:\/\//, 'must start with postgres:// or postgresql://');

export const brokers = z.string().transform((text, context): readonly string[] => {
  const names = text.split(',').map((name) => name.trim());
  for (const name of names) {
    if (!/^[a-zA-Z0-9.-]+:\d{1,5}$/.test(name)) {
      context.addIssue({ code: 'custom', message: `"${name}" is not host:port` });
    }
  }
  return names;
});

/** The form that the client of EventStoreDB takes; checked here because its own complaint would show the password. */
export const eventStoreDbUrl = z
  .string()
  .regex(
    /^(esdb|kurrentdb)(\+discover)?:\/\/([^:@/?\s]+:[^@/?\s]+@)?[^:@/?,\s]+(:\d{1,5})?(,[^:@/?,\s]+(:\d{1,5})?)*\/?(\?[a-zA-Z]+=[^&?\s]+(&[a-zA-Z]+=[^&?\s]+)*)?$/,
    'must look like esdb://user:password@host:2113, esdb+discover://…, or esdb://host:2113?tls=false',
  )
  .refine(
    (url) => /[?&]tls=false(&|$)/i.test(url) || url.includes('@'),
    'must name user:password, unless tls=false, where EventStoreDB knows no users',
  );

export const redisUrl = z.string().regex(/^rediss?:\/\//, 'must start with redis:// or rediss://');

/** Checked as a URL only where it is one: everything else is a path. */
export const archiveUrl = z
  .string()
  .refine(
    (url) => !url.includes('://') || /^s3:\/\/[a-zA-Z0-9.-]{3,63}(\/[a-zA-Z0-9._-]+)*\/?$/.test(url),
    'must be a directory, or s3://bucket/prefix with letters, digits, dots, dashes and underscores',
  );

export const trustProxy = z.string().transform((text, context): false | number | readonly string[] => {
  if (text === 'none' || text === '') return false;
  if (/^\d+$/.test(text)) return Number(text);
  const hops = text.split(',').map((hop) => hop.trim());
  const known = /^(loopback|linklocal|uniquelocal|[0-9a-fA-F.:]+(\/\d{1,3})?)$/;
  for (const hop of hops) {
    if (!known.test(hop)) {
      context.addIssue({
        code: 'custom',
        message: `"${hop}" is not an address, a CIDR range, loopback, linklocal or uniquelocal`,
      });
    }
  }
  return hops;
});

/** Scheme, host and port; nothing after them but a slash. */
export const httpOrigin = z
  .string()
  .regex(/^https?:\/\/[^/?#\s@]+\/?$/, 'must look like https://stats.example.com')
  .refine((url) => URL.canParse(url), 'must be a URL')
  .transform((url) => new URL(url).origin);

export const mailSender = z
  .string()
  .regex(
    /^([^<>@\r\n]{1,120} <[^<>@\s]{1,64}@[^<>@\s]{1,255}>|[^<>@\s]{1,64}@[^<>@\s]{1,255})$/,
    'must look like Name <name@example.com>',
  );

const externalIssuer = z.strictObject({
  /** Over plain HTTP only on this machine: whoever sits in between could sign in as anybody. */
  issuer: z
    .string()
    .regex(
      /^(https:\/\/[^?#\s@]+|http:\/\/(localhost|127\.0\.0\.1|\[::1\])(:\d+)?(\/[^?#\s@]*)?)$/,
      'must be an https:// URL',
    ),
  audience: z.string().min(1).max(300),
  emailClaim: z.string().min(1).max(100).default('email'),
  /** Claim with the merchant to act for; absent: whom the person joined first. */
  merchantClaim: z.string().min(1).max(100).optional(),
  /** Whether somebody who has no account gets one with their first token. */
  register: z.boolean().default(false),
});

export type ExternalIssuer = z.output<typeof externalIssuer>;

export const externalIssuers = z.string().transform((text, context): readonly ExternalIssuer[] => {
  let given: unknown;
  try {
    given = JSON.parse(text);
  } catch {
    context.addIssue({ code: 'custom', message: 'must be JSON' });
    return z.NEVER;
  }
  const parsed = z.array(externalIssuer).max(20).safeParse(given);
  if (parsed.success) return parsed.data;
  for (const { path, message } of parsed.error.issues) {
    context.addIssue({ code: 'custom', message: `${path.join('.') || 'the list'}: ${message}` });
  }
  return z.NEVER;
});
