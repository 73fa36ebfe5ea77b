// What a controller tells the HTTP layer about a route.
import { RouteConfig } from '@nestjs/platform-fastify';
import type { ProblemOptions } from './problem.js';

/** How another vendor's API says what is wrong: the status its clients expect, and a body, as JSON unless it is text. */
export type ErrorForm = (problem: ProblemOptions) => {
  readonly status: number;
  readonly body: unknown;
  readonly contentType?: 'text/plain';
};

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Set by `IntakeRoute`. */
    intake?: boolean;
    /** Set by `IntakeRoute`. */
    anyBody?: boolean;
    /** Set by `AnswersErrors`. */
    errorForm?: ErrorForm;
  }
}

/**
 * A route that browsers of other origins call: a text/plain body is read as JSON (sendBeacon and
 * fetch without preflight send that), and the headers that protect pages are left out.
 */
export const IntakeRoute = () => RouteConfig({ intake: true });

/** The same for clients of other vendors: the body arrives as text, whatever it is said to be. */
export const VendorIntakeRoute = (errorForm: ErrorForm) =>
  RouteConfig({ intake: true, anyBody: true, errorForm });

/**
 * A route whose errors have another form than problem+json, wherever they come from: the reader of
 * the body fails before there is a controller whose filters could be asked.
 */
export const AnswersErrors = (form: ErrorForm) => RouteConfig({ errorForm: form });

/** A route some of whose answers are known before its handler: those that are given under `name` (early-answers.ts). */
export const AnswersEarly = (name: string) => RouteConfig({ earlyAnswer: name });

/**
 * Content type of answers that last as long as the client stays. Their time is nobody's speed, so they are not
 * counted with the requests: whoever keeps the streams measures them.
 */
export const EVENT_STREAM = 'text/event-stream; charset=utf-8';
